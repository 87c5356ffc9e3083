//! The disk of the streams is full or broken for a while: what was acknowledged is processed once, what was not is taken when it comes again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::DbError;
use gate::Matter;
use stream::StreamError;
use testkit::{Fault, LossyDisk};

use crate::house::{Ground, House, vitals};

const MEASURED: &str = "SELECT count(*) FROM measured";
const PATIENTS: u64 = 6;
const LANES: u64 = 4;

fn event(lane: u64, n: u64) -> String {
    vitals(
        &format!("e{lane}-{n}"),
        &format!("Patient/{}", (lane + n) % PATIENTS),
        i64::try_from(n).unwrap() - 900,
        r#"{"heart_rate":151}"#,
    )
}

/// Senders, each of which sends an event until it is acknowledged; gives those that were, and what refusals there were.
struct Senders {
    acknowledged: Arc<Mutex<BTreeSet<(u64, u64)>>>,
    /// By sender.
    refused: Arc<Mutex<Vec<(u64, StreamError)>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Senders {
    async fn start(house: &House, from: u64, n_events: u64) -> Senders {
        let acknowledged: Arc<Mutex<BTreeSet<(u64, u64)>>> = Arc::default();
        let refused: Arc<Mutex<Vec<(u64, StreamError)>>> = Arc::default();
        let mut tasks = Vec::new();
        for lane in 0..LANES {
            let (platform, permit) = (house.platform.clone(), house.permit(Matter::PublishEvents).await);
            let (acknowledged, refused) = (Arc::clone(&acknowledged), Arc::clone(&refused));
            tasks.push(tokio::spawn(async move {
                for n in from..from + n_events {
                    loop {
                        match platform.publish(&permit, vec![event(lane, n).into()]).await {
                            Ok(receipt) => {
                                assert_eq!(receipt.rejected, []);
                                acknowledged.lock().unwrap().insert((lane, n));
                                break;
                            }
                            Err(error) => refused.lock().unwrap().push((lane, error)),
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }));
        }
        Senders { acknowledged, refused, tasks }
    }

    fn n(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Some are, and what each of them had sent before is answered: it was refused since, or has sent everything.
    fn are_refused(&self) -> bool {
        let lanes: BTreeSet<u64> = self.refused.lock().unwrap().iter().map(|(lane, _)| *lane).collect();
        let is_done =
            |(lane, task): (u64, &tokio::task::JoinHandle<()>)| lanes.contains(&lane) || task.is_finished();
        !lanes.is_empty() && (0..).zip(&self.tasks).all(is_done)
    }

    async fn end(self) -> Vec<StreamError> {
        for task in self.tasks {
            task.await.unwrap();
        }
        let refused = Arc::into_inner(self.refused).unwrap().into_inner().unwrap();
        refused.into_iter().map(|(_, error)| error).collect()
    }
}

async fn on_disk() -> (House, LossyDisk) {
    let disk = LossyDisk::new();
    let ground = Ground { disk: Some(disk.clone()), ..Ground::default() };
    let house = House::on(ground, |settings| settings.batch_events_max = 20).await;
    house.platform.start().unwrap();
    (house, disk)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Everything is there once: events, alerts, offsets.
async fn check(house: &House, n_events: i64) {
    house.settle().await;
    assert_eq!(house.count(MEASURED).await, n_events);
    assert_eq!(house.count("SELECT sum(next) FROM position").await, n_events, "each is processed once");
    let patients = i64::try_from(PATIENTS).unwrap();
    assert_eq!(house.count("SELECT count(*) FROM alert WHERE topic = 'heart-rate'").await, patients);
    assert_eq!(house.count("SELECT count(*) FROM dead_letter").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_waited_for_and_everything_goes_on_by_itself() {
    let (house, disk) = on_disk().await;
    // Wherever it hits: an append, a batch, a timer.
    for (round, changes) in [0, 1, 2, 3, 5, 8, 13].into_iter().enumerate() {
        let base = 100 * (1 + u64::try_from(round).unwrap());
        let senders = Senders::start(&house, base, 12).await;
        disk.fail_after(changes, Fault::Full);
        until("readiness says no", || !house.platform.is_ready()).await;
        until("senders are refused", || senders.are_refused()).await;
        let n = senders.n();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(senders.n(), n, "nothing is acknowledged that cannot be written");
        assert!(disk.heal());
        // Well within the longest wait of a task that was started again and again.
        until("readiness says yes", || house.platform.is_ready()).await;
        let refused = senders.end().await;
        assert!(refused.iter().all(StreamError::is_passing), "{refused:?}");
        assert!(matches!(refused[0], StreamError::Database(DbError::Full)), "{refused:?}");
    }
    check(&house, 7 * 4 * 12).await;
    house.platform.stop().await;
}

/// After a failed sync nobody knows what is on disk: nothing more is taken until the file is opened again, and readiness says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_failed_is_trusted_again_only_after_a_start() {
    let (mut house, disk) = on_disk().await;
    let senders = Senders::start(&house, 0, 6).await;
    senders.end().await;
    disk.fail_after(2, Fault::Broken);
    let permit = house.permit(Matter::PublishEvents).await;
    let mut refused = Vec::new();
    for n in 0..10 {
        if let Err(error) = house.platform.publish(&permit, vec![event(9, n).into()]).await {
            refused.push(error);
        }
    }
    assert!(!refused.is_empty() && refused.iter().all(StreamError::is_passing), "{refused:?}");
    assert!(disk.heal());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!house.platform.is_ready());
    let after = house.platform.publish(&permit, vec![event(9, 99).into()]).await;
    assert!(matches!(after, Err(StreamError::Unavailable(_))), "{after:?}");
    house.reopen().await;
    house.platform.start().unwrap();
    let again: Vec<String> = (0..10).map(|n| event(9, n)).collect();
    let receipt = house.publish(&again).await;
    assert_eq!(receipt.accepted + receipt.duplicates.unwrap(), 10);
    check(&house, 4 * 6 + 10).await;
    assert!(house.platform.is_ready());
    house.platform.stop().await;
}
