//! Looking at runs: lists, one run, quality over time.

use fhir::Instant;
use rusqlite::{Params, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::EtlError;
use crate::run::{RunRecord, SourceRecord};
use crate::runs::Runs;
use crate::runs::claim::alive;
use crate::source::Backfill;

const RUNS_MAX: usize = 1_000;

/// A run in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// Its id.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// The hash of its file.
    pub pipeline_hash: String,
    /// Where the file stands.
    pub file: String,
    /// `running`, `completed`, `completed_with_errors`, `failed`, `cancelled`; `interrupted` when its process died.
    pub status: String,
    /// When it began.
    pub started_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// How often it was started.
    pub n_attempts: u32,
    /// Who asked for it.
    pub by: String,
    /// `load`, `dry`, `replay` or `backfill`.
    pub kind: String,
    /// What was asked for beside the pipeline.
    pub asked: Asked,
    /// How far it is, or why it broke off: `{"sources": [...]}` or `{"error": ...}`.
    pub progress: Option<Json>,
    /// The record when it has ended.
    pub record: Option<RunRecord>,
}

/// What a run was asked for beside its pipeline: needed again when it is resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Only these sources. Empty: all.
    #[serde(default)]
    pub only: Vec<String>,
    /// A window that is loaded again.
    #[serde(default)]
    pub backfill: Option<Backfill>,
}

/// The quality of a source in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityPoint {
    /// The run.
    pub run: String,
    /// When.
    pub at: Instant,
    /// The source's record, with its quality.
    pub record: SourceRecord,
}

impl Runs {
    /// Runs, the newest first; of one pipeline when it is named.
    pub fn list(&self, pipeline: Option<&str>, runs_max: usize) -> Result<Vec<RunSummary>, EtlError> {
        let pipeline = pipeline.map(str::to_owned);
        let runs_max = i64::try_from(runs_max.clamp(1, RUNS_MAX)).unwrap_or(1);
        self.summaries(
            "WHERE ?1 IS NULL OR run.pipeline = ?1 ORDER BY started_at DESC, id DESC LIMIT ?2",
            (pipeline, runs_max),
        )
    }

    /// One run; a beginning of its id suffices when it is the only one.
    pub fn get(&self, run: &str) -> Result<Option<RunSummary>, EtlError> {
        let run = run.to_owned();
        let found = self.summaries(
            "WHERE run.id = ?1 OR (length(?1) >= 4 AND substr(run.id, 1, length(?1)) = ?1) LIMIT 2",
            (run,),
        )?;
        Ok(<[RunSummary; 1]>::try_from(found).ok().map(|[one]| one))
    }

    /// What is known of the sources of a run that has not ended.
    pub fn sources_of(&self, run: &str) -> Result<Vec<SourceRecord>, EtlError> {
        let run = run.to_owned();
        let texts: Vec<String> = self.read(move |conn| {
            let mut query = conn.prepare_cached(
                "SELECT record FROM run_source WHERE run = ?1 AND state = 'done' ORDER BY at, source",
            )?;
            query.query_map([&run], |row| row.get(0))?.collect()
        })?;
        texts
            .iter()
            .map(|text| serde_json::from_str(text).map_err(|error| EtlError::Record(error.to_string())))
            .collect()
    }

    /// The quality of a pipeline's sources over its last loads, the oldest first.
    pub fn quality_over_time(&self, pipeline: &str, runs_max: usize) -> Result<Vec<QualityPoint>, EtlError> {
        let pipeline = pipeline.to_owned();
        let runs_max = i64::try_from(runs_max.clamp(1, RUNS_MAX)).unwrap_or(1);
        let mut rows: Vec<(String, i64, String)> = self.read(move |conn| {
            let mut query = conn.prepare_cached(
                "SELECT run, at, record FROM run_source
                 WHERE pipeline = ?1 AND state = 'done' AND json_extract(record, '$.quality') IS NOT NULL
                   AND run IN (SELECT id FROM run WHERE kind = 'load')
                 ORDER BY at DESC LIMIT ?2",
            )?;
            query
                .query_map(params![pipeline, runs_max], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })?;
        rows.reverse();
        let point = |(run, at, text): (String, i64, String)| {
            let record = serde_json::from_str(&text).map_err(|error| EtlError::Record(error.to_string()))?;
            Ok(QualityPoint { run, at: Instant(at), record })
        };
        rows.into_iter().map(point).collect()
    }

    /// The newest run of every pipeline that ever ran.
    pub fn newest_of_each(&self) -> Result<Vec<RunSummary>, EtlError> {
        self.summaries(
            "WHERE run.id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY pipeline ORDER BY started_at DESC, id DESC) AS n FROM run) WHERE n = 1)
             ORDER BY run.pipeline",
            (),
        )
    }

    /// Runs, with what their processes say: one that should be at work and whose process is gone is interrupted. Both are read of one
    /// state of the file, or a run that ends between the two would look interrupted.
    fn summaries(
        &self,
        condition: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<Vec<RunSummary>, EtlError> {
        let now = self.clock.now().0;
        self.read(move |conn| {
            let mut query = conn.prepare_cached(&format!("{SELECT} {condition}"))?;
            let mut runs: Vec<RunSummary> = query.query_map(params, summary)?.collect::<Result<_, _>>()?;
            for run in runs.iter_mut().filter(|run| run.status == "running") {
                if alive(conn, &run.pipeline, now)?.as_ref() != Some(&run.run) {
                    "interrupted".clone_into(&mut run.status);
                }
            }
            Ok(runs)
        })
    }
}

const SELECT: &str = "SELECT id, pipeline, pipeline_hash, file, status, started_at, ended_at, n_attempts, by, progress, record, kind, asked FROM run";

fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let progress: Option<String> = row.get(9)?;
    let record: Option<String> = row.get(10)?;
    let asked: Option<String> = row.get(12)?;
    Ok(RunSummary {
        run: row.get(0)?,
        pipeline: row.get(1)?,
        pipeline_hash: row.get(2)?,
        file: row.get(3)?,
        status: row.get(4)?,
        started_at: Instant(row.get(5)?),
        ended_at: row.get::<_, Option<i64>>(6)?.map(Instant),
        n_attempts: row.get(7)?,
        by: row.get(8)?,
        kind: row.get(11)?,
        asked: asked.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        progress: progress.and_then(|text| serde_json::from_str(&text).ok()),
        record: record.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keys::KeyRing;

    use super::*;
    use crate::run::{Counts, Status};
    use crate::runs::{Claim, QuarantineFilter, State};

    fn open() -> (tempfile::TempDir, Runs) {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(testkit::FixedClock::at("2026-01-15T12:00:00Z"));
        let keys = Arc::new(KeyRing::init(dir.path().join("keys"), Arc::clone(&clock) as _).unwrap());
        let runs = Runs::open(dir.path(), keys, clock).unwrap();
        (dir, runs)
    }

    fn begin(runs: &Runs, run: &str) {
        let run = run.to_owned();
        runs.write(move |conn| {
            conn.execute(
                "INSERT INTO run (id, pipeline, pipeline_hash, file, status, started_at, n_attempts, by, kind)
                 VALUES (?1, 'labs', '', '', 'running', 0, 1, 'test', 'load')",
                [&run],
            )
        })
        .unwrap();
    }

    /// Looks at a run until it is no longer at work.
    fn ended(runs: &Runs, run: &str) -> String {
        loop {
            let status = runs.get(run).unwrap().unwrap().status;
            if status != "running" {
                return status;
            }
        }
    }

    /// A reader that looks at the run first and at the process afterwards sees an ended run as interrupted.
    #[test]
    fn a_run_that_ends_never_looks_interrupted() {
        let (_dir, runs) = open();
        std::thread::scope(|scope| {
            for n in 0..100 {
                let run = format!("run-{n}");
                assert_eq!(runs.claim("labs", &run).unwrap(), Claim::Taken);
                begin(&runs, &run);
                let reader = scope.spawn({
                    let (runs, run) = (runs.clone(), run.clone());
                    move || ended(&runs, &run)
                });
                runs.end_broken(&run, "labs", "as the test wants").unwrap();
                assert_eq!(reader.join().unwrap(), "failed");
            }
        });
        // Without a claim it is.
        begin(&runs, "dead");
        assert_eq!(runs.get("dead").unwrap().unwrap().status, "interrupted");
    }

    /// Whoever sees that a replay has ended would run its rows again if they still waited.
    #[test]
    fn the_rows_of_a_replay_that_has_ended_do_not_wait() {
        let (_dir, runs) = open();
        let state_of = |runs: &Runs, run: &str| {
            let filter =
                QuarantineFilter { run: Some(run.to_owned()), rows_max: 10, ..QuarantineFilter::default() };
            runs.quarantined(&filter).unwrap().iter().map(|row| (row.id, row.state)).collect::<Vec<_>>()
        };
        std::thread::scope(|scope| {
            for n in 0..100 {
                let (old, run) = (format!("old-{n}"), format!("run-{n}"));
                let of = old.clone();
                runs.write(move |conn| {
                    let sql = "INSERT INTO quarantine (run, pipeline, source, unit, line, rule, reason, message, raw)
                               VALUES (?1, 'labs', 'labs', 'labs.csv', 1, 'r', 'r', 'm', x'00')";
                    conn.execute(sql, [&of])?;
                    conn.execute(sql, [&of])
                })
                .unwrap();
                let ids: Vec<i64> = state_of(&runs, &old).iter().map(|(id, _)| *id).collect();
                assert_eq!(runs.claim("labs", &run).unwrap(), Claim::Taken);
                begin(&runs, &run);
                let reader = scope.spawn({
                    let (runs, run, old) = (runs.clone(), run.clone(), old.clone());
                    move || (ended(&runs, &run), state_of(&runs, &old))
                });
                let record = RunRecord {
                    run,
                    pipeline: "labs".to_owned(),
                    pipeline_hash: String::new(),
                    status: Status::Completed,
                    resumed: false,
                    dry_run: false,
                    started_at: Instant(0),
                    ended_at: None,
                    duration_secs: 0.0,
                    counts: Counts::default(),
                    sources: Vec::new(),
                    warnings: Vec::new(),
                };
                runs.end_replay(&record, &ids[..1], "test").unwrap();
                let expected = vec![(ids[0], State::Replayed), (ids[1], State::Open)];
                assert_eq!(reader.join().unwrap(), ("completed".to_owned(), expected));
            }
        });
    }
}
