//! Publishes events, so many at once, and waits for the alerts that they must raise.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use gate::{Access, Gate, Matter, Permit, Principal, Subject, Tenant};
use stream::{Platform, StreamError};
use tokio::task::JoinSet;

use super::load;
use super::{Job, Reached};
use crate::bench::histogram::Histogram;
use crate::bench::process::usage_of;
use crate::door::open_gate;

/// For so long the last alerts may be on their way.
const ALERTS_WAIT: Duration = Duration::from_secs(120);
/// Changes of alerts that are read at once.
const CHANGES_MAX: usize = 1_000;

/// What the senders and the one who waits for alerts share.
struct Shared {
    platform: Platform,
    publish: Permit,
    next: AtomicU64,
    sent: Mutex<HashMap<String, Instant>>,
    acks: Histogram,
    alerts: Histogram,
    accepted: AtomicU64,
    busy: AtomicU64,
    started: Instant,
    until: Instant,
    job: Job,
}

/// Runs for the seconds of the job with `in_flight` publishes at once, in a folder of its own.
pub(super) async fn run(folder: &Path, job: &Job, in_flight: usize) -> anyhow::Result<Reached> {
    std::fs::create_dir_all(folder)?;
    let mut config = job.config.clone();
    config.data_dir = folder.to_owned();
    let gate = open_gate(&config, &config.server().fhir_base()).context("cannot open the store")?;
    let platform = crate::streams::open(&config, gate.clone()).await?;
    platform.start()?;
    let (publish, alerts) =
        (permit(&gate, Matter::PublishEvents).await?, permit(&gate, Matter::Alerts).await?);
    let before = usage_of(std::process::id())?;
    let started = Instant::now();
    let shared = Arc::new(Shared {
        platform: platform.clone(),
        publish,
        next: AtomicU64::new(0),
        sent: Mutex::default(),
        acks: Histogram::new(),
        alerts: Histogram::new(),
        accepted: AtomicU64::new(0),
        busy: AtomicU64::new(0),
        started,
        until: started + Duration::from_secs(job.secs),
        job: job.clone(),
    });
    let watcher = tokio::spawn(watch(Arc::clone(&shared), alerts));
    let early = tokio::spawn(memory_at(started + Duration::from_secs(job.secs) / 10));
    let mut senders = JoinSet::new();
    for _ in 0..in_flight {
        senders.spawn(send(Arc::clone(&shared)));
    }
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    let secs = started.elapsed().as_secs_f64();
    watcher.await??;
    let late_mib = resident_mib();
    let after = usage_of(std::process::id())?;
    platform.stop().await;
    let events = shared.accepted.load(Ordering::Relaxed);
    Ok(Reached {
        name: "salus".to_owned(),
        in_flight,
        events,
        secs,
        per_sec: events as f64 / secs,
        alerts: shared.alerts.n(),
        ack_p50_ms: shared.acks.quantile_ms(0.50),
        ack_p99_ms: shared.acks.quantile_ms(0.99),
        alert_p50_ms: shared.alerts.quantile_ms(0.50),
        alert_p99_ms: shared.alerts.quantile_ms(0.99),
        cpu_secs: Some(after.cpu_secs - before.cpu_secs),
        early_mib: early.await?,
        late_mib,
    })
}

async fn permit(gate: &Gate, matter: Matter) -> anyhow::Result<Permit> {
    let principal = Arc::new(Principal::service("bench", Tenant::main()));
    let access = Access::new(principal, None, "bench")?;
    Ok(gate.permit_ongoing(&access, Subject::new(matter, "")).await?)
}

async fn send(shared: Arc<Shared>) -> anyhow::Result<()> {
    let batch = shared.job.batch.max(1) as u64;
    while Instant::now() < shared.until {
        let first = shared.next.fetch_add(batch, Ordering::Relaxed);
        if let Some(rate) = shared.job.rate {
            let due = shared.started + Duration::from_secs_f64(first as f64 / rate as f64);
            tokio::time::sleep_until(due.into()).await;
        }
        let at = shared.platform.now().to_rfc3339_millis();
        let events: Vec<Bytes> =
            (first..first + batch).map(|n| load::event(n, shared.job.alert_every, &at)).collect();
        let sent = Instant::now();
        {
            let mut waiting = shared.sent.lock().unwrap_or_else(PoisonError::into_inner);
            let raising = (first..first + batch).filter(|n| load::alerts(*n, shared.job.alert_every));
            waiting.extend(raising.map(|n| (load::id_of(n), sent)));
        }
        loop {
            match shared.platform.publish(&shared.publish, events.clone()).await {
                Ok(receipt) => {
                    ensure!(
                        receipt.rejected.is_empty(),
                        "an event was refused: {:?}",
                        receipt.rejected[0].reason
                    );
                    shared.accepted.fetch_add(receipt.accepted, Ordering::Relaxed);
                    break;
                }
                // Told to wait: the time counts.
                Err(StreamError::Busy { .. }) => {
                    shared.busy.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        shared.acks.add(sent.elapsed());
    }
    Ok(())
}

/// Reads changes of alerts as they come, until every alert that must be there is there.
async fn watch(shared: Arc<Shared>, permit: Permit) -> anyhow::Result<()> {
    let (mut changed, mut after) = (shared.platform.watch(), 0);
    loop {
        let changes = shared.platform.alerts().changes(&permit, after, CHANGES_MAX).await?;
        let now = Instant::now();
        for (step, alert) in &changes {
            after = step.seq;
            let found = shared.sent.lock().unwrap_or_else(PoisonError::into_inner).remove(&alert.opening);
            if let Some(sent) = found {
                shared.alerts.add(now - sent);
            }
        }
        if changes.len() == CHANGES_MAX {
            continue;
        }
        let waiting = shared.sent.lock().unwrap_or_else(PoisonError::into_inner).len();
        let over = now > shared.until && shared.next_is_settled();
        if over && waiting == 0 {
            return Ok(());
        }
        ensure!(now < shared.until + ALERTS_WAIT, "{waiting} alerts did not come");
        // The time-out is for the end, when nothing changes any more.
        let _ = tokio::time::timeout(Duration::from_millis(100), changed.changed()).await;
    }
}

impl Shared {
    /// Every event that was handed out is acknowledged.
    fn next_is_settled(&self) -> bool {
        self.accepted.load(Ordering::Relaxed) >= self.next.load(Ordering::Relaxed)
    }
}

async fn memory_at(when: Instant) -> Option<f64> {
    tokio::time::sleep_until(when.into()).await;
    resident_mib()
}

fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
