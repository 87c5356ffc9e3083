//! Loss of power and failing disks under concurrent writers: what was acknowledged stays, nothing is half there, and the
//! database goes on when the disk does.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::{Database, DbError, Options, Synchronous};
use testkit::{Fault, LossyDisk};

const MIGRATIONS: &[&str] =
    &["CREATE TABLE a (x INTEGER PRIMARY KEY, filler)", "CREATE TABLE b (x INTEGER PRIMARY KEY)"];

fn open(disk: &LossyDisk, synchronous: Synchronous) -> Result<Database, DbError> {
    let options = Options::new("/t.db", 0x5a17, MIGRATIONS);
    let vfs = Some(disk.vfs().to_owned());
    // A short log, so that crashes also meet its copying.
    Database::open(Options { vfs, synchronous, checkpoint_wal_bytes: 128 * 1024, ..options })
}

async fn write(database: &Database, x: i64) -> Result<(), DbError> {
    let job = move |conn: &rusqlite::Connection| {
        conn.prepare_cached("INSERT INTO a VALUES (?1, zeroblob(?1 % 5000))")?.execute([x])?;
        conn.prepare_cached("INSERT INTO b VALUES (?1)")?.execute([x])?;
        Ok(())
    };
    database.write(job).await
}

/// Several tasks write different numbers until they fail, or have written `each`; returns those that were acknowledged.
async fn write_concurrently(database: &Database, from: i64, each: i64) -> BTreeSet<i64> {
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let tasks = (0..8).map(|task| {
        let (database, acknowledged) = (database.clone(), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            for x in (0..each).map(|n| from + n * 8 + task) {
                match write(&database, x).await {
                    Ok(()) => assert!(acknowledged.lock().unwrap().insert(x)),
                    Err(_) => break,
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    Arc::into_inner(acknowledged).unwrap().into_inner().unwrap()
}

async fn rows(database: &Database) -> BTreeSet<i64> {
    let read = |conn: &rusqlite::Connection| {
        let halves: i64 = conn.query_row(
            "SELECT count(*) FROM a FULL JOIN b USING (x) WHERE a.x IS NULL OR b.x IS NULL",
            [],
            |row| row.get(0),
        )?;
        assert_eq!(halves, 0, "half a job");
        let check: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(check, "ok");
        conn.prepare("SELECT x FROM a")?.query_map([], |row| row.get(0))?.collect()
    };
    database.read(read).await.unwrap()
}

/// Crashes under load; returns what was acknowledged before, and what is there after.
async fn crash(synchronous: Synchronous, seed: u64) -> (BTreeSet<i64>, BTreeSet<i64>) {
    let disk = LossyDisk::new();
    let database = open(&disk, synchronous).unwrap();
    let plug = tokio::spawn({
        let disk = disk.clone();
        async move {
            while disk.n_changes() < 200 + seed * 37 {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            match seed % 2 {
                0 => disk.crash(),
                _ => disk.crash_torn(seed),
            }
        }
    });
    let acknowledged = write_concurrently(&database, 1, i64::MAX / 8 - 8).await;
    plug.await.unwrap();
    drop(database);
    let again = open(&disk, Synchronous::Full).unwrap();
    let found = rows(&again).await;
    write(&again, i64::MAX).await.unwrap();
    again.close().await.unwrap();
    (acknowledged, found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_loss_of_power() {
    for seed in 0..30 {
        let (acknowledged, found) = crash(Synchronous::Full, seed).await;
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "seed {seed}: lost {lost:?} of {}", acknowledged.len());
        assert!(!acknowledged.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_the_same_test_sees_the_loss() {
    let (acknowledged, found) = crash(Synchronous::Off, 0).await;
    assert!(
        !acknowledged.is_subset(&found),
        "nothing was lost of {}: the test proves nothing",
        acknowledged.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_change_fails_the_database_goes_on() {
    let mut n_failed = 0;
    for n in 0.. {
        let fault = if n % 2 == 0 { Fault::Full } else { Fault::Broken };
        let n = n / 2;
        let disk = LossyDisk::new();
        let database = open(&disk, Synchronous::Full).unwrap();
        let mut expected = write_concurrently(&database, 1, 2).await;
        disk.fail_after(n, fault);
        expected.extend(write_concurrently(&database, 1000, 5).await);
        let error = write(&database, 900).await;
        if !disk.heal() {
            break;
        }
        n_failed += 1;
        match fault {
            Fault::Full => assert!(matches!(error, Err(DbError::Full)), "{error:?}"),
            Fault::Broken => assert!(matches!(error, Err(DbError::Io(_))), "{error:?}"),
        }
        write(&database, 901).await.unwrap();
        expected.insert(901);
        assert_eq!(rows(&database).await, expected, "change {n}, {fault:?}, before the crash");
        disk.crash();
        drop(database);
        let found = rows(&open(&disk, Synchronous::Full).unwrap()).await;
        assert_eq!(found, expected, "change {n}, {fault:?}, after the crash");
    }
    assert!(n_failed > 20, "{n_failed}");
}
