//! Appends records so that those that wait together share one transaction and one fsync.

use std::sync::{Arc, Mutex, PoisonError};

use db::DbError;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::record::Record;
use crate::govern::Govern;

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
        Ledger { shared: Arc::new(Shared { govern, queue: Mutex::default() }) }
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
            return;
        }
        let written = shared.govern.write(move |conn| insert_all(conn, &records)).await;
        for done in waiting {
            // Who went away does not miss the answer.
            drop(done.send(written.clone()));
        }
    }
}

fn insert_all(conn: &Connection, records: &[Record]) -> rusqlite::Result<()> {
    let mut audit = conn.prepare_cached(
        "INSERT INTO audit (at, tenant, principal, on_behalf_of, purpose, action, kind, ids, detail, count, outcome, request, patients)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let mut about =
        conn.prepare_cached("INSERT OR IGNORE INTO audit_patient (patient, seq) VALUES (?1, ?2)")?;
    for r in records {
        let patients = r.patients.join(" ");
        let seq = audit.insert(params![
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
        for patient in &r.patients {
            about.execute(params![patient, seq])?;
        }
    }
    Ok(())
}
