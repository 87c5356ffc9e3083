//! The embedded log alone: opening again, backpressure, clocks that are set back, a disk that is full.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use event::Kind;
use fhir::{Clock, Instant};
use stream::log::{Append, EmbeddedOptions, EventLog, LogError, Novelty, Offsets, Retention};
use testkit::DataFolder;

use crate::common::{append, event, read_all};

async fn open(folder: &DataFolder, options: EmbeddedOptions) -> (db::Database, EventLog) {
    let database = stream::open_log(&folder.join("log.db")).unwrap();
    let log = EventLog::open_embedded(database.clone(), options).await.unwrap();
    (database, log)
}

#[tokio::test]
async fn opened_again_it_goes_on() {
    let folder = DataFolder::new();
    let (database, log) = open(&folder, 4.into()).await;
    append(&log, (0..50).map(|n| event(&format!("Patient/{}", n % 7), n)).collect()).await;
    database.close().await.unwrap();
    assert!(matches!(log.append(vec![event("Patient/1", 99)]).await, Err(LogError::Closed)));

    // The number of partitions stays, whatever is asked: patients keep theirs.
    let (database, log) = open(&folder, 9.into()).await;
    assert_eq!(log.partitions(), 4);
    let again = log.append((0..50).map(|n| event(&format!("Patient/{}", n % 7), n)).collect()).await.unwrap();
    assert!(again.iter().all(|a| a.novelty == Novelty::Duplicate));
    append(&log, vec![event("Patient/1", 50)]).await;
    assert_eq!(read_all(&log, &[Kind::VitalSigns]).await.len(), 51);
    database.close().await.unwrap();
}

#[tokio::test]
async fn duplicates_are_looked_for_in_a_window() {
    let folder = DataFolder::new();
    let options = EmbeddedOptions { n_duplicates_window: 10, ..4.into() };
    let (database, log) = open(&folder, options.clone()).await;
    for n in 0..30 {
        append(&log, vec![event("Patient/1", n)]).await;
    }
    let ask = async |log: &EventLog, n| log.append(vec![event("Patient/1", n)]).await.unwrap()[0].novelty;
    assert_eq!(ask(&log, 20).await, Novelty::Duplicate);
    assert_eq!(ask(&log, 19).await, Novelty::New);
    database.close().await.unwrap();
    let (database, log) = open(&folder, options).await;
    assert_eq!(ask(&log, 29).await, Novelty::Duplicate);
    assert_eq!(ask(&log, 20).await, Novelty::New);
    database.close().await.unwrap();
}

#[tokio::test]
async fn who_sends_too_much_is_told_to_wait() {
    let folder = DataFolder::new();
    let (database, log) = open(&folder, EmbeddedOptions { waiting_bytes_max: 10_000, ..4.into() }).await;
    let (go, gate) = mpsc::channel::<()>();
    let busy = tokio::spawn({
        let database = database.clone();
        async move { database.write(move |_| Ok(gate.recv().is_ok())).await }
    });
    let big = |n| Append { body: vec![b'x'; 1000], ..event("Patient/1", n) };
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            tokio::spawn({
                let log = log.clone();
                async move { log.append(vec![big(n)]).await }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    go.send(()).unwrap();
    assert!(busy.await.unwrap().unwrap());
    let (mut n_taken, mut n_refused) = (0, 0);
    for task in waiting {
        match task.await.unwrap() {
            Ok(_) => n_taken += 1,
            Err(LogError::Full { bytes_max: 10_000 }) => n_refused += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((n_taken, n_refused), (8, 12));
    assert_eq!(read_all(&log, &[Kind::VitalSigns]).await.len(), 8);
    // There is room again, and none for what would never fit.
    append(&log, vec![big(100)]).await;
    let never = Append { body: vec![b'x'; 20_000], ..event("Patient/1", 101) };
    assert!(matches!(log.append(vec![never]).await, Err(LogError::TooLarge { .. })));
    database.close().await.unwrap();
}

struct Settable(AtomicI64);

impl Clock for Settable {
    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn times_rise_when_the_clock_is_set_back() {
    let folder = DataFolder::new();
    let clock = Arc::new(Settable(AtomicI64::new(1_000_000)));
    let (database, log) = open(&folder, EmbeddedOptions { clock: Arc::clone(&clock) as _, ..1.into() }).await;
    append(&log, vec![event("Patient/1", 0), event("Patient/1", 1)]).await;
    clock.0.store(5, Ordering::Relaxed);
    append(&log, vec![event("Patient/2", 2)]).await;
    let times: Vec<i64> = read_all(&log, &[Kind::VitalSigns]).await.iter().map(|e| e.appended_at.0).collect();
    assert_eq!(times, [1_000_000, 1_000_001, 1_000_002]);
    database.close().await.unwrap();
}

#[tokio::test]
async fn the_oldest_go_when_a_partition_is_too_large() {
    let folder = DataFolder::new();
    let (database, log) = open(&folder, 1.into()).await;
    for n in 0..40 {
        append(&log, vec![Append { body: vec![b'x'; 10_000], ..event("Patient/1", n) }]).await;
    }
    let all_read = Offsets::from([((Kind::VitalSigns, 0), 40)]);
    let small = Retention { age_secs_max: None, partition_bytes_max: Some(105_000) };
    assert_eq!(log.retain(small, &all_read).await.unwrap().n_entries, 30);
    assert_eq!(log.retain(small, &all_read).await.unwrap().n_entries, 0);
    database.close().await.unwrap();
    let (database, log) = open(&folder, 1.into()).await;
    let ends = log.ends().await.unwrap();
    assert_eq!((ends[0].start, ends[0].end), (30, 40));
    database.close().await.unwrap();
}

#[tokio::test]
async fn there_are_only_so_many_kinds() {
    let folder = DataFolder::new();
    let (database, log) = open(&folder, 1.into()).await;
    let of_kind = |n: usize| Append { kind: Kind::Other(format!("kind-{n}")), ..event("Patient/1", n) };
    append(&log, (0..256).map(of_kind).collect()).await;
    assert!(matches!(log.append(vec![of_kind(256)]).await, Err(LogError::KindsFull { n_max: 256 })));
    append(&log, vec![Append { id: "again".into(), ..of_kind(3) }]).await;
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_and_acknowledges_nothing() {
    let folder = DataFolder::new();
    let mount = |arguments: &[&str]| {
        Command::new("mount").args(arguments).arg(folder.path()).output().is_ok_and(|o| o.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=3m", "tmpfs"]) {
        println!("not checked: a small disk cannot be mounted here");
        return;
    }
    let (database, log) = open(&folder, 1.into()).await;
    let big = |n| Append { body: vec![b'x'; 100_000], ..event("Patient/1", n) };
    let mut n_acknowledged = 0;
    let error = loop {
        match log.append(vec![big(n_acknowledged)]).await {
            Ok(_) => n_acknowledged += 1,
            Err(error) => break error,
        }
        assert!(n_acknowledged < 100, "the disk is never full");
    };
    assert!(matches!(error, LogError::NoSpace), "{error:?}");
    assert!(n_acknowledged > 0);
    assert_eq!(read_all(&log, &[Kind::VitalSigns]).await.len(), n_acknowledged);
    assert!(log.failure().is_none(), "it goes on when there is space");
    mount(&["-o", "remount,size=30m"]);
    let after = append(&log, vec![big(n_acknowledged)]).await;
    assert_eq!(after[0].position.offset, n_acknowledged as u64);
    database.close().await.unwrap();
    drop((log, database));
    assert!(Command::new("umount").arg(folder.path()).status().unwrap().success());
}
