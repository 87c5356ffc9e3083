//! The command line of `salus stream`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TargetArgs;

/// `salus stream …`
#[derive(Debug, Subcommand)]
pub(crate) enum StreamCommand {
    /// Publish events from files or standard input: one event, an array, or one event a line
    Publish(StreamPublishArgs),
    /// Show the last events
    Tail(StreamTailArgs),
    /// Drive a ward of monitors with planted deteriorations
    Simulate(StreamSimulateArgs),
    /// Say how far each group is in each partition
    Groups(StreamShowArgs),
    /// Say how many events wait to be processed, and how long processing takes
    Lag(StreamShowArgs),
    /// Let other rules judge the history, and show which alerts would differ
    Replay(StreamReplayArgs),
    /// List, show, run again or waive what could not be read or processed
    #[command(subcommand)]
    Dlq(DlqCommand),
}

/// `salus stream publish`
#[derive(Debug, Args)]
pub(crate) struct StreamPublishArgs {
    /// Files; `-` is standard input
    #[arg(default_value = "-")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Events of one request
    #[arg(long, default_value_t = 1_000)]
    pub(crate) batch: usize,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus stream tail`
#[derive(Debug, Args)]
pub(crate) struct StreamTailArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Only of this kind: vital_signs, lab_results, ...
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    pub(crate) max: usize,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus stream simulate`
#[derive(Debug, Args)]
pub(crate) struct StreamSimulateArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Beds
    #[arg(long, default_value_t = 12)]
    pub(crate) beds: u32,
    /// Events per second and bed
    #[arg(long, default_value_t = 0.2)]
    pub(crate) hz: f64,
    /// Seed: the same seed and start give the same events
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Name of the ward
    #[arg(long, default_value = "7A")]
    pub(crate) unit: String,
    /// How long to go on [default: until it is interrupted]
    #[arg(long)]
    pub(crate) secs: Option<u64>,
    /// Print what was published as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus stream replay`
#[derive(Debug, Args)]
pub(crate) struct StreamReplayArgs {
    /// Folder of rule files to compare with the rules of today
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Events from this instant on, such as 2026-11-25T00:00:00Z
    #[arg(long, value_name = "INSTANT", default_value = "1970-01-01T00:00:00Z")]
    pub(crate) since: String,
    /// Only of this patient
    #[arg(long)]
    pub(crate) patient: Option<String>,
    /// Print the difference as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus stream groups` and `salus stream lag`
#[derive(Debug, Args)]
pub(crate) struct StreamShowArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus stream dlq …`
#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// List dead letters with cause and place; no content
    List(DlqListArgs),
    /// Show what stands in one; recorded in the audit ledger
    Show(DlqOneArgs),
    /// Run letters again, with what was held behind them
    Replay(DlqSomeArgs),
    /// Say that letters are not needed
    Waive(DlqSomeArgs),
}

/// `salus stream dlq list`
#[derive(Debug, Args)]
pub(crate) struct DlqListArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Only in this state: open, queued, replayed, waived
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only with this cause
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub(crate) max: u32,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus stream dlq show`
#[derive(Debug, Args)]
pub(crate) struct DlqOneArgs {
    /// Number, from `salus stream dlq list`
    pub(crate) id: i64,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus stream dlq replay` and `salus stream dlq waive`
#[derive(Debug, Args)]
pub(crate) struct DlqSomeArgs {
    /// Numbers, from `salus stream dlq list`
    #[arg(required = true)]
    pub(crate) ids: Vec<i64>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
