//! What a writer does with the jobs that share one commit.

use rusqlite::Connection;

/// How much of a batch's byte budget a job uses.
pub trait Weighted {
    /// Roughly the bytes it will write.
    fn weight(&self) -> usize;
}

/// What becomes of one job's changes when its batch is committed.
#[derive(Debug)]
pub enum Outcome<A> {
    /// They stay.
    Keep(A),
    /// They are rolled back, the other jobs' stay: a conflict, a refusal.
    Undo(A),
}

/// Handles the jobs of one writer, on its thread. One batch is one transaction:
/// `begin`, then for each job a savepoint around `job` (and `undone` when it was rolled back), `finish`, COMMIT, `committed`.
/// When anything but a job fails, the whole batch is rolled back, `rolled_back` is called, and every job gets the error.
pub trait Batch {
    /// What is asked.
    type Job: Weighted + Send + 'static;
    /// What is answered, after the commit.
    type Answer: Send + 'static;

    /// A transaction was opened.
    fn begin(&mut self, _conn: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Does one job inside a savepoint. An error rolls the savepoint back and is the job's answer.
    fn job(&mut self, conn: &Connection, job: Self::Job) -> rusqlite::Result<Outcome<Self::Answer>>;

    /// The last job's savepoint was rolled back (undone, failed or panicked): forget what it left in memory.
    fn undone(&mut self) {}

    /// All jobs are done: write what was gathered for the whole batch.
    fn finish(&mut self, _conn: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    /// The batch is on disk; answers are released after this returns.
    fn committed(&mut self) {}

    /// Nothing of the batch was written: forget all of it.
    fn rolled_back(&mut self) {}
}
