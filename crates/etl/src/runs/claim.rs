//! One run of a pipeline at a time, across processes; and each time of a schedule taken once.

use std::path::Path;

use fhir::Instant;
use rusqlite::{Connection, OptionalExtension as _, params};

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
    /// Claims a pipeline for a run. A claim whose process is gone is taken over at once, one without a heartbeat after 30 seconds.
    pub fn claim(&self, pipeline: &str, run: &str) -> Result<Claim, EtlError> {
        let (pipeline, run, now) = (pipeline.to_owned(), run.to_owned(), self.clock.now().0);
        self.write(move |conn| {
            if let Some(holder) = alive(conn, &pipeline, now)?
                && holder != run
            {
                return Ok(Claim::Held(holder));
            }
            conn.execute(
                "INSERT OR REPLACE INTO claim (pipeline, run, process, beat_at) VALUES (?1, ?2, ?3, ?4)",
                params![pipeline, run, std::process::id(), now],
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

    /// The run that is at work on a pipeline, if its process is alive.
    pub fn holder(&self, pipeline: &str) -> Result<Option<String>, EtlError> {
        let (pipeline, now) = (pipeline.to_owned(), self.clock.now().0);
        self.read(move |conn| alive(conn, &pipeline, now))
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

/// The run that holds a pipeline, if its heart beats and its process is there.
pub(super) fn alive(conn: &Connection, pipeline: &str, now: i64) -> rusqlite::Result<Option<String>> {
    let held: Option<(String, u32)> = conn
        .query_row(
            "SELECT run, process FROM claim WHERE pipeline = ?1 AND beat_at > ?2",
            params![pipeline, now - DEAD_AFTER_MICROS],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let is_there = |process: u32| {
        // Where processes cannot be looked at, the heartbeat decides alone.
        !Path::new("/proc/self").exists() || Path::new(&format!("/proc/{process}")).exists()
    };
    Ok(held.filter(|(_, process)| is_there(*process)).map(|(run, _)| run))
}
