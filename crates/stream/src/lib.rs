//! Events become alerts: a durable log, partitioned processing, rules, the life of an alert. Nothing is acknowledged before it is durable.

pub mod alert;
mod database;
pub mod decision;
mod error;
pub mod log;
pub mod mllp;
mod platform;
mod process;
pub mod rulebook;
mod settings;
pub mod surveillance;
pub mod ward;

pub use database::{database_options, log_options, open, open_log};
pub use error::StreamError;
pub use platform::{Platform, PlatformConfig};
pub use process::board::{Board, Latest};
pub use process::dead::{DEAD_LETTERS_MAX, DeadLetter, DeadQuery, DeadState};
pub use process::few::Few;
pub use process::inbox::PlatformInbox;
pub use process::publish::{Published, Publisher, Receipt, Rejected, Sent};
pub use process::query::{Bed, Health, Lag, Measured, ROWS_MAX, Tailed, values_of};
pub use process::shadow::{Replay, Replayed};
pub use process::split::{SplitError, split};
pub use settings::{Notes, Observations, Poison, Settings};
