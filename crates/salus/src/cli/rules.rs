//! The command line of `salus rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TargetArgs;

/// `salus rules …`
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Read rule files beside the shipped ones, and say everything that is wrong, with line and column
    Check(RulesCheckArgs),
    /// Run the tests that stand in rule files, and compare rules on past events
    // `--version` names versions of rules here.
    #[command(disable_version_flag = true)]
    Test(RulesTestArgs),
    /// Show a rule of a server in a version that was used there, with the file it stood in
    Show(RulesShowArgs),
}

/// `salus rules show`
#[derive(Debug, Args)]
pub(crate) struct RulesShowArgs {
    /// `PACK/NAME`, or `PACK/NAME@VERSION` [default: the version in force]
    pub(crate) rule: String,
    /// Also print the file it stood in
    #[arg(long)]
    pub(crate) file: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus rules check`
#[derive(Debug, Args)]
pub(crate) struct RulesCheckArgs {
    /// Rule files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Print the rules, or what is wrong, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus rules test`
#[derive(Debug, Args)]
pub(crate) struct RulesTestArgs {
    /// Rule files [default: the shipped ones]
    pub(crate) files: Vec<PathBuf>,
    /// Events, one JSON object a line: compare what these rules say of them with what the shipped ones say
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Compare what these rules say of the history of a server with what its rules of today say: since how long, such as 30d
    #[arg(long, value_name = "SPAN", conflicts_with = "events")]
    pub(crate) replay: Option<String>,
    /// With --replay: a version that was used there, `PACK/NAME@VERSION` or `PACK@VERSION`, beside its other rules of today; may be said again
    #[arg(long = "version", value_name = "RULE@VERSION", requires = "replay")]
    pub(crate) versions: Vec<String>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Print the outcomes as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
