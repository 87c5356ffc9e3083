//! OpenLineage: which data sets a run read and wrote, and which column came from which. No event holds a value of a row.
//!
//! Events follow the OpenLineage specification 2-0-2: one START, then one COMPLETE or FAIL, per source and its targets. Lineage is told,
//! not needed: a sink that fails is a warning in the record of the run.

mod event;
mod facets;
mod sink;
#[cfg(test)]
mod tests;

use fhir::Instant;
use table::Columns;
use uuid::Uuid;

pub use event::Event;
pub use sink::{FileSink, HttpSink, Sink};

use crate::report::SourceQuality;
use crate::source::Dataset;

/// A job: what runs again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose jobs these are: `salus`, or what the pipeline file says.
    pub namespace: String,
    /// `analytics-patients`, or `analytics-patients.ehr` for one source of it.
    pub name: String,
}

/// The run that this run is a part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its id.
    pub run: Uuid,
    /// Its job.
    pub job: Job,
}

/// What an event is about.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// When it happened.
    pub at: Instant,
    /// The run; the same in all of its events.
    pub run: Uuid,
    /// The job.
    pub job: Job,
    /// The run it is a part of.
    pub parent: Option<Parent>,
    /// What is read.
    pub inputs: Vec<Input<'a>>,
    /// What is written.
    pub outputs: Vec<Output<'a>>,
}

/// A data set that is read.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// Which.
    pub dataset: Dataset,
    /// Its columns, when they are known.
    pub columns: Option<&'a Columns>,
    /// What its checks found.
    pub quality: Option<&'a SourceQuality>,
}

/// A data set that is written.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    /// Which.
    pub dataset: Dataset,
    /// Its columns, when they are known.
    pub columns: Option<&'a Columns>,
    /// Where its columns come from.
    pub made_from: Vec<Made>,
    /// Rows written.
    pub n_rows: Option<u64>,
    /// Bytes written.
    pub n_bytes: Option<u64>,
}

/// Where a column of an output comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The column of the output.
    pub column: String,
    /// The columns it is made from.
    pub from: Vec<MadeFrom>,
}

/// A column that another is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeFrom {
    /// The data set.
    pub dataset: Dataset,
    /// Its column.
    pub column: String,
    /// Whether it is passed on as it is.
    pub is_same: bool,
    /// Whether what is made hides it: a pseudonym, a shifted date.
    pub is_masked: bool,
}
