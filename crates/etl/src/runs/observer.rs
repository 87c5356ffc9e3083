//! Watches a run and writes down what it says.

use rusqlite::{OptionalExtension as _, params};
use serde_json::json;
use table::Reject;

use crate::EtlError;
use crate::report::SourceQuality;
use crate::run::{Observer, Progress, RunOptions, RunRecord, SourceRecord};
use crate::runs::quarantine::decide;
use crate::runs::{Asked, Runs, State, scope};

/// Watches one run.
#[allow(clippy::type_complexity, reason = "said once, where it is read")]
pub struct RunObserver {
    runs: Runs,
    run: String,
    pipeline: String,
    on_progress: Box<dyn Fn(&[Progress]) + Send + Sync>,
}

impl Runs {
    /// A run begins: its row is written. `file` is where the pipeline stands, `by` who asked for it.
    #[allow(clippy::type_complexity, reason = "said once, where it is read")]
    pub fn begin(
        &self,
        options: &RunOptions,
        pipeline: &crate::file::Pipeline,
        file: &str,
        by: &str,
        on_progress: Box<dyn Fn(&[Progress]) + Send + Sync>,
    ) -> Result<RunObserver, EtlError> {
        let row = (
            options.run.clone(),
            pipeline.name.text.clone(),
            pipeline.hash.clone(),
            file.to_owned(),
            options.started_at.0,
            by.to_owned(),
            options.kind(),
            to_text(&Asked { only: options.only.clone(), backfill: options.backfill.clone() })?,
        );
        self.write(move |conn| {
            conn.execute(
                "INSERT INTO run (id, pipeline, pipeline_hash, file, status, started_at, n_attempts, by, kind, asked)
                 VALUES (?1, ?2, ?3, ?4, 'running', ?5, 1, ?6, ?7, ?8)
                 ON CONFLICT (id) DO UPDATE SET status = 'running', pipeline_hash = excluded.pipeline_hash,
                     n_attempts = n_attempts + 1, ended_at = NULL, record = NULL",
                params![row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7],
            )
            .map(|_| ())
        })?;
        Ok(RunObserver {
            runs: self.clone(),
            run: options.run.clone(),
            pipeline: pipeline.name.text.clone(),
            on_progress,
        })
    }

    /// A run has ended: its record is kept and its claim given back.
    pub fn end(&self, record: &RunRecord) -> Result<(), EtlError> {
        self.end_replay(record, &[], "")
    }

    /// A replay has ended. `replayed` are the rows of other runs that need not be run again, `by` who asked for it: whoever sees the end of the
    /// run sees these rows as replayed.
    pub fn end_replay(&self, record: &RunRecord, replayed: &[i64], by: &str) -> Result<(), EtlError> {
        let text = to_text(record)?;
        let (run, pipeline, status) = (record.run.clone(), record.pipeline.clone(), record.status.name());
        let (replayed, by, now) = (replayed.to_vec(), by.to_owned(), self.clock.now().0);
        let ended_at = record.ended_at.map_or(now, |at| at.0);
        self.write(move |conn| {
            decide(conn, &replayed, State::Replayed, &by, now)?;
            conn.execute(
                "UPDATE run SET status = ?2, ended_at = ?3, record = ?4, progress = NULL WHERE id = ?1",
                params![run, status, ended_at, text],
            )?;
            conn.execute("DELETE FROM claim WHERE pipeline = ?1 AND run = ?2", [&pipeline, &run]).map(|_| ())
        })
    }

    /// A run was cancelled because its process ends: it counts as interrupted, so that it can be continued. What it committed stays, and is
    /// not loaded again.
    pub fn leave(&self, run: &str) -> Result<(), EtlError> {
        let run = run.to_owned();
        self.write(move |conn| {
            conn.execute(
                "UPDATE run SET status = 'running', ended_at = NULL, record = NULL WHERE id = ?1 AND status = 'cancelled'",
                [&run],
            )
            .map(|_| ())
        })
    }

    /// A run ended before its sources were read: the pipeline does not fit them, or the record failed.
    pub fn end_broken(&self, run: &str, pipeline: &str, why: &str) -> Result<(), EtlError> {
        let (run, pipeline) = (run.to_owned(), pipeline.to_owned());
        let (now, progress) = (self.clock.now().0, json!({ "error": why }).to_string());
        self.write(move |conn| {
            conn.execute(
                "UPDATE run SET status = 'failed', ended_at = ?2, progress = ?3 WHERE id = ?1",
                params![run, now, progress],
            )?;
            conn.execute("DELETE FROM claim WHERE pipeline = ?1 AND run = ?2", [&pipeline, &run]).map(|_| ())
        })
    }
}

fn to_text(value: &impl serde::Serialize) -> Result<String, EtlError> {
    serde_json::to_string(value).map_err(|error| EtlError::Record(error.to_string()))
}

impl RunObserver {
    fn keep(&self, record: &SourceRecord, state: &'static str) -> Result<(), EtlError> {
        let (run, source, pipeline) = (self.run.clone(), record.name.clone(), self.pipeline.clone());
        let (now, text) = (self.runs.clock.now().0, to_text(record)?);
        self.runs.write(move |conn| {
            conn.execute(
                "INSERT OR REPLACE INTO run_source (run, source, pipeline, state, at, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![run, source, pipeline, state, now, text],
            )
            .map(|_| ())
        })
    }

    fn kept(&self, source: &str, state: &'static str) -> Result<Option<SourceRecord>, EtlError> {
        let (run, source) = (self.run.clone(), source.to_owned());
        let text: Option<String> = self.runs.read(move |conn| {
            conn.query_row(
                "SELECT record FROM run_source WHERE run = ?1 AND source = ?2 AND state = ?3",
                params![run, source, state],
                |row| row.get(0),
            )
            .optional()
        })?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| EtlError::Record(error.to_string())))
            .transpose()
    }
}

impl Observer for RunObserver {
    fn progress(&self, sources: &[Progress]) {
        (self.on_progress)(sources);
        let text = json!({
            "sources": sources.iter().map(|source| json!({
                "source": source.source, "state": source.state, "bytes": source.bytes,
                "read": source.read, "given": source.given, "quarantined": source.quarantined,
            })).collect::<Vec<_>>(),
        })
        .to_string();
        let (run, pipeline, now) = (self.run.clone(), self.pipeline.clone(), self.runs.clock.now().0);
        let written = self.runs.write(move |conn| {
            conn.execute(
                "UPDATE run SET progress = ?2 WHERE id = ?1 AND status = 'running'",
                params![run, text],
            )?;
            conn.execute(
                "UPDATE claim SET beat_at = ?3 WHERE pipeline = ?1 AND run = ?2",
                params![pipeline, run, now],
            )
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the progress of a run could not be written");
        }
    }

    fn quarantine(&self, source: &str, unit_names: &[String], rejects: Vec<Reject>) -> Result<(), EtlError> {
        let mut rows = Vec::with_capacity(rejects.len());
        for reject in rejects {
            let sealed = self.runs.keys.seal(&scope(), self.run.as_bytes(), &reject.raw);
            let sealed = sealed.map_err(|error| EtlError::Record(error.to_string()))?;
            let unit = unit_names.get(reject.place.unit as usize).cloned().unwrap_or_default();
            rows.push((reject, unit, sealed));
        }
        let (run, pipeline, source) = (self.run.clone(), self.pipeline.clone(), source.to_owned());
        self.runs.write(move |conn| {
            let mut insert = conn.prepare_cached(
                "INSERT INTO quarantine (run, pipeline, source, unit, line, byte, rule, column_name, reason, message, raw)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?;
            for (reject, unit, sealed) in rows {
                insert.execute(params![
                    run,
                    pipeline,
                    source,
                    unit,
                    i64::try_from(reject.place.line).unwrap_or(i64::MAX),
                    reject.place.offset.map(|offset| i64::try_from(offset).unwrap_or(i64::MAX)),
                    reject.rule,
                    reject.column,
                    reject.reason,
                    reject.message,
                    sealed
                ])?;
            }
            Ok(())
        })
    }

    fn discard(&self, source: &str) -> Result<(), EtlError> {
        let (run, source) = (self.run.clone(), source.to_owned());
        self.runs.write(move |conn| {
            conn.execute("DELETE FROM quarantine WHERE run = ?1 AND source = ?2", [&run, &source])?;
            conn.execute("DELETE FROM run_source WHERE run = ?1 AND source = ?2", [&run, &source]).map(|_| ())
        })
    }

    fn about_to_commit(&self, record: &SourceRecord) -> Result<(), EtlError> {
        self.keep(record, "intent")
    }

    fn intent(&self, source: &str) -> Result<Option<SourceRecord>, EtlError> {
        self.kept(source, "intent")
    }

    fn source_done(&self, record: &SourceRecord) -> Result<(), EtlError> {
        self.keep(record, "done")
    }

    fn done_before(&self, source: &str) -> Result<Option<SourceRecord>, EtlError> {
        self.kept(source, "done")
    }

    fn previous_quality(&self, source: &str) -> Option<SourceQuality> {
        let (run, pipeline, source) = (self.run.clone(), self.pipeline.clone(), source.to_owned());
        let text: Option<String> = self
            .runs
            .read(move |conn| {
                conn.query_row(
                    // Rows that are run again, and windows that somebody chose, say nothing about the whole source.
                    "SELECT record FROM run_source WHERE pipeline = ?1 AND source = ?2 AND run <> ?3 AND state = 'done'
                       AND json_extract(record, '$.status') = 'completed' AND json_extract(record, '$.quality') IS NOT NULL
                       AND run IN (SELECT id FROM run WHERE kind = 'load')
                     ORDER BY at DESC LIMIT 1",
                    [&pipeline, &source, &run],
                    |row| row.get(0),
                )
                .optional()
            })
            .ok()?;
        serde_json::from_str::<SourceRecord>(&text?).ok()?.quality
    }
}
