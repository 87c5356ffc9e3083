//! The command line of `salus alerts`.

use clap::{Args, Subcommand};

use super::DataArgs;

/// `salus alerts …`
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List alerts, the worst and oldest first
    List(AlertsListArgs),
    /// Show an alert: what each rule says, every step, every message
    Show(AlertsShowArgs),
    /// Take an alert
    Ack(AlertsActArgs),
    /// End an alert; a reason is needed while its condition holds
    Resolve(AlertsActArgs),
    /// End an alert as not useful
    Override(AlertsActArgs),
    /// Ask for more help, now
    Escalate(AlertsActArgs),
    /// Put an alert off; each severity has a maximum
    Snooze(AlertsSnoozeArgs),
    /// Make, list or lift silences; they never cover critical or high alerts
    Silence(AlertsSilenceArgs),
    /// Alerts per bed and day, share acknowledged and overridden, median time to acknowledgement
    Burden(AlertsBurdenArgs),
}

/// `salus alerts list`
#[derive(Debug, Args)]
pub(crate) struct AlertsListArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Those that are over too
    #[arg(long)]
    pub(crate) all: bool,
    /// At least so bad: critical, high, medium, low, info
    #[arg(long)]
    pub(crate) severity: Option<String>,
    /// Of this ward or unit
    #[arg(long)]
    pub(crate) unit: Option<String>,
    /// Of this patient, `Patient/ID` or `SYSTEM|VALUE`
    #[arg(long)]
    pub(crate) patient: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub(crate) max: usize,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus alerts show`
#[derive(Debug, Args)]
pub(crate) struct AlertsShowArgs {
    /// Identifier, from `salus alerts list`
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// `salus alerts ack`, `resolve`, `override` and `escalate`
#[derive(Debug, Args)]
pub(crate) struct AlertsActArgs {
    /// Identifier, from `salus alerts list`
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Why, or a note for others
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Print what happened as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus alerts snooze`
#[derive(Debug, Args)]
pub(crate) struct AlertsSnoozeArgs {
    #[command(flatten)]
    pub(crate) act: AlertsActArgs,
    /// For so many minutes
    #[arg(long)]
    pub(crate) mins: u32,
}

/// `salus alerts silence`
#[derive(Debug, Args)]
pub(crate) struct AlertsSilenceArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Alerts of this patient or population
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Alerts of this topic
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Alerts of this rule
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// Alerts of this ward or unit
    #[arg(long)]
    pub(crate) unit: Option<String>,
    /// For so many minutes
    #[arg(long, required_unless_present_any = ["list", "lift"])]
    pub(crate) mins: Option<u32>,
    /// Why
    #[arg(long, required_unless_present_any = ["list", "lift"])]
    pub(crate) reason: Option<String>,
    /// List silences that have not ended
    #[arg(long)]
    pub(crate) list: bool,
    /// End this silence now
    #[arg(long, value_name = "ID", conflicts_with = "list")]
    pub(crate) lift: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus alerts burden`
#[derive(Debug, Args)]
pub(crate) struct AlertsBurdenArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Of this ward or unit
    #[arg(long)]
    pub(crate) unit: Option<String>,
    /// Over so many days until now
    #[arg(long, default_value_t = 1)]
    pub(crate) days: u32,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
