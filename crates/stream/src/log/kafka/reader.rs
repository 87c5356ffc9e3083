//! Readers of partitions. A call says from where it wants to read; a reader that stands there is taken from those that are idle, or one is sent there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use event::Kind;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::failure::{code_of, is_passing, of_kafka};
use super::message::entry_of;
use super::{KafkaSettings, rdkafka_offset};
use crate::log::{Entry, FetchLimits, LogError, topic_of};

/// The group that readers name; they assign themselves, and it never has members.
const GROUP: &str = "salus";
/// Idle readers of one partition at most: one that follows, one that replays.
const IDLE_MAX: usize = 2;

/// Readers that nobody uses just now.
#[derive(Default)]
pub(super) struct Readers {
    idle: Mutex<Vec<Reader>>,
}

/// Stands in one partition of several topics.
pub(super) struct Reader {
    consumer: StreamConsumer,
    partition: u32,
    /// What comes next of each kind, after what is in `ready`.
    next: BTreeMap<Kind, u64>,
    ready: VecDeque<Entry>,
}

/// What became of waiting for a message.
enum Received {
    Entry,
    Nothing,
    /// An offset that was asked for is not there.
    OutOfRange,
}

/// Why nothing could be read.
pub(super) enum Unreadable {
    /// An offset that was asked for is not there.
    OutOfRange,
    Failed(KafkaError),
}

impl Readers {
    /// A reader that stands at `from`.
    pub(super) fn take(
        &self,
        settings: &KafkaSettings,
        partition: u32,
        from: &[(Kind, u64)],
    ) -> Result<Reader, LogError> {
        let from: BTreeMap<Kind, u64> = from.iter().cloned().collect();
        let oldest = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(index) = idle.iter().position(|r| r.partition == partition && r.stands_at(&from)) {
                return Ok(idle.remove(index));
            }
            let here: Vec<usize> =
                (0..idle.len()).filter(|index| idle[*index].partition == partition).collect();
            // The one that was put back first is missed least.
            (here.len() >= IDLE_MAX).then(|| idle.remove(here[0]))
        };
        let mut reader = match oldest {
            Some(reader) => reader,
            None => Reader::open(settings, partition)?,
        };
        reader.go_to(from)?;
        Ok(reader)
    }

    /// Puts it back for the next call.
    pub(super) fn put(&self, reader: Reader) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
    }
}

impl Reader {
    fn open(settings: &KafkaSettings, partition: u32) -> Result<Reader, LogError> {
        let consumer = settings.consumer(GROUP)?.create().map_err(of_kafka)?;
        Ok(Reader { consumer, partition, next: BTreeMap::new(), ready: VecDeque::new() })
    }

    fn stands_at(&self, from: &BTreeMap<Kind, u64>) -> bool {
        let mut at = self.next.clone();
        for entry in self.ready.iter().rev() {
            at.insert(entry.position.kind.clone(), entry.position.offset);
        }
        at == *from
    }

    fn go_to(&mut self, from: BTreeMap<Kind, u64>) -> Result<(), LogError> {
        let partition = i32::try_from(self.partition).unwrap_or(i32::MAX);
        let mut list = TopicPartitionList::new();
        for (kind, offset) in &from {
            list.add_partition_offset(&topic_of(kind)?, partition, rdkafka_offset(*offset))
                .map_err(of_kafka)?;
        }
        self.ready.clear();
        self.consumer.assign(&list).map_err(of_kafka)?;
        self.next = from;
        Ok(())
    }

    /// Waits until something is ready; false when nothing came in time.
    pub(super) async fn wait(&mut self, timeout: Duration) -> Result<bool, Unreadable> {
        let until = Instant::now() + timeout;
        while self.ready.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            match self.receive(left).await.map_err(Unreadable::Failed)? {
                Received::OutOfRange => return Err(Unreadable::OutOfRange),
                Received::Nothing if left.is_zero() => return Ok(false),
                Received::Nothing | Received::Entry => {}
            }
        }
        Ok(true)
    }

    /// What is ready, and what the client has fetched meanwhile, up to the limits.
    pub(super) async fn read(&mut self, limits: FetchLimits) -> Vec<Entry> {
        // Errors of what comes later belong to the next call: they come again.
        while self.ready.len() < limits.n_max
            && matches!(self.receive(Duration::ZERO).await, Ok(Received::Entry))
        {}
        self.merge();
        let (mut entries, mut n_bytes) = (Vec::new(), 0);
        while entries.len() < limits.n_max
            && let Some(entry) = self.ready.front()
        {
            n_bytes += entry.append.n_bytes();
            if n_bytes > limits.bytes_max && !entries.is_empty() {
                break;
            }
            entries.extend(self.ready.pop_front());
        }
        entries
    }

    /// Orders what is ready by time, and never against the order within a topic.
    fn merge(&mut self) {
        let mut latest: BTreeMap<Kind, i64> = BTreeMap::new();
        let keyed = self.ready.drain(..).map(|entry| {
            let latest = latest.entry(entry.position.kind.clone()).or_insert(i64::MIN);
            *latest = (*latest).max(entry.appended_at.0);
            (*latest, entry)
        });
        let mut keyed: Vec<(i64, Entry)> = keyed.collect();
        keyed.sort_by_key(|(at, _)| *at);
        self.ready.extend(keyed.into_iter().map(|(_, entry)| entry));
    }

    async fn receive(&mut self, timeout: Duration) -> Result<Received, KafkaError> {
        let Ok(received) = tokio::time::timeout(timeout, self.consumer.recv()).await else {
            return Ok(Received::Nothing);
        };
        let entry = match received {
            Ok(message) => entry_of(&message),
            Err(error) => return outcome_of(error),
        };
        let is_next =
            |e: &Entry| self.next.get(&e.position.kind).is_some_and(|next| e.position.offset >= *next);
        // What was on its way when the reader was sent elsewhere is not wanted.
        let Some(entry) = entry.filter(is_next) else { return Ok(Received::Nothing) };
        self.next.insert(entry.position.kind.clone(), entry.position.offset + 1);
        self.ready.push_back(entry);
        Ok(Received::Entry)
    }
}

/// A broker that is away is waited for; the client looks for it by itself.
fn outcome_of(error: KafkaError) -> Result<Received, KafkaError> {
    match code_of(&error) {
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
            Ok(Received::OutOfRange)
        }
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::Resolve,
        ) => {
            tracing::debug!(%error, "a reader of Kafka waits");
            Ok(Received::Nothing)
        }
        _ if is_passing(&error) => Ok(Received::Nothing),
        _ => Err(error),
    }
}
