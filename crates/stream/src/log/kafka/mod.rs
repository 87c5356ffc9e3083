//! The log in Apache Kafka. Offsets are not kept there: they live in `stream.db`, with the effects of what was processed.

mod ear;
mod failure;
mod message;
mod reader;
mod settings;
mod shared;
mod topics;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use event::Kind;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::DeliveryFuture;
use rdkafka::{Offset, TopicPartitionList};

use super::{
    Append, Appended, Ends, Entry, FetchLimits, LogError, Novelty, Offsets, Position, Removed, Retention,
    topic_of,
};
use failure::{code_of, of_kafka};
pub use settings::KafkaSettings;
use shared::{Shared, blocking};

/// How long a fetch waits for the broker's first answer.
const FETCH_WAIT: Duration = Duration::from_millis(500);

/// The kinds that have a topic from the beginning.
const KINDS: [Kind; 8] = [
    Kind::VitalSigns,
    Kind::LabResults,
    Kind::MedicationOrders,
    Kind::ClinicalNotes,
    Kind::PopulationHealth,
    Kind::DeviceData,
    Kind::SocialDeterminants,
    Kind::FhirChange,
];

/// The log in a Kafka cluster; clones are the same log.
#[derive(Clone)]
pub struct Kafka {
    shared: Arc<Shared>,
    warnings: Arc<[String]>,
}

impl Kafka {
    pub(super) async fn open(settings: KafkaSettings) -> Result<Kafka, LogError> {
        let shared = Shared::new(settings)?;
        shared.ensure(&KINDS).await?;
        let mut warnings = shared.settings.warnings();
        warnings.extend(shared.warnings().await?);
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        Ok(Kafka { shared: Arc::new(shared), warnings: warnings.into() })
    }

    pub(super) fn partitions(&self) -> u32 {
        self.shared.settings.n_partitions
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(super) async fn append(&self, entries: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        let _permit = self.shared.budget.take(&entries)?;
        let kinds: BTreeSet<Kind> = entries.iter().map(|entry| entry.kind.clone()).collect();
        if !self.shared.knows(kinds.iter()) {
            self.shared.ensure(&kinds.iter().cloned().collect::<Vec<_>>()).await?;
        }
        let mut deliveries = Vec::with_capacity(entries.len());
        let mut failure = None;
        for entry in &entries {
            match self.send(entry) {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let mut appended = Vec::with_capacity(entries.len());
        // All of them are waited for: who is told of a failure may send again at once, in order.
        for (entry, delivery) in entries.into_iter().zip(deliveries) {
            match delivery.await {
                Ok(Ok(delivered)) => {
                    let partition = u32::try_from(delivered.partition).unwrap_or_default();
                    let offset = u64::try_from(delivered.offset).unwrap_or_default();
                    let position = Position { kind: entry.kind, partition, offset };
                    appended.push(Appended { position, novelty: Novelty::Unknown });
                }
                Ok(Err((error, _))) => failure = Some(of_kafka(error)),
                Err(_) => failure = Some(LogError::Closed),
            }
        }
        match failure {
            Some(error) => Err(self.shared.of_append(error, kinds).await),
            None => {
                self.shared.well();
                Ok(appended)
            }
        }
    }

    fn send(&self, entry: &Append) -> Result<DeliveryFuture, LogError> {
        let topic = topic_of(&entry.kind)?;
        let partition = event::partition_of(&entry.key, self.partitions());
        let record = message::message_of(&topic, partition, entry, self.shared.settings.clock.now());
        self.shared.producer.send_result(record).map_err(|(error, _)| match code_of(&error) {
            Some(RDKafkaErrorCode::QueueFull) => {
                LogError::Full { bytes_max: self.shared.settings.waiting_bytes_max }
            }
            _ => of_kafka(error),
        })
    }

    pub(super) async fn fetch(
        &self,
        partition: u32,
        from: &[(Kind, u64)],
        limits: FetchLimits,
    ) -> Result<Vec<Entry>, LogError> {
        let from = self.readable(partition, from).await?;
        if from.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = self.shared.readers.take(&self.shared.settings, partition, &from)?;
        match reader.wait(FETCH_WAIT).await {
            Ok(is_ready) => {
                let entries = if is_ready { reader.read(limits).await } else { Vec::new() };
                if !entries.is_empty() {
                    self.shared.well();
                }
                self.shared.readers.put(reader);
                Ok(entries)
            }
            Err(error) => Err(self.shared.of_read(error, partition, &from).await),
        }
    }

    pub(super) async fn wait(
        &self,
        partition: u32,
        from: &[(Kind, u64)],
        timeout: Duration,
    ) -> Result<bool, LogError> {
        let from = self.readable(partition, from).await?;
        if from.is_empty() {
            // A topic that somebody else creates is seen by the next call.
            tokio::time::sleep(timeout).await;
            return Ok(false);
        }
        let mut reader = self.shared.readers.take(&self.shared.settings, partition, &from)?;
        match reader.wait(timeout).await {
            Ok(is_ready) => {
                self.shared.readers.put(reader);
                Ok(is_ready)
            }
            Err(error) => Err(self.shared.of_read(error, partition, &from).await),
        }
    }

    /// Those of the kinds that have a topic.
    async fn readable(&self, partition: u32, from: &[(Kind, u64)]) -> Result<Vec<(Kind, u64)>, LogError> {
        let n_partitions = self.partitions();
        if partition >= n_partitions {
            return Err(LogError::NoPartition { partition, n_partitions });
        }
        if !self.shared.knows(from.iter().map(|(kind, _)| kind)) {
            self.shared.look().await?;
        }
        let known = self.shared.known_kinds();
        Ok(from.iter().filter(|(kind, _)| known.contains(kind)).cloned().collect())
    }

    pub(super) async fn ends(&self) -> Result<Vec<Ends>, LogError> {
        self.shared.look().await?;
        let shared = Arc::clone(&self.shared);
        let ask = move || {
            let mut ends = Vec::new();
            for kind in shared.known_kinds() {
                for partition in 0..shared.settings.n_partitions {
                    let (start, end) = shared.watermarks(&kind, partition)?;
                    // A partition that was never written to is not told of.
                    if end > 0 {
                        ends.push(Ends { kind: kind.clone(), partition, start, end });
                    }
                }
            }
            Ok(ends)
        };
        blocking(ask).await
    }

    pub(super) async fn retain(&self, retention: Retention, slowest: &Offsets) -> Result<Removed, LogError> {
        if retention.partition_bytes_max.is_some() {
            return Err(LogError::NotWithKafka { what: "a limit on the bytes of a partition" });
        }
        let Some(age_secs) = retention.age_secs_max else { return Ok(Removed::default()) };
        let age_micros = i64::try_from(age_secs).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let oldest_millis = self.shared.settings.clock.now().0.saturating_sub(age_micros).max(0) / 1000;
        let (shared, slowest) = (Arc::clone(&self.shared), slowest.clone());
        let (list, n_entries) = blocking(move || shared.removable(oldest_millis, &slowest)).await?;
        if list.count() > 0 {
            let removed =
                self.shared.admin.delete_records(&list, &topics::options()).await.map_err(of_kafka)?;
            for element in removed.elements() {
                element.error().map_err(of_kafka)?;
            }
        }
        Ok(Removed { n_entries })
    }

    pub(super) async fn tell_progress(&self, group: &str, offsets: &Offsets) -> Result<(), LogError> {
        let consumer = self.shared.group(group)?;
        let mut list = TopicPartitionList::new();
        for ((kind, partition), offset) in offsets {
            let partition = i32::try_from(*partition).unwrap_or(i32::MAX);
            list.add_partition_offset(&topic_of(kind)?, partition, rdkafka_offset(*offset))
                .map_err(of_kafka)?;
        }
        blocking(move || consumer.commit(&list, CommitMode::Sync).map_err(of_kafka)).await
    }

    pub(super) fn failure(&self) -> Option<LogError> {
        self.shared.failure()
    }
}

fn rdkafka_offset(offset: u64) -> Offset {
    Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX))
}
