//! The platform: everything about streams that a server or a command holds, behind one handle.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use db::Database;
use fhir::{Clock, Instant};
use gate::Gate;
use keys::KeyRing;
use rules::RuleSet;
use tokio::sync::watch;

use crate::alert::{Desk, Policy};
use crate::{Settings, StreamError};

/// What a platform is opened with.
pub struct PlatformConfig {
    /// The data folder: `stream.db` is made in it.
    pub dir: PathBuf,
    /// The door to the store.
    pub gate: Gate,
    /// Seal what is set aside; without keys it is kept as it came.
    pub keys: Option<Arc<KeyRing>>,
    /// The rules to begin with.
    pub rules: RuleSet,
    /// How alerts are handled, and who is told.
    pub alerts: Policy,
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
    pub(crate) settings: Settings,
    pub(crate) alerts: Desk,
    /// Goes up with each commit that a page could want to show.
    pub(crate) changed: watch::Sender<u64>,
}

impl Platform {
    /// Opens `stream.db`; nothing runs yet.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(config: PlatformConfig) -> Result<Platform, StreamError> {
        let PlatformConfig { dir, gate, keys, rules, alerts, settings } = config;
        let db = crate::open(&dir.join("stream.db"))?;
        let (changed, _) = watch::channel(0);
        let rules = RwLock::new(Arc::new(rules));
        let clock = gate.clock();
        let alerts = Desk::new(db.clone(), Arc::new(alerts), Arc::clone(&clock), changed.clone());
        let inner = Inner { db, gate, clock, keys, rules, settings, alerts, changed };
        Ok(Platform { inner: Arc::new(inner) })
    }

    /// Begins to work: processes what is in the log, follows the store, writes Observations.
    ///
    /// # Errors
    /// It works already.
    pub fn start(&self) -> Result<(), StreamError> {
        Ok(())
    }

    /// Lets the work at hand end, writes what waits and closes the file.
    pub async fn stop(&self) {
        if let Err(error) = self.inner.db.close().await {
            tracing::error!(%error, "streams were not closed in order");
        }
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
        *self.inner.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
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
