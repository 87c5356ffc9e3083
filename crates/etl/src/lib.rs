//! Pipelines: a YAML file becomes a typed plan, the plan becomes a run in which every row that was read is loaded, quarantined,
//! filtered by a named rule or deduplicated by a named key, and the four add up.
//!
//! * [`yaml`] – the text with a place for every node; [`Problem`]s are collected, not thrown.
//! * [`source`], [`check`], [`step`], [`target`] – one file per kind; each decodes its own options, says which columns it needs and
//!   gives, and does the work.
//! * [`storage`] – files of local folders and S3-compatible stores.
//! * [`plan`] – what runs; [`run`] – where and how it runs: threads, channels, checkpoints, conservation.
//! * [`engine`] – expressions, SQL, sorting and spooling on DataFusion and Arrow within a memory limit; `keyed` – what is known of each of many keys,
//!   within it too.
//! * [`runs`] – runs, progress, quarantine; [`report`] – quality as JSON and HTML; [`lineage`] – OpenLineage events.

pub mod check;
pub mod engine;
mod error;
pub mod file;
mod keyed;
pub mod lineage;
pub mod plan;
pub mod report;
pub mod run;
pub mod runs;
mod secret;
pub mod source;
mod sql;
pub mod step;
pub mod storage;
pub mod target;
pub mod world;

pub use error::{EtlError, RowError};
pub use secret::{Secret, Secrets};
pub use yaml::{self, Point, Problem, Problems, Word};
