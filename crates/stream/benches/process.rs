//! What an event costs on its way in and on its way through: `cargo bench -p salus-stream --bench process -- [EVENTS] [BATCH]`. First events are published with
//! processing stopped, then processing catches up: events/s and CPU of each by itself. Then both at once, with 256 publishes of one event in flight.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends where it fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use db::SystemClock;
use event::Sources;
use fhir::Clock;
use gate::{Access, Gate, GateConfig, Matter, Permit, Principal, Subject, Tenant};
use rules::RuleSet;
use stream::alert::Policy;
use stream::surveillance::SurveillanceConfig;
use stream::{Platform, PlatformConfig, Settings};
use testkit::DataFolder;

const PATIENTS: u64 = 500;
const IN_FLIGHT: usize = 256;
/// One event of so many raises an alert of a patient of its own.
const ALERT_EVERY: u64 = 100;

fn event(n: u64, at: &str) -> Bytes {
    let raises = n % ALERT_EVERY == ALERT_EVERY - 1;
    let patient = if raises { format!("alert-{n}") } else { format!("bed-{}", n % PATIENTS) };
    let rate = if raises { 145 } else { 62 + n % 25 };
    Bytes::from(format!(
        "{{\"id\":\"bench-{n}\",\"kind\":\"vital_signs\",\"patient\":\"urn:bench|{patient}\",\"at\":\"{at}\",\"source\":\"bench\",\"unit\":\"ward-{}\",\
         \"data\":{{\"heart_rate\":{rate},\"bp_systolic\":{},\"bp_diastolic\":{},\"spo2\":{},\"respiratory_rate\":{},\
         \"temperature\":{{\"value\":36.{},\"unit\":\"Cel\"}}}}}}",
        n % 8,
        115 + n % 20,
        70 + n % 12,
        96 + n % 4,
        13 + n % 6,
        5 + n % 4,
    ))
}

async fn permit(gate: &Gate, matter: Matter) -> Permit {
    let access = Access::new(Arc::new(Principal::service("bench", Tenant::main())), None, "bench").unwrap();
    gate.permit_ongoing(&access, Subject::new(matter, "")).await.unwrap()
}

/// CPU seconds of this process so far.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

/// Runs something over a number of events and says what it took.
async fn measured(what: &str, n: u64, work: impl Future<Output = ()>) {
    let (began, cpu) = (Instant::now(), cpu_secs());
    work.await;
    let (secs, cpu) = (began.elapsed().as_secs_f64(), cpu_secs() - cpu);
    #[allow(clippy::cast_precision_loss, reason = "far fewer events than that")]
    let n = n as f64;
    println!("{what:<10} {:>9.0} events/s {:>7.1} us CPU an event", n / secs, cpu * 1e6 / n);
}

async fn run(n_events: u64, n_batch: u64) {
    let folder = DataFolder::new();
    let gate =
        Gate::open(GateConfig::new(folder.path(), "http://127.0.0.1/fhir"), Arc::new(SystemClock)).unwrap();
    let config = PlatformConfig {
        dir: folder.path().to_owned(),
        gate: gate.clone(),
        fhir_base: "http://127.0.0.1/fhir".to_owned(),
        keys: None,
        rules: RuleSet::shipped(),
        alerts: Policy::standard(),
        sources: Sources::default(),
        surveillance: SurveillanceConfig::default(),
        kafka: None,
        settings: Settings::default(),
    };
    let platform = Platform::open(config).await.unwrap();
    let (publish, look): (_, Permit) =
        (Arc::new(permit(&gate, Matter::PublishEvents).await), permit(&gate, Matter::Streams).await);
    measured("published", n_events, async {
        for first in (0..n_events).step_by(usize::try_from(n_batch).unwrap()) {
            let at = SystemClock.now().to_rfc3339_millis();
            let events = (first..(first + n_batch).min(n_events)).map(|n| event(n, &at)).collect();
            platform.publish(&publish, events).await.unwrap();
        }
    })
    .await;
    measured("processed", n_events, async {
        platform.start().unwrap();
        while platform.health(&look).await.unwrap().lag > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let next = Arc::new(AtomicU64::new(n_events));
    measured("both", n_events, async {
        let senders = (0..IN_FLIGHT).map(|_| {
            let (platform, publish, next) = (platform.clone(), Arc::clone(&publish), Arc::clone(&next));
            tokio::spawn(async move {
                while let n = next.fetch_add(1, Ordering::Relaxed)
                    && n < 2 * n_events
                {
                    let at = SystemClock.now().to_rfc3339_millis();
                    platform.publish(&publish, vec![event(n, &at)]).await.unwrap();
                }
            })
        });
        for sender in senders.collect::<Vec<_>>() {
            sender.await.unwrap();
        }
        while platform.health(&look).await.unwrap().lag > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    platform.stop().await;
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let mut number = |usual| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (n_events, n_batch) = (number(100_000), number(500));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(n_events, n_batch));
}
