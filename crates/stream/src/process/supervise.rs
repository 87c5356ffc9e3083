//! Keeps the tasks of a platform going: one per partition, one each for alerts' timers, Observations, the store's change log and tidying. What ends
//! is started again, later each time; `/readyz` says no meanwhile.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event::Kind;
use fhir::{Clock, Instant};
use tokio::sync::{Notify, watch};

use super::metrics::Metrics;
use super::partition::Partition;
use super::probe::File;
use crate::StreamError;
use crate::platform::Platform;

/// Kinds that every partition reads, whether they were ever written to or not.
pub(crate) const KINDS: [Kind; 9] = [
    Kind::VitalSigns,
    Kind::LabResults,
    Kind::MedicationOrders,
    Kind::ClinicalNotes,
    Kind::PopulationHealth,
    Kind::DeviceData,
    Kind::SocialDeterminants,
    Kind::PatientMovement,
    Kind::FhirChange,
];

/// The task that writes Observations into the store.
pub(crate) const OBSERVATIONS: &str = "observations";
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// How long tasks get to end when the platform stops.
const STOP_SECS_MAX: u64 = 20;

type Work = Pin<Box<dyn Future<Output = Result<(), StreamError>> + Send>>;
type Make = Box<dyn Fn(Platform, watch::Receiver<bool>) -> Work + Send + Sync>;

/// An offset, and when it moved.
type Moved = (u64, Option<Instant>);

/// How the tasks are.
pub(crate) struct Status {
    clock: Arc<dyn Clock>,
    /// By task: why it stands still.
    trouble: Mutex<BTreeMap<String, String>>,
    /// By partition and kind: the next offset, and when it last moved in this process.
    next: Mutex<BTreeMap<(u32, Kind), Moved>>,
    /// What was in the way is gone: what waits to be started again need not wait.
    pub(crate) recovered: Notify,
}

impl Status {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Status {
        Status { clock, trouble: Mutex::default(), next: Mutex::default(), recovered: Notify::new() }
    }

    pub(crate) fn troubled(&self, task: &str, why: String) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).insert(task.to_owned(), why);
    }

    pub(crate) fn is_troubled(&self, task: &str) -> bool {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).contains_key(task)
    }

    pub(crate) fn well(&self, task: &str) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).remove(task);
    }

    /// A partition has done a round.
    pub(crate) fn healthy(&self, partition: u32, next: &BTreeMap<Kind, u64>) {
        self.well(&name_of(partition));
        let mut known = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, offset) in next {
            match known.get_mut(&(partition, kind.clone())) {
                Some((at, moved)) if at != offset => (*at, *moved) = (*offset, Some(self.clock.now())),
                Some(_) => {}
                None => drop(known.insert((partition, kind.clone()), (*offset, None))),
            }
        }
    }

    /// What stands still, and why.
    pub(crate) fn troubles(&self) -> BTreeMap<String, String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The next offsets.
    pub(crate) fn offsets(&self) -> BTreeMap<(u32, Kind), u64> {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.iter().map(|(place, (offset, _))| (place.clone(), *offset)).collect()
    }

    /// When each of them last moved.
    pub(crate) fn moved(&self) -> BTreeMap<(u32, Kind), Instant> {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.iter().filter_map(|(place, (_, moved))| Some((place.clone(), (*moved)?))).collect()
    }
}

fn name_of(partition: u32) -> String {
    format!("partition {partition}")
}

/// Tasks at work, and how to end them.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Running {
    /// Starts all tasks.
    pub(crate) fn start(platform: &Platform) -> Running {
        let (stop, stopped) = watch::channel(false);
        let mut makes: Vec<(String, Make)> = Vec::new();
        for index in 0..platform.inner.log.partitions() {
            let make: Make = Box::new(move |platform, stop| {
                Box::pin(async move { Partition::open(platform, index).await?.run(stop).await })
            });
            makes.push((name_of(index), make));
        }
        makes.push((
            "probe".to_owned(),
            Box::new(|platform, stop| Box::pin(async move { platform.keep_probing(stop).await })),
        ));
        makes.push((
            OBSERVATIONS.to_owned(),
            Box::new(|platform, stop| Box::pin(async move { platform.write_observations(stop).await })),
        ));
        if platform.settings().follow_store {
            makes.push((
                "store".to_owned(),
                Box::new(|platform, stop| Box::pin(async move { platform.follow_store(stop).await })),
            ));
        }
        makes.push((
            "tidying".to_owned(),
            Box::new(|platform, stop| Box::pin(async move { platform.keep_tidy(stop).await })),
        ));
        makes.push((
            "surveillance".to_owned(),
            Box::new(|platform, stop| Box::pin(async move { platform.keep_counting(stop).await })),
        ));
        makes.push((
            "alerts".to_owned(),
            Box::new(|platform, mut stop| {
                Box::pin(async move {
                    tokio::select! {
                        () = platform.alerts().keep_time() => {}
                        _ = stop.wait_for(|stop| *stop) => {}
                    }
                    Ok(())
                })
            }),
        ));
        let tasks = makes
            .into_iter()
            .map(|(name, make)| tokio::spawn(supervise(platform.clone(), name, make, stopped.clone())));
        Running { tasks: tasks.collect(), stop }
    }

    /// Lets the tasks end what they do.
    pub(crate) async fn stop(self, platform: &Platform) {
        self.stop.send_replace(true);
        platform.inner.wake.notify_waiters();
        let all = async {
            for task in self.tasks {
                // A task that panicked is over too.
                drop(task.await);
            }
        };
        if tokio::time::timeout(Duration::from_secs(STOP_SECS_MAX), all).await.is_err() {
            tracing::warn!("streams were still at work when the server stopped: they go on where they were");
        }
    }
}

async fn supervise(platform: Platform, name: String, make: Make, mut stop: watch::Receiver<bool>) {
    let wait_max = Duration::from_secs(u64::from(platform.settings().restart_secs_max.max(1)));
    let mut wait = FIRST_WAIT;
    loop {
        let began = tokio::time::Instant::now();
        // A task of its own, so that a panic ends it and nothing else.
        let ended = tokio::spawn(make(platform.clone(), stop.clone())).await;
        if *stop.borrow() {
            return;
        }
        let why = match ended {
            Ok(Ok(())) => "it ended".to_owned(),
            Ok(Err(error)) => {
                if let StreamError::Database(cause) = &error {
                    platform.cannot_write(File::Stream, cause);
                }
                error.to_string()
            }
            Err(_) => "it broke, which is a bug".to_owned(),
        };
        if began.elapsed() > wait_max {
            wait = FIRST_WAIT;
        }
        tracing::error!(
            task = name,
            wait_millis = wait.as_millis(),
            "a task of the streams stands still: {why}"
        );
        Metrics::count(&platform.inner.metrics.restarts, 1);
        platform.inner.status.troubled(&name, why);
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(wait_max),
            () = platform.inner.status.recovered.notified() => wait = FIRST_WAIT,
            _ = stop.wait_for(|stop| *stop) => return,
        }
        // These say themselves that they are well, after a round.
        if name != OBSERVATIONS && !name.starts_with("partition ") {
            platform.inner.status.well(&name);
        }
    }
}
