//! What every handler shares.

use std::sync::Arc;

use bytes::Bytes;
use gate::Gate;
use stream::{Platform, StreamError};
use tokio::sync::{Semaphore, watch};

use crate::config::ServerConfig;
use crate::dashboard::Handles;
use crate::fhir::capability;
use crate::metrics::Metrics;
use crate::pipelines::{PipelineError, Pipelines};
use crate::services::Services;

/// Live streams of one server.
const LIVE_MAX: usize = 2_000;

/// The gate, the configuration, and what is counted. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    inner: Arc<Inner>,
}

struct Inner {
    gate: Gate,
    config: ServerConfig,
    base: String,
    metrics: Metrics,
    capability: Bytes,
    /// Permits are KiB of request bodies.
    bodies: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    /// One per open live stream.
    live: Arc<Semaphore>,
    /// Filters of people, named in addresses by handles.
    handles: Handles,
    services: Services,
}

impl AppState {
    /// The state of one server.
    pub(crate) fn new(gate: Gate, config: ServerConfig, services: Services) -> AppState {
        let base = config.fhir_base();
        let kib = (config.limits.bodies_in_flight_bytes_max / 1024).min(Semaphore::MAX_PERMITS);
        let capability = Bytes::from(capability::statement(&base, gate.now()).to_bytes());
        let inner = Inner {
            gate,
            base,
            metrics: Metrics::new(),
            capability,
            bodies: Arc::new(Semaphore::new(kib)),
            stopping: watch::channel(false).0,
            live: Arc::new(Semaphore::new(LIVE_MAX)),
            handles: Handles::default(),
            services,
            config,
        };
        AppState { inner: Arc::new(inner) }
    }

    /// The door to the data.
    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// The configuration.
    pub(crate) fn config(&self) -> &ServerConfig {
        &self.inner.config
    }

    /// Base of FHIR URLs.
    pub(crate) fn base(&self) -> &str {
        &self.inner.base
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The CapabilityStatement, written once at start.
    pub(crate) fn capability(&self) -> Bytes {
        self.inner.capability.clone()
    }

    pub(crate) fn bodies(&self) -> &Arc<Semaphore> {
        &self.inner.bodies
    }

    pub(crate) fn handles(&self) -> &Handles {
        &self.inner.handles
    }

    /// Who answers questions about pipelines.
    pub(crate) fn pipelines(&self) -> Result<Arc<dyn Pipelines>, PipelineError> {
        self.inner.services.pipelines.clone().ok_or(PipelineError::Absent)
    }

    /// Events, rules and alerts.
    pub(crate) fn stream(&self) -> Result<&Platform, StreamError> {
        self.inner.services.stream.as_ref().ok_or(StreamError::Absent)
    }

    /// From now on `/readyz` says no, so that nobody sends more.
    pub(crate) fn stop(&self) {
        self.inner.stopping.send_replace(true);
    }

    /// Completes when the server stops: what goes on and on ends then.
    pub(crate) async fn stopping(&self) {
        let mut stopping = self.inner.stopping.subscribe();
        drop(stopping.wait_for(|stopping| *stopping).await);
    }

    /// Places for live streams.
    pub(crate) fn live_places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.inner.live)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.inner.stopping.borrow()
    }
}
