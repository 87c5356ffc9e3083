//! Who answers what this crate has no logic for: handed in when the server starts. What is absent says so to whoever asks.

use std::sync::Arc;

use stream::Platform;

use crate::pipelines::Pipelines;

/// The services of one server. All are optional.
#[derive(Clone, Default)]
pub struct Services {
    /// Pipelines, their runs, and what they set aside.
    pub pipelines: Option<Arc<dyn Pipelines>>,
    /// Events, rules and alerts.
    pub stream: Option<Platform>,
}
