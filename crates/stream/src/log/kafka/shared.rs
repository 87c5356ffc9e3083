//! What clones of the log share: clients, what is known of the cluster, questions to it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use event::Kind;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::ear::Ear;
use super::failure::{is_passing, of_kafka};
use super::reader::{Readers, Unreadable};
use super::topics::{self, Admin, Cluster};
use super::{KafkaSettings, rdkafka_offset};
use crate::log::budget::Budget;
use crate::log::{LogError, Offsets, Position, topic_of};

/// How long the cluster may take to answer a question.
const ANSWER: Duration = Duration::from_secs(20);
/// How long topics that were created may take to be known to every broker: elections take their time on a busy cluster.
const APPEAR: Duration = Duration::from_secs(60);
/// How long it is waited for at once: what was heard meanwhile may say that waiting is in vain.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often topics that seem to be set wrongly are looked at, and how long after.
const LOOKS: u32 = 4;
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long what is on its way may take when the log is dropped.
const FLUSH: Duration = Duration::from_secs(5);

pub(super) struct Shared {
    pub(super) settings: KafkaSettings,
    pub(super) producer: FutureProducer<Ear>,
    /// What the producer says of its connections; it connects by itself.
    ear: Ear,
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
    trouble: Mutex<Option<LogError>>,
}

impl Shared {
    pub(super) fn new(settings: KafkaSettings) -> Result<Shared, LogError> {
        let ear = Ear::default();
        let producer: FutureProducer<Ear> =
            settings.producer()?.create_with_context(ear.clone()).map_err(of_kafka)?;
        let admin: Admin = settings.client()?.create().map_err(of_kafka)?;
        let observer: BaseConsumer = settings.consumer("salus")?.create().map_err(of_kafka)?;
        Ok(Shared {
            producer,
            ear,
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
        let until = std::time::Instant::now() + APPEAR;
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
        let (observer, ear) = (Arc::clone(&self.observer), self.ear.clone());
        let cluster = blocking(move || ask(&observer, &ear)).await.map_err(|error| self.noted(error))?;
        self.ear.is_let_in();
        self.kinds.write().unwrap_or_else(PoisonError::into_inner).extend(cluster.kinds());
        Ok(cluster)
    }

    /// What of the topics could lose an acknowledged event. A broker that has not heard of the settings of a new topic yet tells the defaults, so what
    /// seems wrong is looked at again.
    pub(super) async fn warnings(&self) -> Result<Vec<String>, LogError> {
        let mut warnings = Vec::new();
        for _ in 0..LOOKS {
            warnings = self.look().await?.warnings(&self.admin).await?;
            if warnings.is_empty() {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(warnings)
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

    /// The cluster did what was asked.
    pub(super) fn well(&self) {
        *self.trouble() = None;
        self.ear.is_let_in();
    }

    /// Why an append was not acknowledged, as far as is known: who is not there, and how many copies are.
    pub(super) async fn of_append(&self, error: LogError, kinds: BTreeSet<Kind>) -> LogError {
        let LogError::Unavailable(what) = error else { return self.noted(error) };
        let observer = Arc::clone(&self.observer);
        let ask = move || {
            for kind in &kinds {
                let metadata = observer.fetch_metadata(Some(&topic_of(kind)?), PATIENCE).map_err(of_kafka)?;
                if let Some(missing) = topics::missing_copies(&metadata) {
                    return Ok(Some(missing));
                }
            }
            Ok(None)
        };
        let what = match blocking(ask).await {
            Ok(Some(missing)) => format!("{what}; {missing}"),
            // Whoever does not answer this either is named below.
            Ok(None) | Err(_) => what,
        };
        self.noted(LogError::Unavailable(what))
    }

    /// Why the cluster did not answer the last time.
    fn trouble(&self) -> MutexGuard<'_, Option<LogError>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the cluster did not answer the last time, if it did not.
    pub(super) fn failure(&self) -> Option<LogError> {
        self.trouble().clone()
    }

    pub(super) fn noted(&self, error: LogError) -> LogError {
        let error = self.ear.explain(error);
        if is_of_connection(&error) {
            *self.trouble() = Some(error.clone());
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

fn is_of_connection(error: &LogError) -> bool {
    matches!(error, LogError::Unavailable(_) | LogError::KafkaSignIn(_) | LogError::KafkaTls(_))
}

/// Asks what there is. A broker that refuses us is not asked again and again.
fn ask(observer: &BaseConsumer, ear: &Ear) -> Result<Cluster, LogError> {
    let until = std::time::Instant::now() + ANSWER;
    loop {
        let error = match observer.fetch_metadata(None, PATIENCE) {
            Ok(metadata) => return Ok(Cluster::of(&metadata)),
            Err(error) => of_kafka(error),
        };
        let is_passing = matches!(ear.explain(error.clone()), LogError::Unavailable(_));
        if !is_passing || std::time::Instant::now() > until {
            return Err(error);
        }
        // An error can come at once.
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Questions to the cluster block their thread.
pub(super) async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    tokio::task::spawn_blocking(ask).await.unwrap_or(Err(LogError::Closed))
}
