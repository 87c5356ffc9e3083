//! A writer with a batch of its own: what it is told, in which order, and when answers are released.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::sync::{Arc, Mutex};

use db::{Batch, DbError, Options, Outcome, Readers, Synchronous, Weighted, Writer};
use rusqlite::Connection;
use tempfile::TempDir;

#[derive(Clone, Copy)]
enum Job {
    Keep(i64),
    Undo(i64),
    Fail(i64),
    Panic(i64),
    FailFinish(i64),
    PanicFinish(i64),
    EndTransaction,
}

impl Weighted for Job {
    fn weight(&self) -> usize {
        1
    }
}

/// Gathers numbers and writes them in `finish`, as an index would be.
struct Gather {
    gathered: Vec<i64>,
    before_job: usize,
    fails: Option<bool>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Gather {
    fn hear(&self, what: impl Into<String>) {
        self.heard.lock().unwrap().push(what.into());
    }
}

impl Batch for Gather {
    type Job = Job;
    type Answer = i64;

    fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        assert!(!conn.is_autocommit());
        self.hear("begin");
        Ok(())
    }

    fn job(&mut self, conn: &Connection, job: Job) -> rusqlite::Result<Outcome<i64>> {
        self.before_job = self.gathered.len();
        let (Job::Keep(x) | Job::Undo(x) | Job::Fail(x) | Job::Panic(x)) = job else {
            return self.job_that_fails_the_batch(conn, job);
        };
        conn.execute("INSERT INTO t VALUES (?1)", [x])?;
        self.gathered.push(x);
        match job {
            Job::Undo(_) => Ok(Outcome::Undo(-x)),
            Job::Fail(_) => Err(rusqlite::Error::QueryReturnedNoRows),
            Job::Panic(_) => panic!("as the test wants"),
            _ => Ok(Outcome::Keep(x)),
        }
    }

    fn undone(&mut self) {
        self.hear("undone");
        self.gathered.truncate(self.before_job);
    }

    fn finish(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.hear("finish");
        match self.fails.take() {
            Some(true) => panic!("as the test wants"),
            Some(false) => return Err(rusqlite::Error::QueryReturnedNoRows),
            None => {}
        }
        for x in self.gathered.drain(..) {
            conn.execute("INSERT INTO gathered VALUES (?1)", [x])?;
        }
        Ok(())
    }

    fn committed(&mut self) {
        self.hear("committed");
    }

    fn rolled_back(&mut self) {
        self.hear("rolled back");
        self.gathered.clear();
    }
}

impl Gather {
    fn job_that_fails_the_batch(&mut self, conn: &Connection, job: Job) -> rusqlite::Result<Outcome<i64>> {
        match job {
            Job::PanicFinish(x) | Job::FailFinish(x) => {
                self.fails = Some(matches!(job, Job::PanicFinish(_)));
                Ok(Outcome::Keep(x))
            }
            Job::EndTransaction | Job::Keep(_) | Job::Undo(_) | Job::Fail(_) | Job::Panic(_) => {
                // What SQLite does by itself when the disk is full.
                conn.execute_batch("ROLLBACK")?;
                Ok(Outcome::Keep(0))
            }
        }
    }
}

struct Setting {
    _folder: TempDir,
    writer: Writer<Job, i64>,
    readers: Readers,
    heard: Arc<Mutex<Vec<String>>>,
}

fn start(batch_max: usize) -> Setting {
    const MIGRATIONS: &[&str] =
        &["CREATE TABLE t (x INTEGER PRIMARY KEY); CREATE TABLE gathered (x INTEGER PRIMARY KEY)"];
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(folder.path().join("t.db"), 0x5a17, MIGRATIONS);
    let options = Options { synchronous: Synchronous::Off, batch_max, ..options };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let batch = Gather { gathered: Vec::new(), before_job: 0, fails: None, heard: Arc::clone(&heard) };
    let writer = Writer::start(options.clone(), batch).unwrap();
    let readers = Readers::open(&options).unwrap();
    Setting { _folder: folder, writer, readers, heard }
}

async fn numbers(readers: &Readers, table: &'static str) -> Vec<i64> {
    let read = move |conn: &Connection| {
        conn.prepare(&format!("SELECT x FROM {table} ORDER BY x"))?.query_map([], |row| row.get(0))?.collect()
    };
    readers.read(read).await.unwrap()
}

#[tokio::test]
async fn jobs_of_a_batch_stand_for_themselves() {
    let setting = start(100);
    let send = |job| setting.writer.send(job);
    let (keep, undo, fail, panic, last) = tokio::join!(
        send(Job::Keep(1)),
        send(Job::Undo(2)),
        send(Job::Fail(3)),
        send(Job::Panic(4)),
        send(Job::Keep(5)),
    );
    assert_eq!((keep.unwrap(), undo.unwrap(), last.unwrap()), (1, -2, 5));
    assert!(matches!(fail, Err(DbError::Sqlite(_))));
    assert!(matches!(panic, Err(DbError::Panicked)));
    for table in ["t", "gathered"] {
        assert_eq!(numbers(&setting.readers, table).await, [1, 5], "{table}");
    }
}

#[tokio::test]
async fn the_batch_hears_what_happens_in_order() {
    let setting = start(1);
    setting.writer.send(Job::Keep(1)).await.unwrap();
    setting.writer.send(Job::Undo(2)).await.unwrap();
    setting.writer.send(Job::FailFinish(3)).await.unwrap_err();
    let heard = std::mem::take(&mut *setting.heard.lock().unwrap());
    assert_eq!(
        heard,
        [
            "begin",
            "finish",
            "committed",
            "begin",
            "undone",
            "finish",
            "committed",
            "begin",
            "finish",
            "rolled back"
        ]
    );
    assert_eq!(setting.writer.stats().n_batches, 2);
    assert_eq!(setting.writer.stats().n_batches_failed, 1);
}

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing_and_the_next_works() {
    for job in [Job::FailFinish(9), Job::PanicFinish(9), Job::EndTransaction] {
        let setting = start(100);
        // The first is on its way alone; the next three may share its batch or the one after.
        let first = setting.writer.send(Job::Keep(1)).await;
        let send = |job| setting.writer.send(job);
        let (before, failing, after) = tokio::join!(send(Job::Keep(2)), send(job), send(Job::Keep(3)));
        failing.unwrap_err();
        let mut expected = vec![first.unwrap()];
        expected.extend([before, after].into_iter().flatten());
        assert_eq!(setting.writer.send(Job::Keep(4)).await.unwrap(), 4);
        expected.push(4);
        for table in ["t", "gathered"] {
            assert_eq!(numbers(&setting.readers, table).await, expected, "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_takes_no_more_than_it_may() {
    let setting = start(3);
    let sends = (0..50).map(|x| {
        let writer = setting.writer.clone();
        tokio::spawn(async move { writer.send(Job::Keep(x)).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    let stats = setting.writer.stats();
    assert!(stats.n_jobs == 50 && stats.n_batches >= 17, "{stats:?}");
}
