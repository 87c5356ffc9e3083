//! The `stream` section: where events are kept, what becomes of them, and how much may wait.

use std::collections::BTreeMap;

use serde::Deserialize;
use stream::Settings;
use stream::log::KafkaSettings;

use super::reference::resolve_reference;

/// Streams of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StreamSection {
    /// Kafka instead of the embedded log.
    pub(crate) kafka: Option<KafkaSection>,
    /// Partitions of a new log.
    partitions: u32,
    /// What becomes of measurements in the FHIR store.
    observations: Observations,
    /// Interval of `downsample`.
    downsample_secs: u32,
    /// What becomes of clinical notes in the FHIR store.
    notes: Notes,
    /// What becomes of social circumstances in the FHIR store.
    social_determinants: Social,
    /// What happens to a patient's further events when one cannot be processed.
    poison: Poison,
    /// Events that may wait to become durable.
    queue_events_max: usize,
    /// Bytes of events that may wait to become durable.
    queue_bytes_max: usize,
    /// Events of one publish.
    publish_events_max: usize,
    /// Events processed in one transaction.
    batch_events_max: usize,
    /// Patients held in memory, for each partition.
    states_max: usize,
    /// For so long an event that is sent again is recognised.
    dedup_days: u32,
    /// For so long events and measurements are kept.
    retention_days: u32,
    /// Events of lower quality are kept and flagged, not alerted on; a source may say otherwise.
    pub(crate) quality_min: f64,
    /// Those who send: units that they do not say, codes of their own, how late is late.
    pub(crate) sources: event::Sources,
    /// The store's change log is a stream.
    follow_store: bool,
    /// How measures of populations are watched.
    pub(crate) surveillance: stream::surveillance::SurveillanceConfig,
    /// HL7 v2 over MLLP.
    pub(crate) mllp: Option<MllpSection>,
}

/// A Kafka cluster.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KafkaSection {
    /// `HOST:PORT` of some brokers.
    brokers: Vec<String>,
    /// Copies of each topic that is created; three, or as many as there are brokers, when absent.
    replicas: Option<u32>,
    /// For so long an append is tried again before it fails.
    #[serde(default = "delivery_secs_max")]
    delivery_secs_max: u32,
    /// Further settings of librdkafka, secrets by reference: `security.protocol`, `sasl.mechanism`, `sasl.username`, `sasl.password`, ...
    #[serde(default)]
    client: BTreeMap<String, String>,
}

fn delivery_secs_max() -> u32 {
    120
}

/// A password may stand among the settings.
impl std::fmt::Debug for KafkaSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KafkaSection({})", self.brokers.join(","))
    }
}

impl KafkaSection {
    /// As the log takes it, with the secrets in place.
    pub(crate) fn settings(&self) -> anyhow::Result<KafkaSettings> {
        anyhow::ensure!(!self.brokers.is_empty(), "`stream.kafka.brokers` names no broker: give `HOST:PORT`");
        let lookup = |name: &str| std::env::var(name).ok();
        // The number of partitions is that of the section around this one.
        let mut settings = KafkaSettings::new(self.brokers.join(","), 1);
        settings.n_replicas = self.replicas;
        settings.delivery_secs_max = self.delivery_secs_max;
        for (name, value) in &self.client {
            settings.client.insert(name.clone(), resolve_reference(value, &lookup)?);
        }
        Ok(settings)
    }
}

/// HL7 v2 over MLLP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MllpSection {
    /// Address to listen on. One that others can reach needs `tls` with `client_ca`, as MLLP has no sign-in.
    pub(crate) listen: std::net::SocketAddr,
    /// TLS instead of plain TCP.
    pub(crate) tls: Option<MllpTlsSection>,
}

/// TLS of HL7 v2.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MllpTlsSection {
    /// Certificate chain, PEM.
    pub(crate) cert: std::path::PathBuf,
    /// Private key, PEM.
    pub(crate) key: std::path::PathBuf,
    /// Authorities of the certificates that senders must show, PEM.
    pub(crate) client_ca: Option<std::path::PathBuf>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Observations {
    All,
    Downsample,
    None,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Notes {
    All,
    WithoutText,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Social {
    All,
    None,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Poison {
    Skip,
    Park,
}

impl Default for StreamSection {
    fn default() -> StreamSection {
        let house = Settings::default();
        StreamSection {
            kafka: None,
            partitions: house.partitions,
            observations: Observations::Downsample,
            downsample_secs: house.downsample_secs,
            notes: Notes::All,
            social_determinants: Social::All,
            poison: Poison::Skip,
            queue_events_max: house.queue_events_max,
            queue_bytes_max: house.queue_bytes_max,
            publish_events_max: house.publish_events_max,
            batch_events_max: house.batch_events_max,
            states_max: house.states_max,
            dedup_days: house.dedup_days,
            retention_days: house.retention_days,
            quality_min: 0.5,
            sources: event::Sources::default(),
            follow_store: house.follow_store,
            surveillance: stream::surveillance::SurveillanceConfig::default(),
            mllp: None,
        }
    }
}

impl StreamSection {
    /// The platform's part.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            partitions: self.partitions,
            observations: match self.observations {
                Observations::All => stream::Observations::All,
                Observations::Downsample => stream::Observations::Downsample,
                Observations::None => stream::Observations::None,
            },
            downsample_secs: self.downsample_secs,
            notes: match self.notes {
                Notes::All => stream::Notes::All,
                Notes::WithoutText => stream::Notes::WithoutText,
                Notes::None => stream::Notes::None,
            },
            social: self.social_determinants == Social::All,
            poison: match self.poison {
                Poison::Skip => stream::Poison::Skip,
                Poison::Park => stream::Poison::Park,
            },
            queue_events_max: self.queue_events_max,
            queue_bytes_max: self.queue_bytes_max,
            publish_events_max: self.publish_events_max,
            batch_events_max: self.batch_events_max,
            states_max: self.states_max,
            dedup_days: self.dedup_days,
            retention_days: self.retention_days,
            follow_store: self.follow_store,
            ..Settings::default()
        }
    }
}
