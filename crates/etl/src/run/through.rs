//! Reads a source through its checks and some of its steps into a sink, without targets: for previews, tests and taps.

use std::sync::Arc;

use table::{Batch, Columns, Reject, Value};
use tokio::task::JoinHandle;

use crate::EtlError;
use crate::file::{Pipeline, SourceEntry};
use crate::plan::{FlowColumns, Plan};
use crate::run::chain::{Chain, Ended, Sink, Tapped};
use crate::run::taps::{self, Gathered};
use crate::run::{Connected, StepCounts};
use crate::source::{Out, Piece, Source};
use crate::world::World;

const PIECES_AHEAD_MAX: usize = 4;

/// What came out: rows up to a limit, rejects, counts.
pub(crate) struct Caught {
    pub(crate) columns: Columns,
    pub(crate) batches: Vec<Batch>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) counts: Vec<StepCounts>,
}

/// Catches what comes out of a chain.
struct Net {
    rows_max: usize,
    n_rows: usize,
    batches: Vec<Batch>,
    rejects: Vec<Reject>,
}

impl Sink for Net {
    fn rows(&mut self, batch: Batch) -> Result<Vec<Reject>, EtlError> {
        let wanted = batch.n_rows().min(self.rows_max - self.n_rows);
        if wanted > 0 {
            self.n_rows += wanted;
            self.batches.push(batch.slice(0, wanted));
        }
        Ok(Vec::new())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        if self.rejects.len() < self.rows_max {
            self.rejects.push(reject);
        }
        Ok(())
    }
}

/// Where rows come from.
pub(crate) enum From {
    /// The source itself; reading stops after some rows.
    Source(Box<dyn Source>, usize),
    /// Batches that are given.
    Given(Vec<Batch>),
}

/// One source and how far its rows go.
pub(crate) struct Through<'a> {
    pub(crate) source: &'a SourceEntry,
    pub(crate) columns: &'a FlowColumns,
    pub(crate) n_steps: usize,
    pub(crate) rows_max: usize,
}

impl Through<'_> {
    /// Reads, checks, transforms; gives what came out and the end of the chain.
    pub(crate) async fn read(
        &self,
        from: From,
        tapped: &Tapped,
        taps: Vec<Box<dyn crate::step::Tap>>,
        world: &Arc<World>,
    ) -> Result<(Caught, Ended), EtlError> {
        let mut chain = Chain::start(self.source, self.columns, tapped, taps, self.n_steps, None, world)?;
        let mut net = Net { rows_max: self.rows_max, n_rows: 0, batches: Vec::new(), rejects: Vec::new() };
        let (out, mut pieces) = Out::channel(PIECES_AHEAD_MAX);
        let (reader, read_max) = match from {
            From::Given(batches) => {
                let give = async move {
                    for batch in batches {
                        out.send(Piece::Rows(batch)).await?;
                    }
                    Ok(())
                };
                (tokio::spawn(give), usize::MAX)
            }
            From::Source(mut source, read_max) => {
                let give = async move {
                    let units = source.units(None).await?;
                    for (number, unit) in (0_u32..).zip(&units) {
                        source.read(unit, number, out.clone()).await?;
                    }
                    Ok(())
                };
                (tokio::spawn(give), read_max)
            }
        };
        let worked = tokio::task::spawn_blocking(move || {
            let mut n_read = 0;
            while n_read < read_max
                && let Some(piece) = pieces.blocking_recv()
            {
                match piece {
                    Piece::Rows(batch) => {
                        let batch = batch.slice(0, batch.n_rows().min(read_max - n_read));
                        n_read += batch.n_rows();
                        chain.push(batch, &mut net)?;
                    }
                    Piece::Rejects(rejects) => {
                        rejects.into_iter().try_for_each(|reject| net.reject(reject))?;
                    }
                    Piece::Nulled(_) | Piece::Consumed(_) => {}
                }
            }
            let is_complete = n_read < read_max;
            drop(pieces);
            chain.finish(&mut net)?;
            Ok::<_, EtlError>((chain.end()?, net, is_complete))
        });
        let (ended, net, is_complete) = worked.await.map_err(|_| EtlError::Step {
            step: self.source.name.text.clone(),
            why: "its thread ended unexpectedly: this is a bug".to_owned(),
        })??;
        // A reader whose rows nobody wanted any more was stopped, not broken.
        if is_complete {
            to_its_end(&self.source.name.text, reader).await?;
        }
        let columns = self.columns.steps.get(self.n_steps).unwrap_or(self.columns.output()).clone();
        let caught =
            Caught { columns, batches: net.batches, rejects: net.rejects, counts: ended.counts.clone() };
        Ok((caught, ended))
    }
}

/// What a reader says of its end. One that panicked has not come to it: what it gave is a part, and looks like all of it.
async fn to_its_end(source: &str, reader: JoinHandle<Result<(), EtlError>>) -> Result<(), EtlError> {
    reader.await.unwrap_or_else(|_| {
        Err(EtlError::Source {
            source_name: source.to_owned(),
            why: "its reader ended unexpectedly".to_owned(),
            is_transient: false,
        })
    })
}

/// Reads every source that others look at, in full, for what they gather. `given` replaces the rows of sources by name.
pub(crate) async fn gather(
    pipeline: &Pipeline,
    plan: &Plan,
    connected: &mut Connected,
    given: &mut std::collections::BTreeMap<String, Vec<Batch>>,
    world: &Arc<World>,
) -> Result<Gathered, EtlError> {
    let mut gathered = Gathered::default();
    let mut left: Vec<&SourceEntry> =
        pipeline.sources.iter().filter(|source| gathered.is_tapped(pipeline, &source.name)).collect();
    while let Some(next) =
        left.iter().position(|source| pipeline.tapped_by(source).iter().all(|name| gathered.has(name)))
    {
        let source = left.remove(next);
        let Some(columns) = plan.flow(&source.name) else { continue };
        let from = match (given.get(&source.name.text), connected.open.remove(&source.name.text)) {
            (Some(batches), _) => From::Given(batches.clone()),
            (None, Some(open)) => From::Source(open, usize::MAX),
            (None, None) => continue,
        };
        let taps = taps::start(pipeline, source, &columns.source, world)?;
        let tapped = gathered.for_source(source);
        let through = Through { source, columns, n_steps: 0, rows_max: 0 };
        let (_, ended) = through.read(from, &tapped, taps, world).await?;
        gathered.keep(pipeline, source, ended.tapped);
    }
    Ok(gathered)
}

/// A caught table as texts: one list of cells per row.
pub(crate) fn texts_of(batches: &[Batch], columns: &Columns) -> Result<Vec<Vec<Option<String>>>, EtlError> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.n_rows() {
            let cells = columns
                .iter()
                .map(|column| batch.value(&column.name, row).map(|value: Value| value.to_text()));
            rows.push(cells.collect::<Result<_, _>>()?);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_panics_is_an_error_and_not_the_end() {
        to_its_end("labs", tokio::spawn(async { Ok(()) })).await.unwrap();
        let failed = to_its_end("labs", tokio::spawn(async { Err(EtlError::Cancelled) })).await;
        assert!(matches!(failed, Err(EtlError::Cancelled)), "{failed:?}");
        let broken = to_its_end("labs", tokio::spawn(async { panic!("as the test wants") })).await;
        assert!(
            matches!(&broken, Err(EtlError::Source { source_name, .. }) if source_name == "labs"),
            "{broken:?}"
        );
    }
}
