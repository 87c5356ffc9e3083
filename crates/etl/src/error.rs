//! What can end a run, and what can be wrong with a row.

/// A failed operation. Bad rows are not errors: they are rejects. Texts name places and reasons, never values of rows or secrets.
#[derive(Debug, thiserror::Error)]
pub enum EtlError {
    /// The pipeline file is wrong.
    #[error("the pipeline is not valid: {}", list(.0))]
    Invalid(Vec<crate::Problem>),
    /// A source cannot be read.
    #[error("source `{source_name}`: {why}")]
    Source {
        /// Its name in the pipeline.
        source_name: String,
        /// What happened and what to do.
        why: String,
        /// Whether trying again may help.
        is_transient: bool,
    },
    /// A step failed as a whole.
    #[error("step `{step}`: {why}")]
    Step {
        /// Its name.
        step: String,
        /// What happened and what to do.
        why: String,
    },
    /// A target cannot be written.
    #[error("target `{target}`: {why}")]
    Target {
        /// Its name in the pipeline.
        target: String,
        /// What happened and what to do.
        why: String,
        /// Whether trying again may help.
        is_transient: bool,
    },
    /// A limit was reached.
    #[error("{0}")]
    Limit(String),
    /// Rows went missing or appeared: a bug, and the run is not committed.
    #[error("the rows of `{source_name}` do not add up: {sums}")]
    Conservation {
        /// The source.
        source_name: String,
        /// The terms.
        sums: String,
    },
    /// A secret that is referred to is not there.
    #[error("{0}")]
    Secret(String),
    /// A table could not be built.
    #[error(transparent)]
    Table(#[from] table::TableError),
    /// The engine refused.
    #[error("the engine failed: {0}")]
    Engine(#[from] datafusion::error::DataFusionError),
    /// Arrow refused.
    #[error("the table cannot be built: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A file of the run's own (spool, record) failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database of runs failed.
    #[error("the record of runs: {0}")]
    Record(String),
    /// Somebody asked the run to stop.
    #[error("the run was cancelled")]
    Cancelled,
}

fn list(problems: &[crate::Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What is wrong with one row in a step: becomes a [`table::Reject`] with the row's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The column.
    pub column: Option<String>,
    /// A word for machines.
    pub reason: &'static str,
    /// A sentence for people, without values of the row.
    pub message: String,
}
