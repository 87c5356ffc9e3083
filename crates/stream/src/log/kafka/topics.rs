//! Topics: created with what keeps acknowledged events, and looked at where somebody else created them.

use std::collections::BTreeMap;
use std::time::Duration;

use event::Kind;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

use super::KafkaSettings;
use super::failure::of_kafka;
use crate::log::{LogError, TOPIC_PREFIX, topic_of};

/// How long the cluster may take to answer.
const ANSWER_SECS_MAX: u64 = 20;

pub(super) type Admin = AdminClient<DefaultClientContext>;

/// What is known of the cluster.
pub(super) struct Cluster {
    n_brokers: usize,
    /// Our topics, with the number of their partitions and of their copies.
    topics: BTreeMap<String, (usize, usize)>,
}

impl Cluster {
    pub(super) fn of(metadata: &Metadata) -> Cluster {
        let ours =
            metadata.topics().iter().filter(|t| t.name().starts_with(TOPIC_PREFIX) && t.error().is_none());
        let topics = ours.map(|topic| {
            let n_replicas = topic.partitions().iter().map(|p| p.replicas().len()).min().unwrap_or(0);
            (topic.name().to_owned(), (topic.partitions().len(), n_replicas))
        });
        Cluster { n_brokers: metadata.brokers().len(), topics: topics.collect() }
    }

    /// The kinds that have a topic.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.topics.keys().filter_map(|name| Some(Kind::named(name.strip_prefix(TOPIC_PREFIX)?)))
    }

    /// Whether all of these have a topic with all of its partitions.
    pub(super) fn has(&self, kinds: &[Kind], n_partitions: u32) -> Result<bool, LogError> {
        for kind in kinds {
            let n = self.topics.get(&topic_of(kind)?).map_or(0, |(n, _)| *n);
            if u32::try_from(n) != Ok(n_partitions) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Creates what is missing and compares what is there.
    pub(super) async fn ensure(
        &self,
        admin: &Admin,
        settings: &KafkaSettings,
        kinds: &[Kind],
    ) -> Result<(), LogError> {
        let mut missing = Vec::new();
        for kind in kinds {
            let name = topic_of(kind)?;
            match self.topics.get(&name) {
                // A topic that is being created has no partitions for a moment.
                None | Some((0, _)) => missing.push(name),
                Some((stored, _)) => check_partitions(*stored, settings.n_partitions)?,
            }
        }
        create(admin, settings, self.n_brokers, &missing).await
    }

    /// What of the topics that are there could lose an acknowledged event.
    pub(super) async fn warnings(&self, admin: &Admin) -> Result<Vec<String>, LogError> {
        let names: Vec<_> = self.topics.keys().map(|name| ResourceSpecifier::Topic(name)).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let described = admin.describe_configs(&names, &options()).await.map_err(of_kafka)?;
        let mut warnings = Vec::new();
        for ((name, (_, n_replicas)), described) in self.topics.iter().zip(described) {
            let Ok(described) = described else { continue };
            let number =
                |key| described.get(key).and_then(|entry| entry.value.as_deref()?.parse::<i64>().ok());
            if *n_replicas < 2 && number("flush.messages") != Some(1) {
                warnings.push(format!(
                    "the topic `{name}` has one copy and is not synced before it is acknowledged: an event can be lost when the \
                     broker's machine fails; set `flush.messages=1` on it, or use three brokers"
                ));
            }
            if *n_replicas >= 2 && number("min.insync.replicas").unwrap_or(1) < 2 {
                warnings.push(format!(
                    "the topic `{name}` acknowledges with one copy when the other brokers are away: set `min.insync.replicas=2` on it"
                ));
            }
        }
        Ok(warnings)
    }
}

/// Says which topic has partitions that cannot take what must be in two copies.
pub(super) fn missing_copies(metadata: &Metadata) -> Option<String> {
    metadata.topics().iter().find_map(|topic| {
        let partitions = || topic.partitions().iter();
        let n_without = partitions().filter(|p| p.leader() < 0).count();
        let n_alone = partitions().filter(|p| p.replicas().len() >= 2 && p.isr().len() < 2).count();
        let n = partitions().count();
        let what = match (n_without, n_alone) {
            (0, 0) => return None,
            (0, n_alone) => format!("{n_alone} of {n} partitions have one copy in step, and need two"),
            (n_without, _) => format!("{n_without} of {n} partitions have no broker that leads them"),
        };
        Some(format!("of `{}`, {what}", topic.name()))
    })
}

fn check_partitions(stored: usize, asked: u32) -> Result<(), LogError> {
    let stored = u32::try_from(stored).unwrap_or(u32::MAX);
    if stored == asked { Ok(()) } else { Err(LogError::Partitions { stored, asked }) }
}

async fn create(
    admin: &Admin,
    settings: &KafkaSettings,
    n_brokers: usize,
    names: &[String],
) -> Result<(), LogError> {
    if names.is_empty() {
        return Ok(());
    }
    let n_brokers = i32::try_from(n_brokers).unwrap_or(i32::MAX).max(1);
    let n_replicas = settings.n_replicas.and_then(|n| i32::try_from(n).ok()).unwrap_or(n_brokers.min(3));
    let n_partitions = i32::try_from(settings.n_partitions).unwrap_or(i32::MAX);
    let new = names.iter().map(|name| {
        let topic = NewTopic::new(name, n_partitions, TopicReplication::Fixed(n_replicas))
            // What is removed, and when, is decided by what was processed.
            .set("cleanup.policy", "delete")
            .set("retention.ms", "-1")
            .set("retention.bytes", "-1");
        // One copy is only as safe as its disk: it is synced first. Two of three are not lost together.
        if n_replicas >= 2 { topic.set("min.insync.replicas", "2") } else { topic.set("flush.messages", "1") }
    });
    let new: Vec<NewTopic<'_>> = new.collect();
    for created in admin.create_topics(&new, &options()).await.map_err(of_kafka)? {
        match created {
            // Another server of ours was faster.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                return Err(LogError::Kafka(format!("the topic `{name}` cannot be created: {code}")));
            }
        }
    }
    Ok(())
}

pub(super) fn options() -> AdminOptions {
    let time = Duration::from_secs(ANSWER_SECS_MAX);
    AdminOptions::new().operation_timeout(Some(time)).request_timeout(Some(time))
}
