//! What salus is measured beside: the same rows in a bare table, and the founding design in Python.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use rusqlite::{Connection, params};
use serde_json::Value;

use super::load;
use super::{Job, Reached};

/// The founding design, as a program.
const FOUNDING: &str = include_str!("../../../../../benches/peers/stream/founding.py");
/// Events for the founding design that commits each one, and for the tuned form.
const EVENTS: [(usize, u64); 2] = [(1, 3_000), (500, 60_000)];
/// Rows of the raw measure at most.
const RAW_ROWS_MAX: u64 = 200_000;
const AT: &str = "2026-01-01T00:00:00.000Z";

/// A bare table with one index on the identifier: as many rows a commit as events were in flight, each commit on disk. No rules, no state.
pub(super) fn raw(path: &Path, job: &Job, in_flight: usize, events: u64) -> anyhow::Result<Reached> {
    let mut conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE event (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, body BLOB NOT NULL);",
    )?;
    let per_commit = (in_flight * job.batch) as u64;
    // Commits of one row are slow: a part of the rows tells the rate.
    let rows = events.min(RAW_ROWS_MAX).min(per_commit * 4_000).max(per_commit);
    let started = Instant::now();
    let mut n = 0;
    while n < rows {
        let transaction = conn.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO event (id, body) VALUES (?, ?)")?;
            for i in n..(n + per_commit).min(rows) {
                insert.execute(params![load::id_of(i), &load::event(i, job.alert_every, AT)[..]])?;
            }
        }
        transaction.commit()?;
        n += per_commit;
    }
    let secs = started.elapsed().as_secs_f64();
    Ok(Reached {
        name: "raw append".to_owned(),
        in_flight,
        events: rows,
        secs,
        per_sec: rows as f64 / secs,
        ..Reached::default()
    })
}

/// The founding design with `batch` events a commit.
pub(super) fn founding(folder: &Path, python: &Path, job: &Job, batch: usize) -> anyhow::Result<Reached> {
    let events = EVENTS.iter().find(|(of, _)| *of == batch).map_or(3_000, |(_, events)| *events);
    let file = folder.join(format!("events-{batch}.ndjson"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
    for n in 0..events {
        out.write_all(&load::event(n, job.alert_every, AT))?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    let run =
        Command::new(python).args(["-c", FOUNDING]).arg(&file).arg(folder).arg(batch.to_string()).output();
    let run = run.with_context(|| format!("cannot start `{}`", python.display()))?;
    let errors = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "{}", errors.lines().last().unwrap_or("it said nothing"));
    let said: Value = serde_json::from_slice(&run.stdout).context("it did not print a result")?;
    let secs = said["secs"].as_f64().context("it did not print its seconds")?;
    let alerts = said["alerts"].as_u64().unwrap_or(0);
    ensure!(alerts == events / job.alert_every.max(1), "it found {alerts} alerts");
    Ok(Reached {
        name: if batch == 1 { "founding design (Python)" } else { "founding design, tuned" }.to_owned(),
        in_flight: batch,
        events,
        secs,
        per_sec: events as f64 / secs,
        alerts,
        alert_p50_ms: said["p50_ms"].as_f64(),
        alert_p99_ms: said["p99_ms"].as_f64(),
        ..Reached::default()
    })
}
