//! What clones of the log share: clients, what is known of the cluster, questions to it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use event::Kind;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::failure::{is_passing, of_kafka};
use super::reader::{Readers, Unreadable};
use super::topics::{Admin, Cluster};
use super::{KafkaSettings, rdkafka_offset};
use crate::log::budget::Budget;
use crate::log::{LogError, Offsets, Position, topic_of};

/// How long the cluster may take to answer a question.
const ANSWER: Duration = Duration::from_secs(20);
/// How long what is on its way may take when the log is dropped.
const FLUSH: Duration = Duration::from_secs(5);

pub(super) struct Shared {
    pub(super) settings: KafkaSettings,
    pub(super) producer: FutureProducer,
    pub(super) admin: Admin,
    /// Asks for metadata and offsets; reads nothing.
    observer: Arc<BaseConsumer>,
    /// One per group whose progress is told.
    groups: Mutex<HashMap<String, Arc<BaseConsumer>>>,
    pub(super) readers: Readers,
    pub(super) budget: Budget,
    /// Kinds that have a topic, as far as is known.
    kinds: RwLock<BTreeSet<Kind>>,
    /// Why the cluster did not answer the last time.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn new(settings: KafkaSettings) -> Result<Shared, LogError> {
        let producer: FutureProducer = settings.producer()?.create().map_err(of_kafka)?;
        let admin: Admin = settings.client()?.create().map_err(of_kafka)?;
        let observer: BaseConsumer = settings.consumer("salus")?.create().map_err(of_kafka)?;
        Ok(Shared {
            producer,
            admin,
            observer: Arc::new(observer),
            groups: Mutex::default(),
            readers: Readers::default(),
            budget: Budget::new(settings.waiting_bytes_max),
            kinds: RwLock::default(),
            trouble: Mutex::default(),
            settings,
        })
    }

    /// Whether all of the kinds are known to have a topic.
    pub(super) fn knows<'a>(&self, mut kinds: impl Iterator<Item = &'a Kind>) -> bool {
        let known = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.all(|kind| known.contains(kind))
    }

    pub(super) fn known_kinds(&self) -> BTreeSet<Kind> {
        self.kinds.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes topics for kinds that have none.
    pub(super) async fn ensure(&self, kinds: &[Kind]) -> Result<(), LogError> {
        let cluster = self.look().await?;
        cluster.ensure(&self.admin, &self.settings, kinds).await.map_err(|error| self.noted(error))?;
        // Created is not yet known to every broker.
        let until = std::time::Instant::now() + ANSWER;
        while !self.look().await?.has(kinds, self.settings.n_partitions)? {
            if std::time::Instant::now() > until {
                return Err(LogError::Unavailable("topics that were created do not appear".into()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.kinds.write().unwrap_or_else(PoisonError::into_inner).extend(kinds.iter().cloned());
        Ok(())
    }

    /// Learns of topics that others have created.
    pub(super) async fn look(&self) -> Result<Cluster, LogError> {
        let observer = Arc::clone(&self.observer);
        let ask = move || Ok(Cluster::of(&observer.fetch_metadata(None, ANSWER).map_err(of_kafka)?));
        let cluster = blocking(ask).await.map_err(|error| self.noted(error))?;
        self.kinds.write().unwrap_or_else(PoisonError::into_inner).extend(cluster.kinds());
        Ok(cluster)
    }

    /// The first offset there, and the one after the last.
    pub(super) fn watermarks(&self, kind: &Kind, partition: u32) -> Result<(u64, u64), LogError> {
        let (topic, number) = (topic_of(kind)?, i32::try_from(partition).unwrap_or(i32::MAX));
        let until = std::time::Instant::now() + ANSWER;
        loop {
            match self.observer.fetch_watermarks(&topic, number, ANSWER) {
                Ok((low, high)) => {
                    return Ok((
                        u64::try_from(low).unwrap_or_default(),
                        u64::try_from(high).unwrap_or_default(),
                    ));
                }
                // Leaders are being elected: just after a topic was created, or a broker has gone.
                Err(error) if is_passing(&error) && std::time::Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(100));
                    // What the client remembers of the topic may be older than its partitions.
                    self.observer.fetch_metadata(Some(&topic), ANSWER).map_err(of_kafka)?;
                }
                Err(error) => return Err(of_kafka(error)),
            }
        }
    }

    /// Where each partition may begin: what is older and was read by all; and how many entries are before that.
    pub(super) fn removable(
        &self,
        oldest_millis: i64,
        slowest: &Offsets,
    ) -> Result<(TopicPartitionList, u64), LogError> {
        let (mut list, mut n_entries) = (TopicPartitionList::new(), 0);
        for ((kind, partition), slowest) in slowest {
            let (topic, number) = (topic_of(kind)?, i32::try_from(*partition).unwrap_or(i32::MAX));
            let mut times = TopicPartitionList::new();
            times.add_partition_offset(&topic, number, Offset::Offset(oldest_millis)).map_err(of_kafka)?;
            let found = self.observer.offsets_for_times(times, ANSWER).map_err(of_kafka)?;
            let (start, end) = self.watermarks(kind, *partition)?;
            // The first entry that is young enough; the end when none is.
            let young = found.elements().first().and_then(|e| u64::try_from(e.offset().to_raw()?).ok());
            let keep = young.unwrap_or(end).min(*slowest).min(end);
            if keep > start {
                list.add_partition_offset(&topic, number, rdkafka_offset(keep)).map_err(of_kafka)?;
                n_entries += keep - start;
            }
        }
        Ok((list, n_entries))
    }

    /// The client that tells a group's progress.
    pub(super) fn group(&self, group: &str) -> Result<Arc<BaseConsumer>, LogError> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(consumer) = groups.get(group) {
            return Ok(Arc::clone(consumer));
        }
        let consumer: BaseConsumer = self.settings.consumer(group)?.create().map_err(of_kafka)?;
        let consumer = Arc::new(consumer);
        groups.insert(group.to_owned(), Arc::clone(&consumer));
        Ok(consumer)
    }

    /// What it means that nothing could be read; asks for the offsets that are there when one that was wanted is not.
    pub(super) async fn of_read(
        self: &Arc<Self>,
        error: Unreadable,
        partition: u32,
        from: &[(Kind, u64)],
    ) -> LogError {
        let Unreadable::Failed(error) = error else {
            let (shared, from) = (Arc::clone(self), from.to_vec());
            let found = blocking(move || shared.out_of_range(partition, &from)).await;
            // Otherwise it was there again when it was looked for.
            let gone = || LogError::Unavailable("an offset was not there for a moment".into());
            return found.unwrap_or_else(Some).unwrap_or_else(gone);
        };
        self.noted(of_kafka(error))
    }

    fn out_of_range(&self, partition: u32, from: &[(Kind, u64)]) -> Result<Option<LogError>, LogError> {
        for (kind, offset) in from {
            let (start, end) = self.watermarks(kind, partition)?;
            if *offset < start || *offset > end {
                let position = Position { kind: kind.clone(), partition, offset: *offset };
                return Ok(Some(LogError::OutOfRange { position, start, end }));
            }
        }
        Ok(None)
    }

    /// Why the cluster did not answer the last time.
    pub(super) fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn noted(&self, error: LogError) -> LogError {
        if let LogError::Unavailable(why) = &error {
            *self.trouble() = Some(why.clone());
        }
        error
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Callers that went away do not take back what they sent.
        if let Err(error) = self.producer.flush(FLUSH) {
            tracing::warn!(%error, "events were on their way to Kafka when it was closed; they were not acknowledged");
        }
    }
}

/// Questions to the cluster block their thread.
pub(super) async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    tokio::task::spawn_blocking(ask).await.unwrap_or(Err(LogError::Closed))
}
