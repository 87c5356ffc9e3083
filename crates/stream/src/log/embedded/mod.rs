//! The log in `log.db`: one writer, one commit for all that waits, readers that are woken and never ask in vain.

mod queue;
mod read;
mod record;
mod retain;
mod seen;
mod slot;
mod tail;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use db::{Database, SystemClock};
use event::Kind;
use fhir::Clock;
use rusqlite::OptionalExtension;
use tokio::sync::watch;

use super::budget::Budget;
use super::{Append, Appended, Ends, Entry, FetchLimits, LogError, Offsets, Position, Removed, Retention};
use queue::Queue;
use slot::Slot;
use tail::{SlotEnds, Tail};

/// How the embedded log is opened. The number of partitions alone makes the rest as it is usually.
#[derive(Clone)]
pub struct EmbeddedOptions {
    /// Partitions of each topic of a new file, 1 to 1024; a file that exists keeps its number.
    pub n_partitions: u32,
    /// Bytes that may wait to be written; then [`LogError::Full`].
    pub waiting_bytes_max: usize,
    /// How many of the last entries are looked through for duplicates: about 50 bytes of memory each.
    pub n_duplicates_window: usize,
    /// Tells when an entry was appended.
    pub clock: Arc<dyn Clock>,
}

impl From<u32> for EmbeddedOptions {
    fn from(n_partitions: u32) -> EmbeddedOptions {
        EmbeddedOptions {
            n_partitions,
            waiting_bytes_max: 64 * 1024 * 1024,
            n_duplicates_window: 1_000_000,
            clock: Arc::new(SystemClock),
        }
    }
}

/// The log in `log.db`; clones are the same log.
#[derive(Clone)]
pub struct Embedded {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    n_partitions: u32,
    clock: Arc<dyn Clock>,
    budget: Budget,
    queue: Queue,
    tail: Mutex<Tail>,
    /// Start and end of what is on disk.
    ends: RwLock<BTreeMap<(Kind, u32), (u64, u64)>>,
    /// One per partition, told whenever one of its topics has grown.
    grown: Vec<watch::Sender<()>>,
    failure: OnceLock<LogError>,
}

impl Embedded {
    pub(super) async fn open(database: Database, options: EmbeddedOptions) -> Result<Embedded, LogError> {
        let EmbeddedOptions { n_partitions: asked, waiting_bytes_max, n_duplicates_window, clock } = options;
        let load = {
            let clock = Arc::clone(&clock);
            move |conn: &rusqlite::Connection| {
                let stored = tail::n_partitions(conn, asked)?;
                Ok((stored, tail::slots(conn)?, Tail::load(conn, clock, n_duplicates_window.max(1))?))
            }
        };
        let (n_partitions, slots, tail) = database.write(load).await?;
        if n_partitions != asked {
            tracing::warn!(
                n_partitions,
                asked,
                "the log keeps the number of partitions that it was made with"
            );
        }
        let ends = slots.into_iter().map(|(kind, partition, start, end)| ((kind, partition), (start, end)));
        let shared = Shared {
            database,
            n_partitions,
            clock,
            budget: Budget::new(waiting_bytes_max),
            queue: Queue::default(),
            tail: Mutex::new(tail),
            ends: RwLock::new(ends.collect()),
            grown: (0..n_partitions).map(|_| watch::Sender::new(())).collect(),
            failure: OnceLock::new(),
        };
        Ok(Embedded { shared: Arc::new(shared) })
    }

    pub(super) fn partitions(&self) -> u32 {
        self.shared.n_partitions
    }

    /// `finds_duplicates` is false for entries that were in this log before, and come back.
    pub(super) async fn append(
        &self,
        entries: Vec<Append>,
        finds_duplicates: bool,
    ) -> Result<Vec<Appended>, LogError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        queue::append(&self.shared, &entries, finds_duplicates).await
    }

    pub(super) async fn fetch(
        &self,
        partition: u32,
        from: &[(Kind, u64)],
        limits: FetchLimits,
    ) -> Result<Vec<Entry>, LogError> {
        self.check_partition(partition)?;
        let from = self.shared.news(partition, from)?;
        if from.is_empty() {
            return Ok(Vec::new());
        }
        self.shared.database.read(move |conn| read::fetch(conn, partition, &from, limits)).await?
    }

    pub(super) async fn wait(
        &self,
        partition: u32,
        from: &[(Kind, u64)],
        timeout: Duration,
    ) -> Result<bool, LogError> {
        let mut grown = self.check_partition(partition)?.subscribe();
        let news = async {
            loop {
                grown.borrow_and_update();
                if !self.shared.news(partition, from)?.is_empty() {
                    return Ok(true);
                }
                grown.changed().await.map_err(|_| LogError::Closed)?;
            }
        };
        tokio::time::timeout(timeout, news).await.unwrap_or(Ok(false))
    }

    pub(super) fn ends(&self) -> Vec<Ends> {
        let ends = self.shared.ends.read().unwrap_or_else(PoisonError::into_inner);
        let ends = ends.iter().map(|((kind, partition), (start, end))| Ends {
            kind: kind.clone(),
            partition: *partition,
            start: *start,
            end: *end,
        });
        ends.collect()
    }

    pub(super) async fn retain(&self, retention: Retention, slowest: &Offsets) -> Result<Removed, LogError> {
        let mut removed = Removed::default();
        for ((kind, partition), slowest) in slowest {
            while let Some(trimmed) = self.trim(kind, *partition, *slowest, retention).await? {
                removed.n_entries += trimmed.n_entries;
                let mut ends = self.shared.ends.write().unwrap_or_else(PoisonError::into_inner);
                ends.entry((kind.clone(), *partition)).or_default().0 = trimmed.start;
                if !trimmed.has_more {
                    break;
                }
            }
        }
        Ok(removed)
    }

    async fn trim(
        &self,
        kind: &Kind,
        partition: u32,
        slowest: u64,
        retention: Retention,
    ) -> Result<Option<retain::Trimmed>, LogError> {
        let (name, now) = (kind.name().to_owned(), self.shared.clock.now());
        let trim = move |conn: &rusqlite::Connection| {
            let sql = "SELECT id FROM log_topic WHERE kind = ?1";
            let topic: Option<i64> =
                conn.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?;
            let Some(topic) = topic else { return Ok(None) };
            retain::trim(conn, Slot::of(topic, partition), slowest, retention, now)
        };
        self.shared.database.write(trim).await.map_err(LogError::of_write)
    }

    pub(super) async fn close(&self) -> Result<(), LogError> {
        self.shared.database.close().await.map_err(LogError::Db)
    }

    /// The file.
    pub(crate) fn database(&self) -> &Database {
        &self.shared.database
    }

    pub(super) fn failure(&self) -> Option<LogError> {
        self.shared.failure.get().cloned()
    }

    fn check_partition(&self, partition: u32) -> Result<&watch::Sender<()>, LogError> {
        let n_partitions = self.shared.n_partitions;
        let index = usize::try_from(partition).unwrap_or(usize::MAX);
        self.shared.grown.get(index).ok_or(LogError::NoPartition { partition, n_partitions })
    }
}

impl Shared {
    /// Those of which a fetch would give something; an error when it would.
    fn news(&self, partition: u32, from: &[(Kind, u64)]) -> Result<Vec<(Kind, u64)>, LogError> {
        let mut news = Vec::new();
        let ends = self.ends.read().unwrap_or_else(PoisonError::into_inner);
        for (kind, offset) in from {
            let (start, end) = ends.get(&(kind.clone(), partition)).copied().unwrap_or_default();
            if *offset < start || *offset > end {
                let position = Position { kind: kind.clone(), partition, offset: *offset };
                return Err(LogError::OutOfRange { position, start, end });
            }
            if *offset < end {
                news.push((kind.clone(), *offset));
            }
        }
        Ok(news)
    }

    /// After a commit: the new ends are seen, and who waits is woken. Two batches may come in either order.
    fn publish(&self, moved: &[SlotEnds]) {
        let mut ends = self.ends.write().unwrap_or_else(PoisonError::into_inner);
        for (kind, partition, _, end) in moved {
            let known = ends.entry((kind.clone(), *partition)).or_default();
            known.1 = known.1.max(*end);
        }
        drop(ends);
        for (_, partition, ..) in moved {
            if let Some(grown) = usize::try_from(*partition).ok().and_then(|index| self.grown.get(index)) {
                grown.send_replace(());
            }
        }
    }

    /// Remembers a failure after which nothing more is taken.
    fn failed(&self, error: LogError) -> LogError {
        if let LogError::Poisoned(cause) = &error {
            tracing::error!(%cause, "the log could not be written and takes nothing more");
            return self.failure.get_or_init(|| error.clone()).clone();
        }
        error
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
