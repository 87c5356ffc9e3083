//! Requests that wait for the writer. All that wait when its turn comes are one row per partition and one commit; nobody waits for more to come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event::Kind;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::record::{self, Encoded};
use super::tail::{Answer, SlotEnds};
use super::{Shared, lock};
use crate::log::{Append, LogError, topic_of};

/// One commit takes no more than this, about: a reader of the file waits for it.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The least time from the begin of one commit to the next: so much for each request of the last one, up to a most. Who comes alone waits for nobody.
const PACE_EACH: Duration = Duration::from_micros(250);
const PACE_MAX: Duration = Duration::from_millis(2);

/// An entry, ready to be written.
pub(super) struct Prepared {
    pub(super) kind: Kind,
    pub(super) partition: u32,
    pub(super) identity: u128,
    pub(super) content: u128,
    pub(super) encoded: Encoded,
}

/// What one caller appends.
pub(super) struct Request {
    pub(super) entries: Vec<Prepared>,
    pub(super) finds_duplicates: bool,
    n_bytes: usize,
    answer: oneshot::Sender<Answer>,
    /// Given back when the request is answered.
    _permit: OwnedSemaphorePermit,
}

/// Requests that wait.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    /// A turn of the writer was asked for, and has not come.
    is_called: bool,
    /// When the next turn may begin.
    next_turn: Option<Instant>,
}

/// Does what needs neither disk nor order, on the caller's thread.
pub(super) fn prepare(entries: &[Append], n_partitions: u32) -> Result<Vec<Prepared>, LogError> {
    let prepare = |entry: &Append| {
        topic_of(&entry.kind)?;
        Ok(Prepared {
            kind: entry.kind.clone(),
            partition: event::partition_of(&entry.key, n_partitions),
            identity: entry.identity(),
            content: entry.content,
            encoded: record::encode(entry),
        })
    };
    entries.iter().map(prepare).collect()
}

/// Waits in the queue, then for the commit.
pub(super) async fn append(shared: &Arc<Shared>, entries: &[Append], finds_duplicates: bool) -> Answer {
    let permit = shared.budget.take(entries)?;
    let n_bytes = permit.num_permits();
    let entries = prepare(entries, shared.n_partitions)?;
    let (answer, answered) = oneshot::channel();
    let request = Request { entries, finds_duplicates, n_bytes, answer, _permit: permit };
    if shared.queue.push(request) {
        tokio::spawn(turn(Arc::clone(shared), Handle::current()));
    }
    answered.await.unwrap_or(Err(LogError::Closed))
}

impl Queue {
    /// True when the writer must be called.
    fn push(&self, request: Request) -> bool {
        let mut waiting = self.lock();
        waiting.requests.push_back(request);
        !std::mem::replace(&mut waiting.is_called, true)
    }

    /// What goes into one commit; true when some is left, for which the writer must be called again.
    fn take(&self) -> (Vec<Request>, bool) {
        let mut waiting = self.lock();
        let (mut taken, mut n_bytes) = (Vec::new(), 0);
        while n_bytes < BATCH_BYTES_MAX
            && let Some(request) = waiting.requests.pop_front()
        {
            n_bytes += request.n_bytes;
            taken.push(request);
        }
        waiting.is_called = !waiting.requests.is_empty();
        let n = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let pace = if n > 1 { PACE_EACH.saturating_mul(n).min(PACE_MAX) } else { Duration::ZERO };
        waiting.next_turn = Some(Instant::now() + pace);
        (taken, waiting.is_called)
    }

    /// How long the next turn waits.
    fn pace(&self) -> Option<Duration> {
        self.lock().next_turn?.checked_duration_since(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a turn of the writer leaves for the one who called it.
#[derive(Default)]
struct Done {
    has_begun: bool,
    requests: Vec<Request>,
    answers: Vec<Answer>,
    moved: Vec<SlotEnds>,
}

/// One turn of the writer: takes what waits, writes it, and answers after the commit. On a disk that is faster than [`PACE_MAX`], turns of a busy log keep
/// a distance, so that one commit is shared by many.
async fn turn(shared: Arc<Shared>, runtime: Handle) {
    if let Some(wait) = shared.queue.pace() {
        tokio::time::sleep(wait).await;
    }
    let done = Arc::new(Mutex::new(Done::default()));
    let result = {
        let (shared, done) = (Arc::clone(&shared), Arc::clone(&done));
        let database = shared.database.clone();
        database.write(move |conn| write(&shared, &runtime, &done, conn)).await
    };
    let mut done = std::mem::take(&mut *lock(&done));
    match result {
        Ok(()) => {
            shared.publish(&done.moved);
            // A batch before this one failed: what is on disk is not certain.
            let failure = shared.failure.get();
            for (request, answer) in done.requests.into_iter().zip(done.answers) {
                drop(request.answer.send(failure.cloned().map_or(answer, Err)));
            }
        }
        Err(error) => {
            let error = shared.failed(LogError::of_write(error));
            if !done.has_begun {
                // The transaction could not be opened, or the file is closed: they wait still, and nobody else would be called for them.
                while let (taken, has_more) = shared.queue.take()
                    && !taken.is_empty()
                {
                    done.requests.extend(taken);
                    if !has_more {
                        break;
                    }
                }
            }
            for request in done.requests {
                drop(request.answer.send(Err(error.clone())));
            }
        }
    }
}

/// On the writer's thread, inside the transaction.
fn write(
    shared: &Arc<Shared>,
    runtime: &Handle,
    done: &Mutex<Done>,
    conn: &Connection,
) -> rusqlite::Result<()> {
    lock(done).has_begun = true;
    let (requests, has_more) = shared.queue.take();
    if has_more {
        runtime.spawn(turn(Arc::clone(shared), runtime.clone()));
    }
    let written = lock(&shared.tail).write(conn, &requests);
    let mut done = lock(done);
    done.requests = requests;
    (done.answers, done.moved) = written?;
    Ok(())
}
