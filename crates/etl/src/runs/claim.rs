//! One run of a pipeline at a time, across processes; and each time of a schedule taken once.

use fhir::Instant;
use rusqlite::{OptionalExtension as _, params};

use crate::EtlError;
use crate::runs::Runs;

/// A claim without a heartbeat for this long is dead.
const DEAD_AFTER_MICROS: i64 = 30_000_000;

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The pipeline is ours.
    Taken,
    /// This run of the pipeline is at work.
    Held(String),
}

impl Runs {
    /// Claims a pipeline for a run. A claim whose process died is taken over after 30 seconds, or at once by the same run.
    pub fn claim(&self, pipeline: &str, run: &str) -> Result<Claim, EtlError> {
        let (pipeline, run, now) = (pipeline.to_owned(), run.to_owned(), self.clock.now().0);
        self.write(move |conn| {
            let held: Option<(String, i64)> = conn
                .query_row("SELECT run, beat_at FROM claim WHERE pipeline = ?1", [&pipeline], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            if let Some((holder, beat_at)) = held
                && holder != run
                && now - beat_at < DEAD_AFTER_MICROS
            {
                return Ok(Claim::Held(holder));
            }
            conn.execute(
                "INSERT OR REPLACE INTO claim (pipeline, run, beat_at) VALUES (?1, ?2, ?3)",
                params![pipeline, run, now],
            )?;
            Ok(Claim::Taken)
        })
    }

    /// Gives a claim back.
    pub fn release(&self, pipeline: &str, run: &str) -> Result<(), EtlError> {
        let (pipeline, run) = (pipeline.to_owned(), run.to_owned());
        self.write(move |conn| {
            conn.execute("DELETE FROM claim WHERE pipeline = ?1 AND run = ?2", [&pipeline, &run]).map(|_| ())
        })
    }

    /// Whether the run at work on a pipeline is alive.
    pub fn holder(&self, pipeline: &str) -> Result<Option<String>, EtlError> {
        let (pipeline, now) = (pipeline.to_owned(), self.clock.now().0);
        self.read(move |conn| {
            conn.query_row(
                "SELECT run FROM claim WHERE pipeline = ?1 AND beat_at > ?2",
                params![pipeline, now - DEAD_AFTER_MICROS],
                |row| row.get(0),
            )
            .optional()
        })
    }

    /// Takes a time of a schedule: true for the first who asks.
    pub fn take_time(&self, pipeline: &str, at: Instant) -> Result<bool, EtlError> {
        let pipeline = pipeline.to_owned();
        self.write(move |conn| {
            let n = conn.execute(
                "INSERT INTO schedule (pipeline, taken_at) VALUES (?1, ?2)
                 ON CONFLICT (pipeline) DO UPDATE SET taken_at = excluded.taken_at WHERE taken_at < excluded.taken_at",
                params![pipeline, at.0],
            )?;
            Ok(n == 1)
        })
    }

    /// The last time of a schedule that was taken.
    pub fn last_taken(&self, pipeline: &str) -> Result<Option<Instant>, EtlError> {
        let pipeline = pipeline.to_owned();
        self.read(move |conn| {
            conn.query_row("SELECT taken_at FROM schedule WHERE pipeline = ?1", [&pipeline], |row| {
                row.get(0).map(Instant)
            })
            .optional()
        })
    }
}
