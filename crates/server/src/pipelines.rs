//! What the pages and the API ask about pipelines. Whoever runs pipelines answers; this crate knows none.

use std::future::Future;
use std::pin::Pin;

use gate::Permit;
use serde_json::Value;
use ui::pipelines::{Count, Listed, Opened, Row, RowFilter, RunFacts, RunRow, SourceTrend};

/// An answer on its way.
pub type Told<'a, T> = Pin<Box<dyn Future<Output = Result<T, PipelineError>> + Send + 'a>>;

/// Why there is no answer; each is a different thing for the caller to do.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The server was started without pipelines.
    #[error("this server was started without pipelines: `salus serve` on the data folder has them")]
    Absent,
    /// There is no such pipeline, run or row.
    #[error("{0}")]
    NotFound(String),
    /// Not now: the pipeline is at work, the run has ended.
    #[error("{0}")]
    Conflict(String),
    /// It was asked wrongly, or the pipeline's file is wrong.
    #[error("{0}")]
    Invalid(String),
    /// This machine failed. The cause is for the log.
    #[error("{0}")]
    Broken(String),
}

/// Which quarantined rows.
#[derive(Clone, Debug, Default)]
pub struct RowQuery {
    /// Empty parts filter nothing.
    pub filter: RowFilter,
    /// Rows behind this number.
    pub after: u64,
    /// At most so many.
    pub rows_max: usize,
}

/// Which open rows of a run are run again or waived.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The run that set them aside.
    pub run: String,
    /// Only of this source.
    pub source: Option<String>,
    /// Only refused by this rule.
    pub rule: Option<String>,
}

/// The quality of a run, as documents.
#[derive(Clone, Debug)]
pub struct Report {
    /// A page that needs nothing else.
    pub html: String,
    /// The same as data.
    pub json: Value,
}

/// Pipelines, their runs, and what was set aside. Every question but the counters shows that the gate was asked.
pub trait Pipelines: Send + Sync + 'static {
    /// The folder with pipeline files, for people.
    fn folder(&self) -> String;
    /// Every file of the folder, and every pipeline that ever ran.
    fn list<'a>(&'a self, permit: &'a Permit) -> Told<'a, Vec<Listed>>;
    /// Runs, the newest first.
    fn runs<'a>(
        &'a self,
        permit: &'a Permit,
        pipeline: Option<String>,
        status: Option<String>,
        runs_max: usize,
    ) -> Told<'a, Vec<RunRow>>;
    /// A run in full; a beginning of its id suffices.
    fn run<'a>(&'a self, permit: &'a Permit, run: String) -> Told<'a, RunFacts>;
    /// A run as scripts read it: its record, or how far it is.
    fn document<'a>(&'a self, permit: &'a Permit, run: String) -> Told<'a, Value>;
    /// The quality report of a run.
    fn report<'a>(&'a self, permit: &'a Permit, run: String) -> Told<'a, Report>;
    /// The quality of a pipeline over its last runs.
    fn quality<'a>(&'a self, permit: &'a Permit, pipeline: String) -> Told<'a, Vec<SourceTrend>>;
    /// Quarantined rows without their content.
    fn rows<'a>(&'a self, permit: &'a Permit, query: RowQuery) -> Told<'a, Vec<Row>>;
    /// How many rows each rule set aside.
    fn counts<'a>(&'a self, permit: &'a Permit, filter: RowFilter) -> Told<'a, Vec<Count>>;
    /// What stands in a row. The permit must be for [`gate::Matter::OpenQuarantine`].
    fn content<'a>(&'a self, permit: &'a Permit, row: u64) -> Told<'a, Opened>;
    /// Starts a run, and gives its id.
    fn start<'a>(&'a self, permit: &'a Permit, pipeline: String, is_dry: bool) -> Told<'a, String>;
    /// Asks a run of this server to stop.
    fn cancel<'a>(&'a self, permit: &'a Permit, run: String) -> Told<'a, ()>;
    /// Runs open rows again, and gives the new run's id.
    fn replay<'a>(&'a self, permit: &'a Permit, choice: Choice) -> Told<'a, String>;
    /// Waives open rows, and says how many.
    fn waive<'a>(&'a self, permit: &'a Permit, choice: Choice) -> Told<'a, u64>;
    /// Counters in the Prometheus text form.
    fn metrics(&self) -> String;
}
