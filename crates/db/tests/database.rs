//! A database file as its users see it: shared commits, isolated jobs, snapshots, errors, closing.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use db::{Database, DbError, Options, Synchronous};
use tempfile::TempDir;

const MIGRATIONS: &[&str] = &["CREATE TABLE note (text TEXT NOT NULL UNIQUE)"];

fn options(folder: &TempDir) -> Options {
    let options = Options::new(folder.path().join("t.db"), 0x5a17, MIGRATIONS);
    Options { synchronous: Synchronous::Off, ..options }
}

fn open() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(options(&folder)).unwrap();
    (folder, database)
}

async fn insert(database: &Database, text: &'static str) -> Result<usize, DbError> {
    database.write(move |conn| conn.execute("INSERT INTO note VALUES (?1)", [text])).await
}

fn notes(conn: &rusqlite::Connection) -> rusqlite::Result<String> {
    conn.query_row("SELECT coalesce(group_concat(text ORDER BY text), '') FROM note", [], |row| row.get(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_share_a_commit() {
    let (_folder, database) = open();
    let (go, gate) = mpsc::channel::<()>();
    let first = tokio::spawn({
        let database = database.clone();
        async move { database.write(move |_| Ok(gate.recv().is_ok())).await }
    });
    while database.stats().n_jobs < 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The writer is busy with the first batch: these 200 wait.
    let write =
        |n: u32| database.write(move |conn| conn.execute("INSERT INTO note VALUES (?1)", [n.to_string()]));
    let mut waiting: Vec<_> = (0..200).map(|n| Box::pin(tokio::task::unconstrained(write(n)))).collect();
    for write in &mut waiting {
        // Asked once, a write is in the queue.
        assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    go.send(()).unwrap();
    assert!(first.await.unwrap().unwrap());
    for write in waiting {
        assert_eq!(write.await.unwrap(), 1);
    }
    let stats = database.stats();
    assert_eq!(stats.n_jobs, 201);
    assert!(stats.n_batches <= 10, "{stats:?}");
}

#[tokio::test]
async fn a_failing_job_leaves_the_others_alone() {
    let (_folder, database) = open();
    let (good, bad, also_good) = tokio::join!(
        insert(&database, "a"),
        database.write(|conn| {
            conn.execute("INSERT INTO note VALUES ('half')", [])?;
            conn.execute("INSERT INTO note VALUES ('a')", [])
        }),
        insert(&database, "b"),
    );
    assert_eq!((good.unwrap(), also_good.unwrap()), (1, 1));
    assert!(matches!(bad, Err(DbError::Sqlite(_))));
    assert_eq!(database.read(notes).await.unwrap(), "a,b");
}

#[tokio::test]
async fn a_panicking_job_leaves_the_others_alone() {
    let (_folder, database) = open();
    let panicking = database.write(|conn| -> rusqlite::Result<()> {
        conn.execute("INSERT INTO note VALUES ('half')", [])?;
        panic!("as the test wants");
    });
    let (good, bad, also_good) = tokio::join!(insert(&database, "a"), panicking, insert(&database, "b"));
    assert_eq!((good.unwrap(), also_good.unwrap()), (1, 1));
    assert!(matches!(bad, Err(DbError::Panicked)), "{bad:?}");
    let read = database.read(|_| -> rusqlite::Result<()> { panic!("as the test wants") }).await;
    assert!(matches!(read, Err(DbError::Panicked)), "{read:?}");
    assert_eq!(database.read(notes).await.unwrap(), "a,b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_sees_one_snapshot() {
    let (_folder, database) = open();
    insert(&database, "a").await.unwrap();
    let ((begun, has_begun), (go, gate)) = (mpsc::channel::<()>(), mpsc::channel::<()>());
    let read = tokio::spawn({
        let database = database.clone();
        async move {
            database
                .read(move |conn| {
                    let before = notes(conn)?;
                    begun.send(()).unwrap();
                    gate.recv().unwrap();
                    Ok((before, notes(conn)?))
                })
                .await
        }
    });
    has_begun.recv().unwrap();
    insert(&database, "b").await.unwrap();
    assert_eq!(database.read(notes).await.unwrap(), "a,b");
    go.send(()).unwrap();
    assert_eq!(read.await.unwrap().unwrap(), ("a".into(), "a".into()));
    let blocking = tokio::task::spawn_blocking(move || database.read_blocking(notes));
    assert_eq!(blocking.await.unwrap().unwrap(), "a,b");
}

#[tokio::test]
async fn a_read_cannot_write() {
    let (_folder, database) = open();
    let error = database.read(|conn| conn.execute("INSERT INTO note VALUES ('a')", [])).await.unwrap_err();
    assert!(matches!(error, DbError::ReadOnly), "{error:?}");
    assert_eq!(database.read(notes).await.unwrap(), "");
}

#[tokio::test]
async fn a_full_database_refuses_and_recovers() {
    let (_folder, database) = open();
    insert(&database, "a").await.unwrap();
    let set_max = |pages: u32| {
        database.write(move |conn| conn.query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(())))
    };
    set_max(10).await.unwrap();
    let big =
        || database.write(|conn| conn.execute("INSERT INTO note VALUES (printf('%.*c', 1000000, 'x'))", []));
    let (small, too_big) = tokio::join!(insert(&database, "b"), big());
    assert!(matches!(too_big, Err(DbError::Full)), "{too_big:?}");
    // SQLite may have had to roll back the small one's batch with it; it says so.
    let kept = if small.is_ok() { "a,b,c" } else { "a,c" };
    insert(&database, "c").await.unwrap();
    assert_eq!(database.read(notes).await.unwrap(), kept);
    set_max(10_000).await.unwrap();
    big().await.unwrap();
}

#[tokio::test]
async fn closing_does_what_waits_and_refuses_the_rest() {
    let (folder, database) = open();
    let writes = (0..50).map(|n| {
        let database = database.clone();
        tokio::spawn(
            async move { database.write(move |c| c.execute("INSERT INTO note VALUES (?1)", [n])).await },
        )
    });
    let writes: Vec<_> = writes.collect();
    tokio::task::yield_now().await;
    database.close().await.unwrap();
    let mut n_done = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(_) => n_done += 1,
            Err(error) => assert!(matches!(error, DbError::Closed), "{error:?}"),
        }
    }
    assert!(n_done > 0);
    assert!(matches!(insert(&database, "late").await, Err(DbError::Closed)));
    assert!(matches!(database.read(notes).await, Err(DbError::Closed)));
    database.close().await.unwrap();
    assert!(!folder.path().join("t.db-wal").exists(), "the log was copied and removed");

    let again = Database::open(options(&folder)).unwrap();
    let rows: i64 =
        again.read(|c| c.query_row("SELECT count(*) FROM note", [], |row| row.get(0))).await.unwrap();
    assert_eq!(rows, n_done);
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_what_has_not_begun() {
    let (_folder, database) = open();
    let (go, gate) = mpsc::channel::<()>();
    let busy = tokio::spawn({
        let database = database.clone();
        async move { database.write(move |_| Ok(gate.recv().is_ok())).await }
    });
    while database.stats().n_jobs < 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let impatient = tokio::time::timeout(Duration::from_millis(5), insert(&database, "a")).await;
    assert!(impatient.is_err());
    go.send(()).unwrap();
    assert!(busy.await.unwrap().unwrap());
    insert(&database, "b").await.unwrap();
    assert_eq!(database.read(notes).await.unwrap(), "b");
}

#[tokio::test]
async fn the_log_is_copied_and_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(Options { checkpoint_wal_bytes: 256 * 1024, ..options(&folder) }).unwrap();
    for n in 0..300 {
        let text = format!("{n} {}", "x".repeat(8000));
        database.write(move |conn| conn.execute("INSERT INTO note VALUES (?1)", [text])).await.unwrap();
    }
    let stats = database.stats();
    assert!(stats.n_log_restarts > 0, "{stats:?}");
    let log_bytes = folder.path().join("t.db-wal").metadata().unwrap().len();
    assert!(log_bytes < 1024 * 1024, "{log_bytes}");
    database.optimize().await.unwrap();
}

#[tokio::test]
async fn the_log_is_copied_when_nobody_writes() {
    let (folder, database) = open();
    let write =
        database.write(|conn| conn.execute("INSERT INTO note VALUES (printf('%.*c', 1000000, 'x'))", []));
    write.await.unwrap();
    let file_bytes = || folder.path().join("t.db").metadata().unwrap().len();
    let until = std::time::Instant::now() + Duration::from_secs(120);
    while file_bytes() < 1_000_000 {
        assert!(std::time::Instant::now() < until, "{}", file_bytes());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_read_keeps_its_snapshot_and_does_not_stop_writers() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(Options { checkpoint_wal_bytes: 64 * 1024, ..options(&folder) }).unwrap();
    insert(&database, "a").await.unwrap();
    let ((begun, has_begun), (go, gate)) = (mpsc::channel::<()>(), mpsc::channel::<()>());
    let read = tokio::spawn({
        let database = database.clone();
        async move {
            let count = |conn: &rusqlite::Connection| {
                conn.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0))
            };
            database
                .read(move |conn| {
                    let before = count(conn)?;
                    begun.send(()).unwrap();
                    gate.recv().unwrap();
                    Ok((before, count(conn)?))
                })
                .await
        }
    });
    has_begun.recv().unwrap();
    let fill = |from: i64| {
        let database = database.clone();
        async move {
            for n in from..from + 100 {
                let text = format!("{n} {}", "x".repeat(4000));
                database
                    .write(move |conn| conn.execute("INSERT INTO note VALUES (?1)", [text]))
                    .await
                    .unwrap();
            }
        }
    };
    fill(0).await;
    assert_eq!(database.stats().n_log_restarts, 0, "the reader needs the old pages");
    go.send(()).unwrap();
    assert_eq!(read.await.unwrap().unwrap(), (1, 1));
    fill(100).await;
    assert!(database.stats().n_log_restarts > 0);
}
