//! Keeps the write-ahead log short: copies it into the file, beside the writer as far as possible.
//!
//! Copying rarely is cheap (a page that changed a hundred times is copied once), and copying on a thread of its own keeps
//! commits fast: when the log has reached its limit, or nobody has written for a while, the thread copies what is there.
//! Only starting the log over needs the writer, and then there is little left to copy.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::Connection;

use crate::ended::Threads;
use crate::open::{self, BUSY_TIMEOUT};
use crate::{DbError, Options};

const IDLE: Duration = Duration::from_secs(1);
// How long commits wait for readers of an old snapshot before the log grows on instead.
const RESTART_WAIT: Duration = Duration::from_millis(20);

thread_local! {
    static LOG_PAGES: Cell<u64> = const { Cell::new(0) };
}

/// The writer's side.
pub(crate) struct Checkpoints {
    limit_bytes: u64,
    page_bytes: u64,
    /// Log size at which starting over is tried next; grows when readers prevent it.
    restart_bytes: u64,
    shared: Arc<Shared>,
    wake: Option<Sender<()>>,
    thread: Threads,
}

#[derive(Default)]
struct Shared {
    log_bytes: AtomicU64,
    /// How much of the log is in the file already.
    copied_bytes: AtomicU64,
    n_commits: AtomicU64,
    awake: AtomicBool,
    /// Held while the thread copies: SQLite refuses a second copying instead of waiting for the first.
    copying: Mutex<()>,
}

impl Checkpoints {
    /// Call on the writer's thread with the writer's connection.
    pub(crate) fn start(conn: &Connection, options: &Options) -> Result<Checkpoints, DbError> {
        let page_bytes = conn.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        watch(conn);
        let shared = Arc::new(Shared::default());
        let (wake, woken) = bounded(1);
        let limit_bytes = options.checkpoint_wal_bytes;
        let body = {
            let (conn, shared) = (open::connect(options)?, Arc::clone(&shared));
            move || copy_loop(&conn, &shared, &woken, limit_bytes)
        };
        let thread = Threads::start("db-checkpoint", [body])?;
        Ok(Checkpoints {
            limit_bytes,
            page_bytes,
            restart_bytes: limit_bytes,
            shared,
            wake: Some(wake),
            thread,
        })
    }

    /// The log's size after the last commit.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.shared.log_bytes.load(Ordering::Relaxed)
    }

    /// After each commit: true when the log was started over.
    pub(crate) fn after_commit(&mut self, conn: &Connection) -> bool {
        let log_bytes = LOG_PAGES.get() * self.page_bytes;
        if log_bytes < self.shared.log_bytes.swap(log_bytes, Ordering::Relaxed) {
            // The log has begun again.
            self.shared.copied_bytes.store(0, Ordering::Relaxed);
        }
        self.shared.n_commits.fetch_add(1, Ordering::Release);
        let is_copied = self.shared.left_bytes(log_bytes) <= self.limit_bytes / 4;
        if !self.shared.awake.swap(true, Ordering::AcqRel) || (log_bytes >= self.limit_bytes && !is_copied) {
            // The thread is woken already when the channel is full.
            let _: Option<Result<(), _>> = self.wake.as_ref().map(|wake| wake.try_send(()));
        }
        // Far beyond the limit the thread cannot keep up, and writes have to wait.
        let must = log_bytes >= self.limit_bytes.saturating_mul(2);
        log_bytes >= self.restart_bytes && (must || is_copied) && self.restart(conn, log_bytes, must)
    }

    fn restart(&mut self, conn: &Connection, log_bytes: u64, must: bool) -> bool {
        let shared = Arc::clone(&self.shared);
        let Some(_alone) = shared.copy_alone(must) else { return false };
        let restarted = restart(conn);
        if let Ok(true) = restarted {
            self.restart_bytes = self.limit_bytes;
            return true;
        }
        self.restart_bytes = log_bytes.saturating_add(self.limit_bytes / 8);
        match restarted {
            Err(error) => tracing::error!(%error, "the write-ahead log was not copied"),
            Ok(_) if must => {
                tracing::warn!(log_bytes, "a long read keeps the write-ahead log from starting over");
            }
            Ok(_) => {}
        }
        false
    }

    /// Ends the thread and copies all of the log, as far as readers allow.
    pub(crate) fn finish(mut self, conn: &Connection) {
        self.wake = None;
        self.thread.join();
        if let Err(error) = checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the write-ahead log stays for the next start");
        }
    }
}

/// Remembers the log's size after each commit of this thread.
pub(crate) fn watch(conn: &Connection) {
    conn.wal_hook(Some(|_, pages| {
        LOG_PAGES.set(u64::try_from(pages).unwrap_or(0));
        Ok(())
    }));
}

/// Tries to start the log over; false when a reader or the thread was in the way.
fn restart(conn: &Connection) -> Result<bool, DbError> {
    conn.busy_timeout(RESTART_WAIT)?;
    let done = checkpoint(conn, "PRAGMA wal_checkpoint(RESTART)");
    conn.busy_timeout(BUSY_TIMEOUT)?;
    done
}

fn checkpoint(conn: &Connection, sql: &str) -> Result<bool, DbError> {
    let busy: i64 = conn.query_row(sql, [], |row| row.get(0))?;
    Ok(busy == 0)
}

fn copy_loop(conn: &Connection, shared: &Shared, woken: &Receiver<()>, limit_bytes: u64) {
    while woken.recv().is_ok() {
        // Awake until a second has passed without a commit.
        loop {
            let seen = shared.n_commits.load(Ordering::Acquire);
            if let Err(RecvTimeoutError::Disconnected) = woken.recv_timeout(IDLE) {
                return;
            }
            let log_bytes = shared.log_bytes.load(Ordering::Relaxed);
            let is_idle = shared.n_commits.load(Ordering::Acquire) == seen;
            let left_bytes = shared.left_bytes(log_bytes);
            if (is_idle && left_bytes > 0) || (log_bytes >= limit_bytes && left_bytes > limit_bytes / 4) {
                let _alone = shared.copy_alone(true);
                match checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)") {
                    Ok(_) => shared.copied_bytes.store(log_bytes, Ordering::Relaxed),
                    Err(error) => tracing::error!(%error, "the write-ahead log was not copied"),
                }
            }
            if is_idle {
                shared.awake.store(false, Ordering::Release);
                break;
            }
        }
    }
}

impl Shared {
    /// The right to copy; `None` when the other one does and `wait` is false.
    fn copy_alone(&self, wait: bool) -> Option<MutexGuard<'_, ()>> {
        match self.copying.try_lock() {
            Ok(alone) => Some(alone),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if !wait => None,
            Err(TryLockError::WouldBlock) => {
                Some(self.copying.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    fn left_bytes(&self, log_bytes: u64) -> u64 {
        let copied_bytes = self.copied_bytes.load(Ordering::Relaxed);
        // A copy that ended after the log began again says nothing about the new log.
        if copied_bytes > log_bytes { log_bytes } else { log_bytes - copied_bytes }
    }
}
