//! Reader threads: each read sees one snapshot, on a connection that cannot write.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::ended::Threads;
use crate::{DbError, Options, open};

type Task = Box<dyn FnOnce(&Connection) + Send>;

/// The threads that read one file. Clones share them; they end when the last clone is dropped.
#[derive(Clone)]
pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    // Unbounded, and yet bounded: every task belongs to a caller that waits, and the server limits those.
    queue: RwLock<Option<Sender<Task>>>,
    threads: Threads,
}

impl Readers {
    /// Opens `options.readers` connections to a file that a writer has opened.
    pub fn open(options: &Options) -> Result<Readers, DbError> {
        let (queue, tasks) = unbounded::<Task>();
        let conns =
            (0..options.readers.max(1)).map(|_| open::open_reader(options)).collect::<Result<Vec<_>, _>>()?;
        let bodies = conns.into_iter().map(|conn| {
            let tasks: Receiver<Task> = tasks.clone();
            move || tasks.iter().for_each(|task| task(&conn))
        });
        let threads = Threads::start("db-read", bodies)?;
        Ok(Readers { shared: Arc::new(Shared { queue: RwLock::new(Some(queue)), threads }) })
    }

    /// Runs `f` on a reader thread inside a read transaction. A caller that goes away before it began cancels it.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, answered) = oneshot::channel();
        self.push(Box::new(move |conn| {
            if !answer.is_closed() {
                // The caller may have gone away meanwhile; nobody misses the answer then.
                drop(answer.send(snapshot(conn, f)));
            }
        }))?;
        answered.await.unwrap_or(Err(DbError::Closed))
    }

    /// The same for a caller that may block its thread.
    pub fn read_blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, answered) = bounded(1);
        self.push(Box::new(move |conn| drop(answer.send(snapshot(conn, f)))))?;
        answered.recv().unwrap_or(Err(DbError::Closed))
    }

    /// Refuses new reads and returns when those that wait are answered.
    pub async fn close(&self) {
        drop(self.shared.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        self.shared.threads.ended().await;
    }

    fn push(&self, task: Task) -> Result<(), DbError> {
        let queue = self.shared.queue.read().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().ok_or(DbError::Closed)?.send(task).map_err(|_| DbError::Closed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.queue.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        self.threads.join();
    }
}

fn snapshot<T>(conn: &Connection, f: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DbError> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let result = catch_unwind(AssertUnwindSafe(|| f(conn)));
    // An error may have ended the transaction already.
    let ended = if conn.is_autocommit() { Ok(0) } else { conn.prepare_cached("ROLLBACK")?.execute([]) };
    let value = result.map_err(|_| DbError::Panicked)??;
    ended?;
    Ok(value)
}
