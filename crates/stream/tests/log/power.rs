//! Loss of power and failing disks, on a disk in memory that loses what was not synced.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::{Database, DbError, Options, Synchronous};
use event::Kind;
use stream::log::{EventLog, LogError, Novelty, Position};
use testkit::{Fault, LossyDisk};

use crate::common::{event, read_all};

const MIGRATIONS: &[&str] = &[include_str!("../../src/migrations/log.sql")];

/// Where each acknowledged event is.
type Acknowledged = BTreeMap<(String, usize), Position>;

async fn open(disk: &LossyDisk, synchronous: Synchronous) -> (Database, EventLog) {
    let options = Options::new("/t.db", 0x5a17, MIGRATIONS);
    let vfs = Some(disk.vfs().to_owned());
    // A short write-ahead log, so that crashes also meet its copying.
    let options = Options { vfs, synchronous, checkpoint_wal_bytes: 128 * 1024, ..options };
    let database = Database::open(options).unwrap();
    let log = EventLog::open_embedded(database.clone(), 4).await.unwrap();
    (database, log)
}

/// Eight patients' events are appended until that fails, or `n_max` each are.
async fn append_concurrently(log: &EventLog, from: usize, n_max: usize) -> Acknowledged {
    let acknowledged = Arc::new(Mutex::new(Acknowledged::new()));
    let tasks = (0..8).map(|patient| {
        let (log, acknowledged) = (log.clone(), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            let patient = format!("Patient/{patient}");
            for n in from..from + n_max {
                let Ok(appended) = log.append(vec![event(&patient, n)]).await else { break };
                acknowledged.lock().unwrap().insert((patient.clone(), n), appended[0].position.clone());
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    Arc::into_inner(acknowledged).unwrap().into_inner().unwrap()
}

/// Fails when one of them is not where it was, as it was; gives how many entries there are.
async fn missing(log: &EventLog, acknowledged: &Acknowledged) -> (Vec<(String, usize)>, usize) {
    let entries = read_all(log, &[Kind::VitalSigns]).await;
    let by_position: BTreeMap<_, _> = entries.iter().map(|e| (e.position.clone(), &e.append)).collect();
    let is_missing = |((patient, n), position): &(&(String, usize), &Position)| {
        by_position.get(position) != Some(&&event(patient, *n))
    };
    let missing = acknowledged.iter().filter(is_missing).map(|(event, _)| event.clone()).collect();
    (missing, entries.len())
}

/// Crashes under load; gives what was acknowledged, and the disk.
async fn crash(synchronous: Synchronous, seed: u64) -> (Acknowledged, LossyDisk) {
    let disk = LossyDisk::new();
    let (database, log) = open(&disk, synchronous).await;
    let begun = disk.n_changes();
    let plug = tokio::spawn({
        let disk = disk.clone();
        async move {
            while disk.n_changes() < begun + 200 + seed * 37 {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            match seed % 2 {
                0 => disk.crash(),
                _ => disk.crash_torn(seed),
            }
        }
    });
    let acknowledged = append_concurrently(&log, 0, 1_000_000).await;
    plug.await.unwrap();
    drop((log, database));
    (acknowledged, disk)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_events_survive_loss_of_power() {
    for seed in 0..30 {
        let (acknowledged, disk) = crash(Synchronous::Full, seed).await;
        let (database, log) = open(&disk, Synchronous::Full).await;
        let (missing, _) = missing(&log, &acknowledged).await;
        assert!(missing.is_empty(), "seed {seed}: {missing:?} of {} are lost", acknowledged.len());
        assert!(!acknowledged.is_empty());
        // What is sent again is known, and what is new follows.
        let ((patient, n), position) = acknowledged.first_key_value().unwrap();
        let again = log.append(vec![event(patient, *n), event(patient, 9_999_999)]).await.unwrap();
        assert_eq!((again[0].novelty, &again[0].position), (Novelty::Duplicate, position));
        assert_eq!(again[1].novelty, Novelty::New);
        database.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_the_same_test_sees_the_loss() {
    let (acknowledged, disk) = crash(Synchronous::Off, 0).await;
    let (database, log) = open(&disk, Synchronous::Full).await;
    let (missing, _) = missing(&log, &acknowledged).await;
    assert!(!missing.is_empty(), "nothing of {} was lost: the test proves nothing", acknowledged.len());
    database.close().await.unwrap();
}

/// A failed sync leaves nobody certain of what is on disk: nothing is acknowledged any more until the log is opened again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_change_fails_nothing_acknowledged_is_lost() {
    let mut n_failed = 0;
    for n in 0.. {
        let disk = LossyDisk::new();
        let (database, log) = open(&disk, Synchronous::Full).await;
        let mut acknowledged = append_concurrently(&log, 0, 2).await;
        disk.fail_once_after(n, Fault::Broken);
        acknowledged.extend(append_concurrently(&log, 100, 4).await);
        if !disk.heal() {
            break;
        }
        n_failed += 1;
        // The change that failed may have been one of the copying beside the log, which is tried again.
        if let Some(failure) = log.failure() {
            assert!(matches!(failure, LogError::Poisoned(DbError::Io(_))), "{failure:?}");
            let after = log.append(vec![event("Patient/1", 500)]).await;
            assert!(matches!(after, Err(LogError::Poisoned(_))), "{after:?}");
        } else {
            assert_eq!(acknowledged.len(), 8 * 6);
        }
        let (lost, _) = missing(&log, &acknowledged).await;
        assert!(lost.is_empty(), "change {n}: {lost:?} are lost before the crash");
        disk.crash();
        drop((log, database));
        let (database, log) = open(&disk, Synchronous::Full).await;
        let (lost, _) = missing(&log, &acknowledged).await;
        assert!(lost.is_empty(), "change {n}: {lost:?} are lost after the crash");
        assert!(log.failure().is_none());
        assert_eq!(append_concurrently(&log, 700, 1).await.len(), 8);
        database.close().await.unwrap();
    }
    assert!(n_failed > 10, "{n_failed}");
}

/// What failed is not there, and is new when it is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_full_disk_it_goes_on_without_gaps() {
    for n in 0..12 {
        let disk = LossyDisk::new();
        let (database, log) = open(&disk, Synchronous::Full).await;
        let mut acknowledged = append_concurrently(&log, 0, 3).await;
        disk.fail_after(n, Fault::Full);
        acknowledged.extend(append_concurrently(&log, 100, 5).await);
        let refused = log.append(vec![event("Patient/1", 777)]).await;
        assert!(matches!(refused, Err(LogError::NoSpace)), "{refused:?}");
        disk.heal();
        assert!(log.failure().is_none());
        let again = log.append(vec![event("Patient/1", 777)]).await.unwrap();
        assert_eq!(again[0].novelty, Novelty::New);
        acknowledged.insert(("Patient/1".into(), 777), again[0].position.clone());
        let (lost, n_entries) = missing(&log, &acknowledged).await;
        assert!(lost.is_empty(), "after {n} changes: {lost:?} are lost");
        assert_eq!(n_entries, acknowledged.len(), "what was refused is not there");
        database.close().await.unwrap();
    }
}
