//! Events become alerts: a durable log, partitioned processing, rules, the life of an alert. Nothing is acknowledged before it is durable.

pub mod alert;
mod database;
mod error;
pub mod log;
pub mod mllp;
mod platform;
mod settings;
pub mod surveillance;

pub use database::open;
pub use error::StreamError;
pub use platform::{Platform, PlatformConfig};
pub use settings::{Observations, Poison, Settings};
