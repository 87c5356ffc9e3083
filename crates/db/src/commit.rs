//! One batch, one transaction: a savepoint per job, one commit. Knows nothing of threads and queues.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, ffi};

use crate::{Batch, DbError, Outcome};

/// One answer per job, in order.
type Answers<B> = Vec<Result<<B as Batch>::Answer, DbError>>;

/// Does all jobs and commits; true when it did. When the batch fails, every job gets its error and nothing was written.
pub(crate) fn run<B: Batch>(conn: &Connection, batch: &mut B, jobs: Vec<B::Job>) -> (Answers<B>, bool) {
    let n_jobs = jobs.len();
    match guarded(|| attempt(conn, batch, jobs)) {
        Ok(answers) => {
            report(guarded(|| {
                batch.committed();
                Ok(())
            }));
            (answers, true)
        }
        Err(error) => {
            if !conn.is_autocommit() {
                report(statement(conn, "ROLLBACK"));
            }
            report(guarded(|| {
                batch.rolled_back();
                Ok(())
            }));
            ((0..n_jobs).map(|_| Err(error.clone())).collect(), false)
        }
    }
}

fn attempt<B: Batch>(conn: &Connection, batch: &mut B, jobs: Vec<B::Job>) -> Result<Answers<B>, DbError> {
    statement(conn, "BEGIN IMMEDIATE")?;
    batch.begin(conn)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push(attempt_job(conn, batch, job)?);
    }
    batch.finish(conn)?;
    statement(conn, "COMMIT")?;
    Ok(answers)
}

/// The inner result is the job's, the outer the batch's.
fn attempt_job<B: Batch>(
    conn: &Connection,
    batch: &mut B,
    job: B::Job,
) -> Result<Result<B::Answer, DbError>, DbError> {
    statement(conn, "SAVEPOINT job")?;
    let (keep, answer) = match guarded(|| Ok(batch.job(conn, job)?)) {
        Ok(Outcome::Keep(answer)) => (true, Ok(answer)),
        Ok(Outcome::Undo(answer)) => (false, Ok(answer)),
        Err(error) => (false, Err(error)),
    };
    // A full or failing disk makes SQLite roll back the whole transaction: then the jobs before this one are gone too.
    if conn.is_autocommit() {
        return Err(answer.err().unwrap_or_else(|| {
            rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT_ROLLBACK), None).into()
        }));
    }
    if !keep {
        statement(conn, "ROLLBACK TO job")?;
        batch.undone();
    }
    statement(conn, "RELEASE job")?;
    Ok(answer)
}

fn statement(conn: &Connection, sql: &'static str) -> Result<(), DbError> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// A panic is a bug of one job or batch, and must not end the writer for everybody.
fn guarded<T>(f: impl FnOnce() -> Result<T, DbError>) -> Result<T, DbError> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or(Err(DbError::Panicked))
}

fn report(result: Result<(), DbError>) {
    if let Err(error) = result {
        tracing::error!(%error, "after a batch");
    }
}
