//! `salus.yaml`: what can be configured, with the embedded defaults.
//!
//! Order of precedence: flag, environment (`SALUS_` and the path of the key, levels joined by `__`), file. Unknown keys are errors
//! that say where they stand.

mod equity_flags;
mod limits;
mod load;
mod not_yet;
mod notify;
mod reference;
mod server_config;
mod stream;

use std::net::SocketAddr;
use std::path::PathBuf;

use gate::Validation;
use search::EquityRules;
use serde::Deserialize;

pub(crate) use limits::LimitsSection;
pub(crate) use load::{ConfigError, environment, load};
use not_yet::NotYet;
pub(crate) use reference::resolve_reference;
pub(crate) use server_config::socket_of;
pub(crate) use stream::{KafkaSection, StreamSection};

/// The whole configuration. Every key is optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Address to serve on.
    pub(crate) listen: SocketAddr,
    /// Folder of the embedded databases.
    pub(crate) data_dir: PathBuf,
    /// URL under which clients reach the server, when it differs from `listen`: behind a proxy, or with TLS and a name.
    pub(crate) public_url: Option<String>,
    /// Certificate and key; needed to listen on anything but this machine.
    pub(crate) tls: Option<TlsSection>,
    /// What is logged, in the form of tracing filters: `info`, `warn,store=debug`.
    pub(crate) log: String,
    /// How the FHIR store treats what it is given.
    pub(crate) fhir: FhirSection,
    /// The resource store.
    pub(crate) store: StoreSection,
    /// Limits of the server.
    pub(crate) limits: LimitsSection,
    cache: Option<NotYet>,
    /// Streams of events.
    pub(crate) stream: StreamSection,
    auth: Option<NotYet>,
    /// Who is told of alerts, and how.
    #[serde(deserialize_with = "notify::read_notify")]
    pub(crate) notify: ::notify::Settings,
    /// Response times, limits of snoozes and silences, inhibition.
    #[serde(deserialize_with = "notify::read_alerts")]
    pub(crate) alerts: ::stream::alert::Settings,
    /// Folder of pipeline files.
    pub(crate) pipelines: PathBuf,
    /// What pipelines may use.
    pub(crate) etl: EtlSection,
    /// Folder of rule files; the rules that come with salus hold without it.
    pub(crate) rules: Option<PathBuf>,
    policies: Option<NotYet>,
    measures: Option<NotYet>,
    views: Option<NotYet>,
}

/// TLS files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSection {
    /// Certificate chain, PEM.
    pub(crate) cert: PathBuf,
    /// Private key, PEM.
    pub(crate) key: PathBuf,
}

/// Rules for what is stored.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FhirSection {
    /// How strictly resources are checked when they are written.
    pub(crate) validation: Level,
    /// Whether references must lead to resources that exist.
    pub(crate) referential_integrity: bool,
    /// What `equity-flag` finds.
    #[serde(deserialize_with = "equity_flags::read")]
    pub(crate) equity_flags: EquityRules,
}

/// Strictness of validation on write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// JSON, type and id only.
    Off,
    /// Elements, types and formats.
    Basic,
    /// Cardinality, codes and reference types too.
    Full,
}

/// Where resources are stored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreSection {
    /// Threads that read; default: by the number of processors.
    pub(crate) readers: Option<usize>,
    postgres: Option<NotYet>,
}

/// What pipelines may use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EtlSection {
    /// Folders, beside its own, whose files a pipeline may read and write.
    pub(crate) roots: Vec<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: PathBuf::from("./salus-data"),
            public_url: None,
            tls: None,
            log: "info".to_owned(),
            fhir: FhirSection::default(),
            store: StoreSection::default(),
            limits: LimitsSection::default(),
            cache: None,
            stream: StreamSection::default(),
            auth: None,
            notify: ::notify::Settings::default(),
            alerts: ::stream::alert::Settings::default(),
            pipelines: PathBuf::from("./pipelines"),
            etl: EtlSection::default(),
            rules: None,
            policies: None,
            measures: None,
            views: None,
        }
    }
}

impl Default for FhirSection {
    fn default() -> Self {
        FhirSection {
            validation: Level::Full,
            referential_integrity: false,
            equity_flags: EquityRules::default(),
        }
    }
}

impl From<Level> for Validation {
    fn from(level: Level) -> Validation {
        match level {
            Level::Off => Validation::Off,
            Level::Basic => Validation::Basic,
            Level::Full => Validation::Full,
        }
    }
}
