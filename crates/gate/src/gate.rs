//! The gate itself: what it holds, how it is opened, and the one place where its records are written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fhir::{Clock, Instant};
use store::{Store, StoreConfig};

use crate::door::permit::Sessions;
use crate::door::tally::Tallies;
use crate::error::GateError;
use crate::govern::Govern;
use crate::identity::cache::AuthCache;
use crate::ledger;
use crate::ledger::append::Ledger;
use crate::ledger::query::{AuditEntry, AuditQuery};
use crate::ledger::record::{Action, Outcome, Record};
use crate::principal::Access;
use crate::validation::Validation;

/// How a gate is opened.
#[derive(Clone, Debug)]
pub struct GateConfig {
    /// The store behind it.
    pub store: StoreConfig,
    /// How strictly resources are checked on write.
    pub validation: Validation,
}

impl GateConfig {
    /// Embedded files in `dir`, full validation.
    pub fn new(dir: impl Into<PathBuf>, base_url: impl Into<String>) -> GateConfig {
        GateConfig { store: StoreConfig::new(dir, base_url), validation: Validation::Full }
    }

    /// The data folder.
    pub fn dir(&self) -> &Path {
        &self.store.dir
    }
}

/// The one door to the data. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) govern: Govern,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) validation: Validation,
    pub(crate) cache: AuthCache,
    pub(crate) tallies: Tallies,
    pub(crate) sessions: Sessions,
    /// Keys the links between pages, so that nobody makes one up.
    pub(crate) cursor_secret: [u8; 32],
    /// Addresses under which this server's resources are known.
    pub(crate) bases: Arc<[String]>,
}

impl Gate {
    /// Opens the store and the ledger in a data folder. A second process on the folder is refused.
    pub fn open(config: GateConfig, clock: Arc<dyn Clock>) -> Result<Gate, GateError> {
        let own = std::iter::once(&config.store.base_url);
        let bases = own.chain(&config.store.other_base_urls).cloned().collect();
        let ledger_file = Govern::options(&config.store);
        // The store first: it locks the folder.
        let store = Store::open(config.store, Arc::clone(&clock))?;
        let govern = Govern::open(ledger_file)?;
        let cursor_secret = govern.cursor_secret()?;
        let ledger = Ledger::new(govern.clone());
        let inner = Inner {
            store,
            govern,
            ledger,
            clock,
            validation: config.validation,
            cache: AuthCache::default(),
            tallies: Tallies::default(),
            sessions: Sessions::default(),
            cursor_secret,
            bases,
        };
        Ok(Gate { inner: Arc::new(inner) })
    }

    /// The time, by the gate's clock.
    pub fn now(&self) -> Instant {
        self.inner.clock.now()
    }

    /// The gate's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    /// Appends to the ledger; the answer may be released when this returns.
    pub(crate) async fn record(&self, record: Record) -> Result<(), GateError> {
        Ok(self.inner.ledger.append(record).await?)
    }

    pub(crate) fn record_of(&self, access: &Access, action: Action, outcome: Outcome) -> Record {
        Record::of(access, self.now(), action, outcome)
    }

    /// Records of the ledger, for those whose role reads it. Reading the ledger is recorded in it.
    pub async fn audit(&self, access: &Access, query: AuditQuery) -> Result<Vec<AuditEntry>, GateError> {
        if !access.principal.roles.iter().any(crate::Role::reads_audit) {
            return Err(self
                .deny(access, Action::Audit, None, "the audit ledger is read by auditors and officers")
                .await);
        }
        let tenant = access.tenant.to_string();
        let entries =
            self.inner.govern.read(move |conn| ledger::query::select(conn, &tenant, &query)).await?;
        let mut record = self.record_of(access, Action::Audit, Outcome::Done);
        record.count = entries.len() as u64;
        self.record(record).await?;
        Ok(entries)
    }

    /// May the counters of the server be read; they tell of no data, so only a refusal is recorded.
    pub async fn permit_metrics(&self, access: &Access) -> Result<(), GateError> {
        if access.principal.scopes.metrics() {
            return Ok(());
        }
        Err(self
            .deny(access, Action::Metrics, None, "no scope of the token allows this: `metrics` would")
            .await)
    }

    /// Records a refusal and gives the error to answer with.
    pub(crate) async fn deny(
        &self,
        access: &Access,
        action: Action,
        kind: Option<fhir::Kind>,
        why: impl Into<String>,
    ) -> GateError {
        self.deny_one(access, action, kind, "", why).await
    }

    /// The same about one resource.
    pub(crate) async fn deny_one(
        &self,
        access: &Access,
        action: Action,
        kind: Option<fhir::Kind>,
        id: &str,
        why: impl Into<String>,
    ) -> GateError {
        let why = why.into();
        let record = self.record_of(access, action, Outcome::Denied).on(kind, id).because(why.clone());
        match self.record(record).await {
            Ok(()) => GateError::Forbidden(why),
            Err(e) => e,
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}
