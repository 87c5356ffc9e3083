//! How a Kafka cluster is reached. What decides about durability and order is set here and cannot be configured away.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use db::SystemClock;
use fhir::Clock;
use rdkafka::ClientConfig;

use crate::log::LogError;

/// Settings of librdkafka that are ours: with others, an acknowledged event could be lost, or a patient's order.
const OURS: [&str; 22] = [
    "acks",
    "request.required.acks",
    "enable.idempotence",
    "enable.gapless.guarantee",
    "transactional.id",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "retries",
    "message.send.max.retries",
    "queuing.strategy",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "partitioner",
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "isolation.level",
    "enable.partition.eof",
    "check.crcs",
];

/// A Kafka cluster. Begin with [`KafkaSettings::new`] and change what differs.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `HOST:PORT` of some brokers, separated by commas.
    pub bootstrap_servers: String,
    /// Partitions of each topic that is created; topics that exist must have as many.
    pub n_partitions: u32,
    /// Copies of each topic that is created; `None` is three, or as many as there are brokers.
    pub n_replicas: Option<u32>,
    /// For so long an append is tried again before it fails.
    pub delivery_secs_max: u32,
    /// Bytes that may wait to be acknowledged; then [`LogError::Full`].
    pub waiting_bytes_max: usize,
    /// Further settings of librdkafka, as they are: `security.protocol`, `sasl.mechanism`, `sasl.username`, `sasl.password`, `ssl.ca.location`, ...
    pub client: BTreeMap<String, String>,
    /// Tells when an entry was appended.
    pub clock: Arc<dyn Clock>,
}

impl KafkaSettings {
    /// A cluster without encryption or sign-in.
    pub fn new(bootstrap_servers: impl Into<String>, n_partitions: u32) -> KafkaSettings {
        KafkaSettings {
            bootstrap_servers: bootstrap_servers.into(),
            n_partitions,
            n_replicas: None,
            delivery_secs_max: 120,
            waiting_bytes_max: 64 * 1024 * 1024,
            client: BTreeMap::new(),
            clock: Arc::new(SystemClock),
        }
    }

    /// What producer, consumers and administration have in common.
    pub(super) fn client(&self) -> Result<ClientConfig, LogError> {
        let mut config = ClientConfig::new();
        // A broker that comes back is found again within seconds.
        config
            .set("client.id", "salus")
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "2000");
        let protocol = self.protocol();
        for (name, value) in &self.client {
            if OURS.contains(&name.as_str()) {
                return Err(LogError::KafkaSetting { name: name.clone() });
            }
            if needs_tls(name, value) && !cfg!(feature = "kafka-tls") {
                return Err(LogError::TlsNotBuilt { name: name.clone() });
            }
            if let Some(part) = needs_protocol(name).filter(|part| !protocol.contains(part)) {
                return Err(LogError::KafkaProtocol { name: name.clone(), protocol, part });
            }
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.bootstrap_servers);
        Ok(config)
    }

    /// As librdkafka reads it: what is not configured is in the clear.
    fn protocol(&self) -> String {
        self.client
            .get("security.protocol")
            .map_or("plaintext".to_owned(), |value| value.to_ascii_lowercase())
    }

    /// What of it an operator should think about again.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.protocol() == "sasl_plaintext" {
            warnings.push("events go to Kafka in the clear, with `PLAIN` the password too: set `security.protocol` to `sasl_ssl`".into());
        }
        for (name, off) in [
            ("enable.ssl.certificate.verification", "false"),
            ("ssl.endpoint.identification.algorithm", "none"),
        ] {
            if self.client.get(name).is_some_and(|value| value.eq_ignore_ascii_case(off)) {
                warnings
                    .push(format!("`{name}` is `{off}`: whoever answers is taken for the broker; remove it"));
            }
        }
        warnings
    }

    /// The producer's: what was acknowledged was written once, in order, to all replicas that are in step.
    pub(super) fn producer(&self) -> Result<ClientConfig, LogError> {
        let mut config = self.client()?;
        // What it says of its connections is heard.
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Info);
        let timeout_millis = u64::from(self.delivery_secs_max.max(1)) * 1000;
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", timeout_millis.to_string())
            .set("retry.backoff.ms", "100")
            .set("retry.backoff.max.ms", "1000")
            .set("message.max.bytes", "1048576")
            .set("queue.buffering.max.messages", "500000")
            .set(
                "queue.buffering.max.kbytes",
                (self.waiting_bytes_max / 512).clamp(1024, 2_097_151).to_string(),
            );
        // Entries that wait go along in one request; nobody waits longer than this for others.
        if !self.client.contains_key("linger.ms") {
            config.set("linger.ms", "1");
        }
        if !self.client.contains_key("compression.type") {
            config.set("compression.type", "zstd");
        }
        Ok(config)
    }

    /// A reader's: it begins where it is told, sees what is committed, and tells when that is not there.
    pub(super) fn consumer(&self, group: &str) -> Result<ClientConfig, LogError> {
        let mut config = self.client()?;
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", "100")
            .set("queued.min.messages", "10000")
            .set("queued.max.messages.kbytes", "8192");
        Ok(config)
    }
}

/// Whether librdkafka needs TLS for a setting. SASL without TLS is there for `PLAIN` alone.
fn needs_tls(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name {
        "security.protocol" => value.contains("ssl"),
        "sasl.mechanism" | "sasl.mechanisms" => value != "plain",
        name => needs_protocol(name) == Some("ssl") || name.starts_with("sasl.oauthbearer."),
    }
}

/// The part that `security.protocol` must have for a setting to be used at all.
fn needs_protocol(name: &str) -> Option<&'static str> {
    match name {
        name if name.starts_with("sasl.") => Some("sasl"),
        name if name.starts_with("ssl.") || name.starts_with("enable.ssl.") => Some("ssl"),
        _ => None,
    }
}

/// Passwords do not print.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.client.keys().collect();
        write!(f, "KafkaSettings({} {names:?})", self.bootstrap_servers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(client: &[(&str, &str)]) -> Result<(), LogError> {
        let mut settings = KafkaSettings::new("127.0.0.1:9092", 4);
        settings.client = client.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        settings.producer()?;
        settings.consumer("g").map(drop)
    }

    #[test]
    fn durability_cannot_be_configured_away() {
        for name in OURS {
            assert!(matches!(check(&[(name, "1")]), Err(LogError::KafkaSetting { .. })), "{name}");
        }
    }

    #[test]
    fn tls_is_there_or_is_said_to_be_missing() {
        let expected = cfg!(feature = "kafka-tls");
        for client in [
            &[("security.protocol", "SSL")][..],
            &[("security.protocol", "sasl_ssl")],
            &[("security.protocol", "ssl"), ("ssl.ca.location", "/etc/ca.pem")],
            &[("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "SCRAM-SHA-512")],
        ] {
            let result = check(client);
            assert_eq!(result.is_ok(), expected, "{client:?}");
            if let Err(error) = result {
                assert!(error.to_string().contains("kafka-tls"), "{error}");
            }
        }
        check(&[("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "PLAIN")]).unwrap();
    }

    /// librdkafka takes them without a word, and speaks in the clear.
    #[test]
    fn what_would_have_no_effect_is_refused() {
        for client in [
            &[("sasl.password", "correct horse")][..],
            &[("sasl.username", "salus"), ("security.protocol", "plaintext")],
            &[("sasl.mechanism", "PLAIN")],
        ] {
            let error = check(client).unwrap_err();
            assert!(matches!(error, LogError::KafkaProtocol { .. }), "{error}");
            assert!(
                error.to_string().contains(client[0].0) && !error.to_string().contains("horse"),
                "{error}"
            );
        }
        let error = check(&[("ssl.ca.location", "/etc/ca.pem")]).unwrap_err();
        assert!(error.to_string().contains("ssl.ca.location"), "{error}");
    }

    #[test]
    fn passwords_do_not_print() {
        let mut settings = KafkaSettings::new("127.0.0.1:9092", 4);
        settings.client.insert("sasl.password".into(), "correct horse".into());
        assert_eq!(format!("{settings:?}"), "KafkaSettings(127.0.0.1:9092 [\"sasl.password\"])");
    }

    #[test]
    fn a_setting_that_is_written_wrongly_is_named_without_its_value() {
        let mut settings = KafkaSettings::new("127.0.0.1:9092", 4);
        settings.client.insert("sasl_password".into(), "correct horse".into());
        let created = settings.producer().unwrap().create::<rdkafka::producer::FutureProducer>();
        let error = super::super::failure::of_kafka(created.err().unwrap()).to_string();
        assert!(error.contains("`sasl_password`") && !error.contains("horse"), "{error}");
    }

    #[test]
    fn what_is_not_safe_is_warned_of() {
        let mut settings = KafkaSettings::new("127.0.0.1:9092", 4);
        assert!(settings.warnings().is_empty());
        settings.client.insert("security.protocol".into(), "SASL_PLAINTEXT".into());
        settings.client.insert("enable.ssl.certificate.verification".into(), "false".into());
        assert_eq!(settings.warnings().len(), 2, "{:?}", settings.warnings());
    }
}
