//! `salus bench stream`: events become durable alerts in this process, at several numbers of events in flight; beside raw appends of the same
//! rows and the founding design in Python, with the same durability, in the same run.

mod drive;
mod load;
mod peers;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::Config;

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Seconds for each number in flight.
    pub(crate) secs: u64,
    /// Publishes that wait for the disk at once.
    pub(crate) in_flight: Vec<usize>,
    /// Events of one publish.
    pub(crate) batch: usize,
    /// Events a second at most; no limit when absent.
    pub(crate) rate: Option<u64>,
    /// Every so many events, one raises an alert.
    pub(crate) alert_every: u64,
    /// A Python for the founding design; without it that is not measured.
    pub(crate) python: Option<PathBuf>,
    /// The configuration of the streams; its folder is not used.
    pub(crate) config: Config,
}

/// What one way of working reached.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Reached {
    pub(crate) name: String,
    /// Publishes in flight.
    pub(crate) in_flight: usize,
    pub(crate) events: u64,
    pub(crate) secs: f64,
    pub(crate) per_sec: f64,
    pub(crate) alerts: u64,
    /// From sending to the answer that it is on disk.
    pub(crate) ack_p50_ms: Option<f64>,
    pub(crate) ack_p99_ms: Option<f64>,
    /// From sending to the alert that is on disk and can be read.
    pub(crate) alert_p50_ms: Option<f64>,
    pub(crate) alert_p99_ms: Option<f64>,
    pub(crate) cpu_secs: Option<f64>,
    /// Resident memory a tenth into the run, and at its end.
    pub(crate) early_mib: Option<f64>,
    pub(crate) late_mib: Option<f64>,
}

/// All that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outcome {
    pub(crate) bytes_per_event: f64,
    pub(crate) measured: Vec<Reached>,
    /// What could not be measured, and why.
    pub(crate) failed: Vec<(String, String)>,
}

/// Measures everything below a folder.
pub(crate) async fn run(folder: &Path, job: &Job) -> anyhow::Result<Outcome> {
    let mut outcome =
        Outcome { bytes_per_event: load::bytes_per_event(job.alert_every), ..Outcome::default() };
    for (n, in_flight) in job.in_flight.iter().copied().enumerate() {
        let own = folder.join(format!("salus-{n}"));
        outcome.measured.push(drive::run(&own, job, in_flight).await?);
        let events = outcome.measured.last().map_or(0, |reached| reached.events);
        outcome.measured.push(peers::raw(&folder.join(format!("raw-{n}.db")), job, in_flight, events)?);
    }
    if let Some(python) = &job.python {
        for batch in [1, 500] {
            match peers::founding(folder, python, job, batch) {
                Ok(reached) => outcome.measured.push(reached),
                Err(error) => {
                    outcome.failed.push((format!("founding design, batch {batch}"), format!("{error:#}")));
                }
            }
        }
    }
    Ok(outcome)
}
