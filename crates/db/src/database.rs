//! A database file for those whose writes are closures: one writer, a few readers.

use std::any::Any;

use rusqlite::Connection;

use crate::{Batch, DbError, Options, Outcome, Readers, Stats, Weighted, Writer};

type Value = Box<dyn Any + Send>;
type Run = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Value> + Send>;

/// An open file. Clones share its threads; they end when the last clone is dropped or closed.
#[derive(Clone)]
pub struct Database {
    writer: Writer<Closure, Value>,
    readers: Readers,
}

impl Database {
    /// Creates the file when it is missing, applies migrations, starts the threads.
    pub fn open(options: Options) -> Result<Database, DbError> {
        let reading = options.clone();
        let writer = Writer::start(options, Closures)?;
        Ok(Database { writer, readers: Readers::open(&reading)? })
    }

    /// Runs `f` on a reader thread inside a read transaction: one snapshot, in which writes fail.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.readers.read(f).await
    }

    /// [`Database::read`] for a caller that may block its thread.
    pub fn read_blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.readers.read_blocking(f)
    }

    /// Runs `f` on the writer thread and returns when it is on disk. Writes that wait together share one commit; when `f`
    /// fails, only its own changes are rolled back.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.writer.send(closure(f)).await.map(open_value)
    }

    /// [`Database::write`] for a caller that may block its thread; panics inside an async task.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.writer.send_blocking(closure(f)).map(open_value)
    }

    /// Lets SQLite renew the statistics that its planner uses, between batches.
    pub async fn optimize(&self) -> Result<(), DbError> {
        self.writer.optimize().await
    }

    /// What the writer has done so far.
    pub fn stats(&self) -> Stats {
        self.writer.stats()
    }

    /// Refuses new work, does what waits, copies the log into the file and returns.
    pub async fn close(&self) -> Result<(), DbError> {
        self.readers.close().await;
        self.writer.close().await
    }
}

struct Closure(Run);

impl Weighted for Closure {
    fn weight(&self) -> usize {
        // Nobody knows what a closure writes: the number of jobs limits the batch.
        1
    }
}

struct Closures;

impl Batch for Closures {
    type Job = Closure;
    type Answer = Value;

    fn job(&mut self, conn: &Connection, job: Closure) -> rusqlite::Result<Outcome<Value>> {
        (job.0)(conn).map(Outcome::Keep)
    }
}

fn closure<T: Send + 'static>(
    f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Closure {
    Closure(Box::new(move |conn| f(conn).map(|value| Box::new(value) as Value)))
}

fn open_value<T: 'static>(value: Value) -> T {
    *value.downcast().expect("the closure that was sent made this value")
}
