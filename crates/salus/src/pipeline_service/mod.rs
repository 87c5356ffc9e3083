//! Pipelines in a server: answers the pages and the API, runs what they ask for, and runs what is due.

mod answers;
mod counters;
mod facts;
mod files;
mod resume;
mod schedule;
mod start;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use etl::runs::{RunSummary, Runs};
use gate::Gate;
use keys::KeyRing;
use server::PipelineError;

use crate::config::Config;
use crate::pipelines::{keys_of, runs_of};
use counters::Counters;
use files::Files;

/// How long runs get to end when the server stops. What has not committed by then is not loaded, and is resumed or run again.
const STOP_SECS_MAX: u64 = 20;

/// Pipelines of a server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PipelineService {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    gate: Gate,
    fhir_base: String,
    files: Files,
    record: OnceLock<Opened>,
    /// Held by who opens the record.
    opening: Mutex<()>,
    /// Runs of this process by id.
    at_work: Mutex<BTreeMap<String, AtWork>>,
    /// By pipeline: why it did not run when it should have.
    trouble: Mutex<BTreeMap<String, String>>,
    counters: Counters,
    is_stopping: AtomicBool,
}

/// The record of runs and the keys that seal it.
struct Opened {
    runs: Runs,
    keys: Arc<KeyRing>,
}

struct AtWork {
    cancelled: Arc<AtomicBool>,
    /// Somebody cancelled it, so that it is not continued.
    is_given_up: Arc<AtomicBool>,
}

impl PipelineService {
    /// Pipelines of the configured folder. Nothing is opened or made yet: a server that runs none needs no keys.
    pub(crate) fn new(config: Config, gate: Gate, fhir_base: String) -> PipelineService {
        let files = Files::new(config.pipelines.clone());
        let inner = Inner {
            config,
            gate,
            fhir_base,
            files,
            record: OnceLock::new(),
            opening: Mutex::default(),
            at_work: Mutex::default(),
            trouble: Mutex::default(),
            counters: Counters::default(),
            is_stopping: AtomicBool::new(false),
        };
        PipelineService { inner: Arc::new(inner) }
    }

    /// Lets the runs of this process end early, and waits for them.
    pub(crate) async fn stop(&self) {
        self.inner.is_stopping.store(true, Ordering::Relaxed);
        for run in self.at_work().values() {
            run.cancelled.store(true, Ordering::Relaxed);
        }
        for _ in 0..STOP_SECS_MAX * 10 {
            if self.at_work().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tracing::warn!("runs were still at work when the server stopped: the next one goes on with them");
    }

    fn at_work(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, AtWork>> {
        self.inner.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.inner.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of runs, made when it is absent.
    fn record(&self) -> Result<&Opened, PipelineError> {
        if let Some(opened) = self.inner.record.get() {
            return Ok(opened);
        }
        let _opening = self.inner.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = self.inner.record.get() {
            return Ok(opened);
        }
        let dir = &self.inner.config.data_dir;
        let runs = runs_of(dir).map_err(broken)?;
        let keys = keys_of(dir).map_err(broken)?;
        Ok(self.inner.record.get_or_init(|| Opened { runs, keys }))
    }

    /// The record of runs when something ever ran here.
    fn runs(&self) -> Result<Option<&Runs>, PipelineError> {
        if self.inner.record.get().is_none() && !self.inner.config.data_dir.join("etl.db").exists() {
            return Ok(None);
        }
        Ok(Some(&self.record()?.runs))
    }

    /// A run by its id or the beginning of it.
    fn find(&self, run: &str) -> Result<(&Runs, RunSummary), PipelineError> {
        let unknown = || PipelineError::NotFound(format!("there is no run `{run}`, or several begin so"));
        let runs = self.runs()?.ok_or_else(unknown)?;
        let found = runs.get(run).map_err(broken)?.ok_or_else(unknown)?;
        Ok((runs, found))
    }
}

/// What is for the log, not for the caller.
fn broken(error: impl std::fmt::Display) -> PipelineError {
    PipelineError::Broken(format!("{error:#}"))
}
