//! Events become alerts: a durable log, partitioned processing, rules, the life of an alert. Nothing is acknowledged before it is durable.

mod database;
pub mod log;

pub use database::open;
