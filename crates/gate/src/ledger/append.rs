//! Appends records so that those that wait together share one transaction and one fsync.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use db::DbError;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::index::{self, BEHIND_RECORDS_MAX};
use super::record::Record;
use crate::govern::Govern;

/// Nobody has appended for so long: now the index may take its time.
const IDLE: Duration = Duration::from_millis(250);

/// A record, and who waits for it to be on disk.
type Waiting = (Record, oneshot::Sender<Result<(), DbError>>);

/// The way into the ledger. Clones share it.
#[derive(Clone)]
pub(crate) struct Ledger {
    shared: Arc<Shared>,
}

struct Shared {
    govern: Govern,
    queue: Mutex<Queue>,
    /// Records appended since the program started.
    n_appended: AtomicU64,
    /// Of these, how many the index may not have yet.
    n_behind: AtomicU64,
    /// Does a task wait for quiet, to index then.
    waiting_for_quiet: AtomicBool,
}

#[derive(Default)]
struct Queue {
    // Unbounded, and yet bounded: every record belongs to a request that waits, and the server limits those.
    waiting: Vec<Waiting>,
    /// Is a task writing: it takes what waits when it is done with what it has.
    writing: bool,
}

impl Ledger {
    pub(crate) fn new(govern: Govern) -> Ledger {
        let (queue, waiting_for_quiet) = (Mutex::default(), AtomicBool::new(false));
        let (n_appended, n_behind) = (AtomicU64::new(0), AtomicU64::new(0));
        Ledger { shared: Arc::new(Shared { govern, queue, n_appended, n_behind, waiting_for_quiet }) }
    }

    /// Appends one record and waits until it is on disk. A caller that goes away meanwhile is recorded all the same.
    pub(crate) async fn append(&self, record: Record) -> Result<(), DbError> {
        let (done, answered) = oneshot::channel();
        if self.shared.push((record, done)) {
            tokio::spawn(write_all(Arc::clone(&self.shared)));
        }
        answered.await.unwrap_or(Err(DbError::Closed))
    }
}

impl Shared {
    /// True when nobody is writing yet.
    fn push(&self, waiting: Waiting) -> bool {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(waiting);
        !std::mem::replace(&mut queue.writing, true)
    }

    /// Indexes some records; true when there are more.
    async fn index_step(&self) -> bool {
        match self.govern.write(index::advance).await {
            Ok(more) => {
                let left = if more {
                    self.n_behind.load(Ordering::Relaxed).saturating_sub(index::STEP_RECORDS as u64)
                } else {
                    0
                };
                self.n_behind.store(left, Ordering::Relaxed);
                more
            }
            Err(error) => {
                // The records are there; they are found without the index until it works again.
                tracing::warn!(%error, "the patients of the newest audit records were not indexed");
                false
            }
        }
    }

    /// What waits now; nothing more to do when it is empty.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut queue.waiting);
        queue.writing = !waiting.is_empty();
        waiting
    }
}

// While one batch is being synced the next one gathers: the busier the server, the more records share an fsync.
async fn write_all(shared: Arc<Shared>) {
    loop {
        let (records, waiting): (Vec<Record>, Vec<_>) = shared.take().into_iter().unzip();
        if records.is_empty() {
            if !shared.waiting_for_quiet.swap(true, Ordering::Relaxed) {
                tokio::spawn(index_when_quiet(Arc::downgrade(&shared)));
            }
            return;
        }
        let n_records = records.len() as u64;
        let written = shared.govern.write(move |conn| insert_all(conn, &records)).await;
        for done in waiting {
            // Who went away does not miss the answer.
            drop(done.send(written.clone()));
        }
        shared.n_appended.fetch_add(n_records, Ordering::Relaxed);
        if shared.n_behind.fetch_add(n_records, Ordering::Relaxed) > BEHIND_RECORDS_MAX {
            shared.index_step().await;
        }
    }
}

/// Indexes when nobody has appended for a while. Does not keep the files open.
async fn index_when_quiet(shared: Weak<Shared>) {
    let mut seen = 0;
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(shared) = shared.upgrade() else { return };
        let appended = shared.n_appended.load(Ordering::Relaxed);
        if appended == seen && !shared.index_step().await {
            shared.waiting_for_quiet.store(false, Ordering::Relaxed);
            return;
        }
        seen = appended;
    }
}

fn insert_all(conn: &Connection, records: &[Record]) -> rusqlite::Result<()> {
    let mut audit = conn.prepare_cached(
        "INSERT INTO audit (at, tenant, principal, on_behalf_of, purpose, action, kind, ids, detail, count, outcome, request, patients)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for r in records {
        let patients = r.patients.join(" ");
        audit.execute(params![
            r.at.0,
            r.tenant,
            r.principal,
            r.on_behalf_of,
            r.purpose,
            r.action.name(),
            r.kind.map(fhir::Kind::name),
            r.ids,
            r.detail,
            i64::try_from(r.count).unwrap_or(i64::MAX),
            r.outcome.name(),
            r.request,
            patients,
        ])?;
    }
    Ok(())
}
