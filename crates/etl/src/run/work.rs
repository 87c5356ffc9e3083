//! The step thread of a source: takes what the reader gives, pushes it through the chain, hands rows to the targets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use table::{Batch, Reject};
use tokio::sync::{mpsc, oneshot};

use crate::EtlError;
use crate::run::Observer;
use crate::run::chain::{Chain, Ended, Sink};
use crate::run::deliver::Delivery;
use crate::source::Piece;
use crate::world::World;

const REJECTS_AT_ONCE: usize = 1_000;

/// How far a source is. Written by its threads, read by whoever shows it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) bytes: AtomicU64,
    pub(crate) read: AtomicU64,
    pub(crate) given: AtomicU64,
    pub(crate) quarantined: AtomicU64,
}

/// Everything the step thread works with.
pub(crate) struct Work {
    pub(crate) source: String,
    pub(crate) chain: Chain,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) world: Arc<World>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) unit_names: Arc<[String]>,
    pub(crate) quarantined_max: Option<u64>,
    pub(crate) meter: Arc<Meter>,
}

/// What comes of it.
pub(crate) struct Worked {
    pub(crate) deliveries: Vec<Delivery>,
    /// The chain's end, or what went wrong.
    pub(crate) outcome: Result<Ended, EtlError>,
    /// Records read, also those that could not be understood.
    pub(crate) read: u64,
    /// Records that could not be understood.
    pub(crate) rejected: u64,
    /// Values that are missing because they could not be read, by column and reason.
    pub(crate) nulled: BTreeMap<String, u64>,
}

impl Work {
    /// Works until the reader has given everything; from a blocking thread.
    pub(crate) fn run(
        self,
        mut pieces: mpsc::Receiver<Piece>,
        reader: oneshot::Receiver<Result<(), EtlError>>,
    ) -> Worked {
        let Work { source, mut chain, deliveries, world, observer, unit_names, quarantined_max, meter } =
            self;
        let mut hands = Hands {
            source,
            deliveries,
            observer,
            unit_names,
            quarantined_max,
            meter,
            waiting: Vec::new(),
            n_rejects: 0,
        };
        let (mut read, mut rejected) = (0, 0);
        let mut nulled: BTreeMap<String, u64> = BTreeMap::new();
        let mut outcome = Ok(());
        while let Some(piece) = pieces.blocking_recv() {
            outcome = world.check_cancelled().and_then(|()| match piece {
                Piece::Rows(batch) => {
                    read += batch.n_rows() as u64;
                    hands.meter.read.store(read, Ordering::Relaxed);
                    chain.push(batch, &mut hands)
                }
                Piece::Rejects(rejects) => {
                    read += rejects.len() as u64;
                    rejected += rejects.len() as u64;
                    rejects.into_iter().try_for_each(|reject| hands.reject(reject))
                }
                Piece::Nulled(columns) => {
                    for column in columns {
                        *nulled.entry(format!("{} {}", column.column, column.reason)).or_default() +=
                            column.n_values;
                    }
                    Ok(())
                }
                Piece::Consumed(bytes) => {
                    hands.meter.bytes.fetch_add(bytes, Ordering::Relaxed);
                    Ok(())
                }
            });
            if outcome.is_err() {
                break;
            }
        }
        // Dropping the receiver stops a reader that still gives.
        drop(pieces);
        let reader = reader.blocking_recv().unwrap_or_else(|_| {
            Err(EtlError::Source {
                source_name: hands.source.clone(),
                why: "its reader ended unexpectedly".to_owned(),
                is_transient: false,
            })
        });
        let outcome = outcome
            .and(reader)
            .and_then(|()| world.check_cancelled())
            .and_then(|()| chain.finish(&mut hands))
            .and_then(|()| hands.flush())
            .and_then(|()| chain.end());
        Worked { deliveries: hands.deliveries, outcome, read, rejected, nulled }
    }
}

/// Takes what comes out of the chain.
struct Hands {
    source: String,
    deliveries: Vec<Delivery>,
    observer: Arc<dyn Observer>,
    unit_names: Arc<[String]>,
    quarantined_max: Option<u64>,
    meter: Arc<Meter>,
    waiting: Vec<Reject>,
    n_rejects: u64,
}

impl Hands {
    fn flush(&mut self) -> Result<(), EtlError> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            Ok(())
        } else {
            self.observer.quarantine(&self.source, &self.unit_names, waiting)
        }
    }
}

impl Sink for Hands {
    fn rows(&mut self, batch: Batch) -> Result<Vec<Reject>, EtlError> {
        self.meter.given.fetch_add(batch.n_rows() as u64, Ordering::Relaxed);
        let mut rejects = Vec::new();
        for delivery in &mut self.deliveries {
            rejects.extend(delivery.rows(&batch)?);
        }
        Ok(rejects)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        self.n_rejects += 1;
        self.meter.quarantined.store(self.n_rejects, Ordering::Relaxed);
        if self.quarantined_max.is_some_and(|max| self.n_rejects > max) {
            return Err(EtlError::Limit(format!(
                "more than {} rows of `{}` would be quarantined (`quarantined_max`): nothing of it is loaded",
                self.n_rejects - 1,
                self.source
            )));
        }
        self.waiting.push(reject);
        if self.waiting.len() >= REJECTS_AT_ONCE { self.flush() } else { Ok(()) }
    }
}
