//! The writer's batch: one transaction for all requests that wait. Answers are released by `db` after the commit.

use std::sync::Arc;

use db::{Batch, Outcome, Weighted};
use rusqlite::Connection;
use search::Restrictions;

use super::request;
use super::state::{Savepoint, State};
use crate::prepare::{Facts, Needs, Planned, Put};
use crate::sqlite::failure::Failure;
use crate::sqlite::rebuild;
use crate::{Author, Decide, StoreError, Tenant, WriteAnswer, WriteOp};

/// A planned write.
pub(crate) struct WriteJob {
    pub(crate) tenant: Tenant,
    pub(crate) author: Author,
    pub(crate) atomic: bool,
    pub(crate) plan: Vec<Planned>,
    pub(crate) decide: Arc<dyn Decide>,
    pub(crate) restrictions: Restrictions,
    /// What the plan was made from, to see whether it still holds.
    pub(crate) needs: Needs,
    pub(crate) facts: Facts,
    /// The operations as they were sent, kept when the plan depends on searches.
    pub(crate) ops: Option<Vec<WriteOp>>,
    pub(crate) weight: usize,
}

/// What the writer is asked.
pub(crate) enum Task {
    /// To write.
    Write(Box<WriteJob>),
    /// A step of building the index anew.
    Rebuild(rebuild::Step),
}

/// A task with its weight.
pub(crate) struct Job(pub(crate) Task);

/// What the writer answers.
pub(crate) enum Answer {
    /// To a write; with what was stored, because freeing it would hold up the writer.
    Written(Result<WriteAnswer, StoreError>, Vec<Put>),
    /// To a step of building the index anew: the new generation's number.
    Rebuilt(Result<u32, StoreError>),
}

impl Weighted for Job {
    fn weight(&self) -> usize {
        match &self.0 {
            Task::Write(job) => job.weight,
            Task::Rebuild(step) => step.weight(),
        }
    }
}

/// The writer's state with the place where the current job began.
pub(crate) struct Writing {
    state: State,
    job_start: Option<Savepoint>,
}

impl Writing {
    pub(crate) fn new(state: State) -> Writing {
        Writing { state, job_start: None }
    }
}

impl Batch for Writing {
    type Job = Job;
    type Answer = Answer;

    fn begin(&mut self, _: &Connection) -> rusqlite::Result<()> {
        self.state.start_batch();
        Ok(())
    }

    fn job(&mut self, conn: &Connection, job: Job) -> rusqlite::Result<Outcome<Answer>> {
        self.job_start = Some(self.state.savepoint());
        match job.0 {
            Task::Write(job) => match request::write(&mut self.state, conn, *job) {
                Ok(done) => {
                    let answer = Answer::Written(Ok(done.answer), done.used);
                    Ok(if done.is_kept { Outcome::Keep(answer) } else { Outcome::Undo(answer) })
                }
                Err(Failure::Store(error)) => Ok(Outcome::Undo(Answer::Written(Err(error), Vec::new()))),
                Err(Failure::Sql(error)) => Err(error),
            },
            Task::Rebuild(step) => match rebuild::step(&mut self.state, conn, step) {
                Ok(g) => Ok(Outcome::Keep(Answer::Rebuilt(Ok(g)))),
                Err(Failure::Store(error)) => Ok(Outcome::Undo(Answer::Rebuilt(Err(error)))),
                Err(Failure::Sql(error)) => Err(error),
            },
        }
    }

    fn undone(&mut self) {
        if let Some(start) = self.job_start.take() {
            self.state.rewind(start);
        }
    }

    fn finish(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.state.deltas.write(conn)?;
        self.state.show_catalog();
        Ok(())
    }

    fn committed(&mut self) {
        self.state.end_batch();
    }

    fn rolled_back(&mut self) {
        self.state.undo_batch();
    }
}
