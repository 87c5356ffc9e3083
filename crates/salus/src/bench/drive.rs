//! Runs a workload: so many clients side by side, each with its own connection and its own random numbers, for a bounded time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egress::Connection;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use super::process::{Usage, usage_of};
use super::recorder::{Recorder, Series};
use super::result::RunResult;
use super::workload::Load;

/// Whom to drive and how.
#[derive(Clone, Debug)]
pub(crate) struct Drive {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    pub(crate) clients: usize,
    pub(crate) secs: u64,
    pub(crate) warm_up_secs: u64,
    pub(crate) seed: u64,
    pub(crate) pid: Option<u32>,
}

impl Drive {
    /// A connection of its own.
    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        Ok(Connection::new(&self.url, self.token.as_deref())?)
    }
}

/// Drives until the time is over or the workload has nothing more to do.
pub(crate) async fn run(drive: &Drive, load: Load) -> anyhow::Result<RunResult> {
    let name = load.name();
    // A workload that ends by itself is measured from its first request.
    let warm_up = if load.is_finite() { 0 } else { drive.warm_up_secs };
    let load = Arc::new(load);
    let measure_from = Instant::now() + Duration::from_secs(warm_up);
    let until = measure_from + Duration::from_secs(drive.secs);
    let mut clients = JoinSet::new();
    for client in 0..drive.clients {
        let load = Arc::clone(&load);
        let mut recorder = Recorder::new(drive.connect()?, measure_from);
        let mut rng = StdRng::seed_from_u64(drive.seed.wrapping_mul(1_000_003).wrapping_add(client as u64));
        clients.spawn(async move {
            while Instant::now() < until && load.step(&mut recorder, &mut rng).await {}
            recorder
        });
    }
    tokio::time::sleep_until(measure_from.into()).await;
    let before = usage(drive)?;
    let started = Instant::now();
    let mut series: BTreeMap<&'static str, Series> = BTreeMap::new();
    let mut resources = 0;
    while let Some(recorder) = clients.join_next().await {
        let recorder = recorder?;
        resources += recorder.resources;
        for (name, part) in recorder.series {
            let sum = series.entry(name).or_default();
            sum.micros.extend(part.micros);
            part.wrong.into_iter().for_each(|(status, n)| *sum.wrong.entry(status).or_default() += n);
            sum.broken += part.broken;
        }
    }
    let secs = started.elapsed().as_secs_f64();
    let mut result = RunResult::of(name, drive.clients, secs, series, resources);
    if let (Some(before), Some(after)) = (before, usage(drive)?) {
        result.add_usage(before, after);
    }
    Ok(result)
}

fn usage(drive: &Drive) -> anyhow::Result<Option<Usage>> {
    drive.pid.map(usage_of).transpose()
}
