//! The command line of `salus etl`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DataArgs;

/// `salus etl …`
#[derive(Debug, Subcommand)]
pub(crate) enum EtlCommand {
    /// Read a pipeline, connect to all it names, and say everything that is wrong, with line and column
    Check(EtlCheckArgs),
    /// Run a pipeline
    Run(EtlRunArgs),
    /// Show rows as they are after a step; nothing is loaded
    Preview(EtlPreviewArgs),
    /// Run the tests that stand in a pipeline file
    Test(EtlTestArgs),
    /// List runs
    Runs(EtlRunsArgs),
    /// Show a run: counts of every step and target, quality, rows set aside
    Show(EtlShowArgs),
    /// Run rows again that were set aside, through the pipeline as it is now
    Replay(EtlReplayArgs),
    /// Continue a run whose process died: what is committed is not loaded again
    Resume(EtlResumeArgs),
    /// Write the quality report of a run as a page
    Report(EtlReportArgs),
}

/// Where pipelines may read and write, and where runs are recorded.
#[derive(Clone, Debug, Args)]
pub(crate) struct EtlPlaceArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Another folder that the pipeline may read and write, beside its own
    #[arg(long = "root", value_name = "DIR")]
    pub(crate) roots: Vec<PathBuf>,
}

/// `salus etl check`
#[derive(Debug, Args)]
pub(crate) struct EtlCheckArgs {
    /// The pipeline file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: EtlPlaceArgs,
    /// Do not connect: only the file, and the columns that it declares
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print the plan, or what is wrong, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus etl run`
#[derive(Debug, Args)]
pub(crate) struct EtlRunArgs {
    /// The pipeline file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: EtlPlaceArgs,
    /// Read, check, transform and count; write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only this source (and those it looks at)
    #[arg(long = "source", value_name = "NAME")]
    pub(crate) sources: Vec<String>,
    /// Load a window of the source's cursor again, from this value on; what targets know of what is new stays as it is
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// The end of the window [default: all that is there]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// Print the run's record as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Die at this checkpoint, as if the machine failed: for tests of resumption
    #[arg(long, value_name = "CHECKPOINT", hide = true)]
    pub(crate) die_at: Option<String>,
}

/// `salus etl preview`
#[derive(Debug, Args)]
pub(crate) struct EtlPreviewArgs {
    /// The pipeline file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: EtlPlaceArgs,
    /// How many rows
    #[arg(short = 'n', long = "rows", default_value_t = 20)]
    pub(crate) rows: usize,
    /// Which source [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// After which step: its name, its number from 1, or `checks` [default: the last]
    #[arg(long, value_name = "STEP")]
    pub(crate) step: Option<String>,
    /// Print rows as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus etl test`
#[derive(Debug, Args)]
pub(crate) struct EtlTestArgs {
    /// Pipeline files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) place: EtlPlaceArgs,
    /// Print the outcomes as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus etl runs`
#[derive(Debug, Args)]
pub(crate) struct EtlRunsArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Only of this pipeline
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
    /// At most so many, the newest first
    #[arg(long, default_value_t = 20)]
    pub(crate) max: usize,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus etl show`
#[derive(Debug, Args)]
pub(crate) struct EtlShowArgs {
    /// The run, from `salus etl runs`; a beginning of its id suffices
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// List the rows that were set aside (without their content), at most so many
    #[arg(long, value_name = "N")]
    pub(crate) quarantine: Option<usize>,
    /// Print the record as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus etl replay`
#[derive(Debug, Args)]
pub(crate) struct EtlReplayArgs {
    /// The run whose rows are run again
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) place: EtlPlaceArgs,
    /// The pipeline file, when it is not where it was
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only rows of this source [default: the only one with rows set aside]
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// Only rows that this rule refused
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// Do not run them again: say that they are not needed
    #[arg(long)]
    pub(crate) waive: bool,
    /// Print the run's record as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus etl resume`
#[derive(Debug, Args)]
pub(crate) struct EtlResumeArgs {
    /// The run that was interrupted
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) place: EtlPlaceArgs,
    /// The pipeline file, when it is not where it was
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Print the run's record as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Die at this checkpoint: for tests of resumption
    #[arg(long, value_name = "CHECKPOINT", hide = true)]
    pub(crate) die_at: Option<String>,
}

/// `salus etl report`
#[derive(Debug, Args)]
pub(crate) struct EtlReportArgs {
    /// The run
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The file [default: standard output]
    #[arg(long, value_name = "FILE.html")]
    pub(crate) out: Option<PathBuf>,
    /// Write JSON instead of a page
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus bench etl`
#[derive(Debug, Args)]
pub(crate) struct BenchEtlArgs {
    /// How many patients
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) patients: u64,
    /// How many laboratory results [default: two for each patient]
    #[arg(long)]
    pub(crate) labs: Option<u64>,
    /// How often each is measured; the best counts
    #[arg(long, default_value_t = 3)]
    pub(crate) runs: u32,
    /// A Python with the packages of benches/peers/etl/requirements.txt: measures Polars, DuckDB and pandas too
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
    /// Only this one: salus, polars, duckdb or pandas
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
    /// Folder for the generated files, removed afterwards [default: the system's for temporary files]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
