//! `salus etl runs` and `show`, and how a record is printed.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use etl::run::{Progress, RunRecord, SourceRecord};
use etl::runs::{QuarantineFilter, QuarantineRow};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::run::find_run;
use crate::cli::{EtlRunsArgs, EtlShowArgs};
use crate::door::config_of;
use crate::exit::Exit;
use crate::output::{grouped, say, say_json, table};
use crate::pipelines::runs_of;

const LINE_EVERY: Duration = Duration::from_secs(5);

pub(crate) fn list(args: &EtlRunsArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.data)?;
    let runs = runs_of(&config.data_dir)?.list(args.pipeline.as_deref(), args.max)?;
    if args.json {
        let runs: Vec<Value> = runs
            .iter()
            .map(|run| {
                json!({
                    "run": run.run, "pipeline": run.pipeline, "status": run.status, "started_at": run.started_at.to_string(),
                    "ended_at": run.ended_at.map(|at| at.to_string()), "by": run.by, "attempts": run.n_attempts,
                    "counts": run.record.as_ref().map(|record| record.counts), "progress": run.progress,
                })
            })
            .collect();
        say_json(&json!({ "runs": runs }))?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![
        ["run", "pipeline", "status", "started", "read", "loaded", "quarantined", "secs"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for run in runs {
        let counts = run.record.as_ref().map(|record| record.counts);
        let n = |of: fn(&etl::run::Counts) -> u64| {
            counts.as_ref().map_or_else(String::new, |counts| grouped(of(counts)))
        };
        rows.push(vec![
            run.run,
            run.pipeline,
            run.status,
            run.started_at.to_string(),
            n(|counts| counts.read),
            n(|counts| counts.loaded),
            n(|counts| counts.quarantined),
            run.record.map_or_else(String::new, |record| format!("{:.1}", record.duration_secs)),
        ]);
    }
    say(table(&rows).trim_end())?;
    Ok(Exit::Done)
}

pub(crate) fn show(args: &EtlShowArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.data)?;
    let runs = runs_of(&config.data_dir)?;
    let found = find_run(&runs, &args.run)?;
    let set_aside = match args.quarantine {
        Some(rows_max) => runs.quarantined(&QuarantineFilter {
            run: Some(found.run.clone()),
            rows_max,
            ..QuarantineFilter::default()
        })?,
        None => Vec::new(),
    };
    if args.json {
        let mut document = match &found.record {
            Some(record) => contract(record),
            None => json!({
                "run": found.run, "pipeline": found.pipeline, "status": found.status, "progress": found.progress,
                "sources": runs.sources_of(&found.run)?,
            }),
        };
        if args.quarantine.is_some() {
            document["quarantine"] = set_aside.iter().map(row_json).collect();
        }
        say_json(&document)?;
        return Ok(Exit::Done);
    }
    match &found.record {
        Some(record) => say(text_of(record).trim_end())?,
        None => {
            say(format!("run {} of {}: {}", found.run, found.pipeline, found.status))?;
            if let Some(error) = found.progress.as_ref().and_then(|progress| progress["error"].as_str()) {
                say(error)?;
            }
            if found.status == "interrupted" {
                say(format!("its process died: continue with `salus etl resume {}`", found.run))?;
            }
        }
    }
    for row in set_aside {
        let byte = row.byte.map_or_else(String::new, |byte| format!(" byte {byte}"));
        let line = format!(
            "{:>8}  {}  {} line {}{byte}  {}: {}",
            row.id,
            row.state.name(),
            row.unit,
            row.line,
            row.rule,
            row.message
        );
        say(line)?;
    }
    Ok(Exit::Done)
}

fn row_json(row: &QuarantineRow) -> Value {
    json!({
        "id": row.id, "source": row.source, "unit": row.unit, "line": row.line, "byte": row.byte, "rule": row.rule,
        "column": row.column, "reason": row.reason, "message": row.message, "state": row.state.name(),
    })
}

/// The record as scripts read it: the contract's keys, and more beside them.
pub(crate) fn contract(record: &RunRecord) -> Value {
    let mut document = json!(record);
    document["quality"] = record
        .sources
        .iter()
        .filter_map(|source| source.quality.as_ref().map(|quality| json!(quality)))
        .collect();
    document
}

/// The record as people read it.
pub(super) fn text_of(record: &RunRecord) -> String {
    let mut text = format!(
        "run {} of {}: {}{} in {:.1} s\n",
        record.run,
        record.pipeline,
        record.status.name(),
        if record.dry_run { " (dry run: nothing was written)" } else { "" },
        record.duration_secs
    );
    text.push_str(&sum_line(record));
    for source in &record.sources {
        text.push('\n');
        text.push_str(&source_text(source));
    }
    for warning in &record.warnings {
        text.push_str(&format!("\nwarning: {warning}\n"));
    }
    text
}

/// Where the rows are. Terms that are seldom there are left out when they are nothing.
fn sum_line(record: &RunRecord) -> String {
    let counts = &record.counts;
    let sum = |of: fn(&SourceRecord) -> u64| record.sources.iter().map(of).sum::<u64>();
    let more = |n: u64, what: &str| if n > 0 { format!(" + {} {what}", grouped(n)) } else { String::new() };
    format!(
        "{} read{} = {} loaded + {} quarantined + {} filtered + {} deduplicated{}{}{}\n",
        grouped(counts.read),
        more(counts.produced, "made by steps"),
        grouped(counts.loaded),
        grouped(counts.quarantined),
        grouped(counts.filtered),
        grouped(counts.deduplicated),
        more(sum(SourceRecord::already_loaded), "there before"),
        more(counts.consumed, "used up"),
        more(sum(SourceRecord::held_back), "held back"),
    )
}

fn source_text(source: &SourceRecord) -> String {
    let quality = source.quality.as_ref().map_or_else(String::new, |quality| match quality.overall {
        Some(overall) => {
            format!(", quality {overall:.3} ({})", quality.level.map_or("unknown", etl::report::Level::name))
        }
        None => ", quality not assessed".to_owned(),
    });
    let mut text = format!("{} ({}): {}{quality}\n", source.name, source.kind, source.status.name());
    if let Some(error) = &source.error {
        text.push_str(&format!("  {error}\n"));
    }
    let mut rows =
        vec![["  step", "in", "out", "quarantined", "filtered", "deduplicated"].map(str::to_owned).to_vec()];
    for step in &source.steps {
        rows.push(vec![
            format!("  {}", step.name),
            grouped(step.rows_in),
            grouped(step.rows_out),
            grouped(step.quarantined),
            grouped(step.n_filtered()),
            grouped(step.n_deduplicated()),
        ]);
    }
    if !source.steps.is_empty() {
        text.push_str(&table(&rows));
    }
    let mut rows = vec![
        ["  target", "status", "inserted", "updated", "unchanged", "quarantined"].map(str::to_owned).to_vec(),
    ];
    for target in &source.targets {
        rows.push(vec![
            format!("  {} ({})", target.name, target.kind),
            target.status.clone(),
            grouped(target.inserted),
            grouped(target.updated),
            grouped(target.unchanged),
            grouped(target.quarantined),
        ]);
    }
    if !source.targets.is_empty() {
        text.push_str(&table(&rows));
    }
    text
}

/// Shows progress: a line that is written over on a terminal, a log line now and then otherwise.
#[allow(clippy::type_complexity, reason = "said once, where it is read")]
pub(super) fn progress_bar(quiet: bool) -> Box<dyn Fn(&[Progress]) + Send + Sync> {
    let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    });
    let (start, last) = (Instant::now(), Mutex::new(Instant::now()));
    Box::new(move |sources| {
        let sum = |of: fn(&Progress) -> u64| sources.iter().map(of).sum::<u64>();
        let (read, given, rejected) = (sum(|s| s.read), sum(|s| s.given), sum(|s| s.quarantined));
        let rate = read as f64 / start.elapsed().as_secs_f64().max(0.001);
        if let Some(bar) = &bar {
            if sources.iter().all(|source| source.state != "waiting" && source.state != "running") {
                bar.finish_and_clear();
            } else {
                bar.set_message(format!(
                    "{} rows read  {}/s  {} given  {} rejected",
                    grouped(read),
                    grouped(rate as u64),
                    grouped(given),
                    grouped(rejected)
                ));
            }
            return;
        }
        let Ok(mut last) = last.lock() else { return };
        if !quiet && last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            tracing::info!(read, per_sec = rate as u64, given, rejected, "running");
        }
    })
}
