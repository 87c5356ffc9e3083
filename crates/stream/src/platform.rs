//! The platform: everything about streams that a server or a command holds, behind one handle.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use db::Database;
use event::Sources;
use fhir::{Clock, Instant};
use gate::{Gate, Matter, Permit};
use keys::KeyRing;
use rules::RuleSet;
use tokio::sync::{Notify, watch};

use crate::alert::{Desk, Policy};
use crate::log::{EmbeddedOptions, EventLog, KafkaSettings};
use crate::process::facts::FactsCache;
use crate::process::identity::Identity;
use crate::process::metrics::Metrics;
use crate::process::publish::Queue;
use crate::process::supervise::{Running, Status};
use crate::rulebook::Book;
use crate::surveillance::SurveillanceConfig;
use crate::{Settings, StreamError};

/// What a platform is opened with.
pub struct PlatformConfig {
    /// The data folder: `stream.db` and `log.db` are made in it.
    pub dir: PathBuf,
    /// The door to the store.
    pub gate: Gate,
    /// Base of FHIR URLs.
    pub fhir_base: String,
    /// Seal what is set aside; without keys it is kept as it came.
    pub keys: Option<Arc<KeyRing>>,
    /// The rules to begin with.
    pub rules: RuleSet,
    /// How alerts are handled, and who is told.
    pub alerts: Policy,
    /// What is configured of those who send.
    pub sources: Sources,
    /// How measures of populations are watched.
    pub surveillance: SurveillanceConfig,
    /// The log in a Kafka cluster; `None` is the log in `log.db`.
    pub kafka: Option<KafkaSettings>,
    /// Limits and policies.
    pub settings: Settings,
}

/// Streams, rules and alerts of a data folder. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Database,
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Option<Arc<KeyRing>>,
    pub(crate) rules: RwLock<Arc<RuleSet>>,
    pub(crate) book: Book,
    pub(crate) settings: Settings,
    pub(crate) alerts: Desk,
    pub(crate) fhir_base: String,
    pub(crate) sources: Arc<Sources>,
    pub(crate) surveillance: Arc<SurveillanceConfig>,
    pub(crate) log: EventLog,
    /// The log does not know duplicates: they are found when events are processed.
    pub(crate) dedups: bool,
    pub(crate) queue: Queue,
    pub(crate) identity: Identity,
    pub(crate) facts: FactsCache,
    pub(crate) metrics: Metrics,
    pub(crate) status: Status,
    /// Where the beat of batches is counted from.
    pub(crate) opened_at: std::time::Instant,
    pub(crate) running: Mutex<Option<Running>>,
    /// Letters were queued, or the platform stops.
    pub(crate) wake: Notify,
    /// Observations were queued.
    pub(crate) write_observations: Notify,
    /// Goes up with each commit that a page could want to show.
    pub(crate) changed: watch::Sender<u64>,
}

impl Platform {
    /// Opens `stream.db` and the log; nothing runs yet.
    ///
    /// # Errors
    /// The file cannot be opened, or the broker does not answer.
    pub async fn open(config: PlatformConfig) -> Result<Platform, StreamError> {
        let db = crate::open(&config.dir.join("stream.db"))?;
        let log = match config.kafka {
            None => Some(crate::open_log(&config.dir.join("log.db"))?),
            Some(_) => None,
        };
        Platform::open_on(db, log, config).await
    }

    /// [`Platform::open`] on files that are open already, by [`crate::database_options`] and, for the embedded log, [`crate::log_options`].
    ///
    /// # Errors
    /// The broker does not answer, or a file cannot be read.
    pub async fn open_on(
        db: Database,
        log: Option<Database>,
        config: PlatformConfig,
    ) -> Result<Platform, StreamError> {
        let PlatformConfig {
            dir: _,
            gate,
            fhir_base,
            keys,
            rules,
            alerts,
            sources,
            surveillance,
            kafka,
            settings,
        } = config;
        let clock = gate.clock();
        let log = open_log(log, kafka, &settings, &clock).await?;
        let (changed, _) = watch::channel(0);
        let alerts = Desk::new(db.clone(), Arc::new(alerts), Arc::clone(&clock), changed.clone());
        let inner = Inner {
            queue: Queue::new(settings.queue_events_max, settings.queue_bytes_max),
            dedups: !matches!(log, EventLog::Embedded(_)),
            rules: RwLock::new(Arc::new(with_quality(rules, &sources))),
            book: Book::default(),
            sources: Arc::new(sources),
            surveillance: Arc::new(surveillance),
            identity: Identity::default(),
            facts: FactsCache::default(),
            metrics: Metrics::default(),
            status: Status::new(Arc::clone(&clock)),
            opened_at: std::time::Instant::now(),
            running: Mutex::default(),
            wake: Notify::new(),
            write_observations: Notify::new(),
            db,
            gate,
            clock,
            keys,
            settings,
            alerts,
            fhir_base,
            log,
            changed,
        };
        let platform = Platform { inner: Arc::new(inner) };
        platform.load_merged().await?;
        Ok(platform)
    }

    /// Begins to work: processes what is in the log, follows the store, writes Observations, keeps the timers of alerts.
    ///
    /// # Errors
    /// It works already.
    pub fn start(&self) -> Result<(), StreamError> {
        let mut running = self.running();
        if running.is_some() {
            return Err(StreamError::Conflict("the streams are at work already".into()));
        }
        *running = Some(Running::start(self));
        Ok(())
    }

    /// Lets the work at hand end, writes what waits and closes the files.
    pub async fn stop(&self) {
        let running = self.running().take();
        if let Some(running) = running {
            running.stop(self).await;
        }
        let (log, db) = (self.inner.log.close().await, self.inner.db.close().await);
        if let Err(error) = log.map_err(|error| self.failed(error)).and(db.map_err(StreamError::Database)) {
            tracing::error!(%error, "streams were not closed in order");
        }
    }

    pub(crate) fn is_started(&self) -> bool {
        self.running().is_some()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log of events.
    pub fn log(&self) -> &EventLog {
        &self.inner.log
    }

    /// How measures of populations are watched.
    pub fn surveillance(&self) -> &Arc<SurveillanceConfig> {
        &self.inner.surveillance
    }

    /// What is configured of those who send.
    pub fn sources(&self) -> &Arc<Sources> {
        &self.inner.sources
    }

    /// The file `stream.db`: one writer, snapshot readers. Whoever writes to it calls [`Platform::tell`] afterwards.
    pub fn database(&self) -> &Database {
        &self.inner.db
    }

    /// The door to the store.
    pub fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// The keys of the data folder, when it has any.
    pub fn keys(&self) -> Option<&Arc<KeyRing>> {
        self.inner.keys.as_ref()
    }

    /// The time, by the gate's clock.
    pub fn now(&self) -> Instant {
        self.inner.clock.now()
    }

    /// The rules as they are now.
    pub fn rules(&self) -> Arc<RuleSet> {
        Arc::clone(&self.inner.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Other rules from now on; states of patients stay.
    pub fn set_rules(&self, rules: RuleSet) {
        let rules = Arc::new(with_quality(rules, &self.inner.sources));
        *self.inner.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        self.tell();
    }

    /// Alerts: what people do with them, and the policy that [`crate::alert::apply`] takes.
    pub fn alerts(&self) -> &Desk {
        &self.inner.alerts
    }

    /// Limits and policies.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// A number that changes when there may be something new to show: events processed, alerts changed. What is new, its tables say.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Says that something was written.
    pub fn tell(&self) {
        self.inner.changed.send_modify(|n| *n = n.wrapping_add(1));
    }
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Platform")
    }
}

/// A permit for one of these matters.
pub(crate) fn must_be(permit: &Permit, matters: &[Matter]) -> Result<(), StreamError> {
    if matters.contains(&permit.matter()) {
        return Ok(());
    }
    // Whoever calls this holds a permit for something else, which is a bug; the data stays closed.
    Err(StreamError::Invalid("the permit is for something else".into()))
}

/// How good events must be is configured with their sources.
pub(crate) fn with_quality(mut rules: RuleSet, sources: &Sources) -> RuleSet {
    if let Some(min) = sources.default.quality_min {
        rules.set_quality_min(min);
    }
    for (name, source) in &sources.named {
        if let Some(min) = source.quality_min {
            rules.set_quality_min_of(name, min);
        }
    }
    rules
}

async fn open_log(
    file: Option<Database>,
    kafka: Option<KafkaSettings>,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<EventLog, StreamError> {
    let opened = match (kafka, file) {
        (Some(kafka), _) => {
            let own = KafkaSettings {
                n_partitions: settings.partitions,
                waiting_bytes_max: settings.queue_bytes_max,
                clock: Arc::clone(clock),
                ..kafka
            };
            EventLog::open_kafka(own).await
        }
        (None, Some(file)) => {
            let options = EmbeddedOptions {
                waiting_bytes_max: settings.queue_bytes_max,
                clock: Arc::clone(clock),
                ..EmbeddedOptions::from(settings.partitions)
            };
            EventLog::open_embedded(file, options).await
        }
        (None, None) => {
            return Err(StreamError::Invalid("there is neither a file for the log nor a broker".into()));
        }
    };
    let log = opened.map_err(|error| StreamError::Unavailable(error.to_string()))?;
    for warning in log.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(log)
}
