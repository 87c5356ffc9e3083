//! The HTTP side of the house: FHIR REST, administration, sign-in and the dashboard on one port, and on a socket for this machine.
//!
//! Every request but the public ones comes from a [`gate::Principal`] and becomes one [`gate::Access`]; the gate decides, acts and
//! records, and this crate turns its answer into HTTP. What is served is in three tables, each read by the router and by what
//! describes it: the interactions of FHIR (and the CapabilityStatement), the routes of `/api/v1` (and its OpenAPI page), and the pages
//! of the dashboard.
//!
//! ```
//! # async fn example(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use gate::{Gate, GateConfig};
//! use server::{ServerConfig, Services};
//!
//! let config = ServerConfig::new(([127, 0, 0, 1], 0).into());
//! let gate = Gate::open(GateConfig::new(folder, config.fhir_base()), Arc::new(db::SystemClock))?;
//! let bound = server::bind(config, gate, Services::default()).await?;
//! println!("http://{}/fhir/metadata", bound.local_addr());
//! bound.run(async { /* until told to stop, for example by Ctrl-C */ }).await?;
//! # Ok(())
//! # }
//! # let folder = tempfile::tempdir().unwrap();
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(example(folder.path())).unwrap();
//! ```
//!
//! It holds no domain logic, and is the only crate that serves HTTP.

mod api;
mod auth;
mod caller;
mod cds;
mod config;
mod connection;
mod dashboard;
mod error;
mod fhir;
mod http_date;
mod listen;
mod live;
mod metrics;
mod peer;
mod pipelines;
mod public;
mod request_id;
mod route;
mod serve_error;
mod services;
mod state;
mod tls;

use std::future::Future;

use gate::Gate;

pub use config::{Limits, ServerConfig, TlsFiles};
pub use listen::{Bound, bind, bind_on, listen};
pub use pipelines::{Choice, PipelineError, Pipelines, Report, RowQuery, Told};
pub use serve_error::ServeError;
pub use services::Services;

/// Listens and answers until `stop` completes; then lets open requests finish, for a while.
pub async fn serve(
    config: ServerConfig,
    gate: Gate,
    services: Services,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    bind(config, gate, services).await?.run(stop).await
}
