//! The event log: append, and read back in order per partition. What was appended is on disk when `append` returns.
//!
//! Topics are one per kind of event (`healthcare.vital_signs`). All topics have the same number of partitions, and a patient has the same
//! partition in each, so that one reader sees all that happens to a patient.

mod budget;
mod embedded;
mod entry;
mod error;
mod kafka;
mod topic;
mod transfer;

use std::collections::BTreeMap;
use std::time::Duration;

use event::Kind;

pub use embedded::{Embedded, EmbeddedOptions};
pub use entry::{Append, Appended, Entry, Novelty, Position};
pub use error::LogError;
pub use kafka::{Kafka, KafkaSettings};
pub use topic::{TOPIC_PREFIX, topic_of};
pub use transfer::{Moved, move_log};

/// Entries are at most this long, with key, identifier and headers: below what a Kafka broker takes as it is installed.
pub const ENTRY_BYTES_MAX: usize = 1_000_000;

/// For each kind and partition, the offset of the next entry that is wanted. What is absent begins at 0.
pub type Offsets = BTreeMap<(Kind, u32), u64>;

/// How much one fetch gives at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Entries.
    pub n_max: usize,
    /// Bytes of bodies, keys and headers; one entry is given even when it is longer.
    pub bytes_max: usize,
}

impl Default for FetchLimits {
    fn default() -> FetchLimits {
        FetchLimits { n_max: 1000, bytes_max: 4 * 1024 * 1024 }
    }
}

/// What a partition of a topic has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The topic.
    pub kind: Kind,
    /// The partition.
    pub partition: u32,
    /// The first offset that was not removed.
    pub start: u64,
    /// The offset that the next entry gets.
    pub end: u64,
}

/// What is removed of a log, and never past what a group has still to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Entries older than this are removed.
    pub age_secs_max: Option<u64>,
    /// The oldest entries of a partition of a topic are removed while it is larger than this. Embedded only: Kafka does not tell sizes.
    pub partition_bytes_max: Option<u64>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Entries.
    pub n_entries: u64,
}

/// The log. The backend is chosen once, when it is opened; clones are the same log.
#[derive(Clone)]
pub enum EventLog {
    /// In `log.db`.
    Embedded(Embedded),
    /// In a Kafka cluster.
    Kafka(Kafka),
}

impl EventLog {
    /// The log in `log.db`, which [`crate::open_log`] opened. `options` may be the number of partitions alone.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn open_embedded(
        database: db::Database,
        options: impl Into<EmbeddedOptions>,
    ) -> Result<EventLog, LogError> {
        Embedded::open(database, options.into()).await.map(EventLog::Embedded)
    }

    /// The log in a Kafka cluster; topics that are missing are created.
    ///
    /// # Errors
    /// The brokers do not answer, a topic has another number of partitions, or a setting is wrong.
    pub async fn open_kafka(settings: KafkaSettings) -> Result<EventLog, LogError> {
        Kafka::open(settings).await.map(EventLog::Kafka)
    }

    /// What an operator should change, so that no acknowledged event can be lost.
    pub fn warnings(&self) -> &[String] {
        match self {
            EventLog::Embedded(_) => &[],
            EventLog::Kafka(log) => log.warnings(),
        }
    }

    /// The number of partitions of each topic.
    pub fn partitions(&self) -> u32 {
        match self {
            EventLog::Embedded(log) => log.partitions(),
            EventLog::Kafka(log) => log.partitions(),
        }
    }

    /// Appends in the given order and returns, one answer per entry, when all of them are on disk. Entries of one partition keep the order of calls.
    ///
    /// # Errors
    /// [`LogError::Full`] when too much is on its way already: try again later. After any error nothing is acknowledged; what is sent again is
    /// found to be a duplicate where it had arrived.
    pub async fn append(&self, entries: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        match self {
            EventLog::Embedded(log) => log.append(entries, true).await,
            EventLog::Kafka(log) => log.append(entries).await,
        }
    }

    /// Entries of one partition of the given kinds, from the given offsets on, in the order in which they were appended; none when there are no more.
    /// Kafka knows that order per kind exactly, and over kinds by the millisecond.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] names the first entry that is damaged when nothing before it is left to give; [`LogError::OutOfRange`] when an
    /// offset was removed, or was never reached.
    pub async fn fetch(
        &self,
        partition: u32,
        from: &[(Kind, u64)],
        limits: FetchLimits,
    ) -> Result<Vec<Entry>, LogError> {
        match self {
            EventLog::Embedded(log) => log.fetch(partition, from, limits).await,
            EventLog::Kafka(log) => log.fetch(partition, from, limits).await,
        }
    }

    /// Returns true as soon as [`EventLog::fetch`] with the same arguments would give something, false after `timeout`.
    ///
    /// # Errors
    /// Those of [`EventLog::fetch`].
    pub async fn wait(
        &self,
        partition: u32,
        from: &[(Kind, u64)],
        timeout: Duration,
    ) -> Result<bool, LogError> {
        match self {
            EventLog::Embedded(log) => log.wait(partition, from, timeout).await,
            EventLog::Kafka(log) => log.wait(partition, from, timeout).await,
        }
    }

    /// The partitions of all topics that were ever written to, with their offsets.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn ends(&self) -> Result<Vec<Ends>, LogError> {
        match self {
            EventLog::Embedded(log) => Ok(log.ends()),
            EventLog::Kafka(log) => log.ends().await,
        }
    }

    /// Removes what is old, and is below the offset of every group. `slowest` has the lowest offset of all groups; a partition that it does
    /// not name is left alone.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn retain(&self, retention: Retention, slowest: &Offsets) -> Result<Removed, LogError> {
        match self {
            EventLog::Embedded(log) => log.retain(retention, slowest).await,
            EventLog::Kafka(log) => log.retain(retention, slowest).await,
        }
    }

    /// Tells tools that watch Kafka how far a group is. Nothing reads it back: offsets are kept with their effects, in `stream.db`.
    ///
    /// # Errors
    /// The broker refuses.
    pub async fn tell_progress(&self, group: &str, offsets: &Offsets) -> Result<(), LogError> {
        match self {
            EventLog::Embedded(_) => Ok(()),
            EventLog::Kafka(log) => log.tell_progress(group, offsets).await,
        }
    }

    /// Writes what waits and closes the file of the embedded log.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn close(&self) -> Result<(), LogError> {
        match self {
            EventLog::Embedded(log) => log.close().await,
            EventLog::Kafka(_) => Ok(()),
        }
    }

    /// Why nothing can be appended, if so: a disk that failed, or brokers that did not answer the last time. For `/readyz`.
    pub fn failure(&self) -> Option<LogError> {
        match self {
            EventLog::Embedded(log) => log.failure(),
            EventLog::Kafka(log) => log.failure(),
        }
    }
}
