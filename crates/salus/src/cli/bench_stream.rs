//! The command line of `salus bench stream`.

use std::path::PathBuf;

use clap::Args;

/// `salus bench stream`
#[derive(Debug, Args)]
pub(crate) struct BenchStreamArgs {
    /// How long to publish for each number in flight
    #[arg(long, default_value_t = 10)]
    pub(crate) secs: u64,
    /// Publishes that wait for the disk at once; several numbers, separated by commas, are measured one after the other
    #[arg(long, value_delimiter = ',', default_value = "1,64,256")]
    pub(crate) in_flight: Vec<usize>,
    /// Events in one publish
    #[arg(long, default_value_t = 1)]
    pub(crate) batch: usize,
    /// Publish no more than this many events a second [default: as many as go]
    #[arg(long, value_name = "EVENTS")]
    pub(crate) rate: Option<u64>,
    /// One of so many events raises an alert
    #[arg(long, default_value_t = 100)]
    pub(crate) alert_every: u64,
    /// A Python 3 for the founding design, measured in the same run with the same durability
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<PathBuf>,
    /// Configuration with a `stream` section: Kafka, what becomes of measurements [default: salus.yaml here, or the defaults]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for the data of the measurement, which is removed afterwards [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
