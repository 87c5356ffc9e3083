//! `salus etl replay`: runs rows again that were set aside, or waives them.

use std::path::PathBuf;
use std::sync::Arc;

use etl::run::RunOptions;
use etl::runs::{QuarantineRow, Runs, State};
use fhir::Clock as _;

use super::run::{exit_of, find_run, not_begun, show, stop_on_signal};
use super::{failed, read_pipeline};
use crate::cli::EtlReplayArgs;
use crate::door::config_of;
use crate::exit::{Exit, usage};
use crate::local_user::local_user;
use crate::output::say;
use crate::pipelines::{Job, keys_of, new_run_id, opened, runs_of, store_door, waiting};

pub(crate) async fn run(args: EtlReplayArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.place.data)?;
    crate::logging::start(&config.log)?;
    let runs = runs_of(&config.data_dir)?;
    let found = find_run(&runs, &args.run)?;
    let rows = rows_of(&runs, &found.run, &args)?;
    let by = format!("local:{}", local_user());
    if args.waive {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let n = runs.set_state(&ids, State::Waived, &by)?;
        say(format!("{n} rows are waived"))?;
        return Ok(Exit::Done);
    }
    let source = rows[0].source.clone();
    let file = args.file.unwrap_or_else(|| PathBuf::from(&found.file));
    let pipeline = read_pipeline(&file)?;
    let options = RunOptions {
        only: vec![source.clone()],
        is_replay: true,
        ..RunOptions::new(new_run_id(), db::SystemClock.now())
    };
    let content = opened(&runs, &rows)?;
    let job = Job {
        config: &config,
        store: store_door(&config, &pipeline)?,
        pipeline: Arc::new(pipeline),
        file: file.clone(),
        roots: &args.place.roots,
        options,
        by,
        runs: runs.clone(),
        keys: keys_of(&config.data_dir)?,
        die_at: None,
        on_progress: super::runs::progress_bar(args.json),
    };
    let begun = job.begin().map_err(|error| not_begun(&file, error))?;
    let stopper = stop_on_signal(&begun)?;
    let outcome = begun.replay(&source, content).await;
    stopper.abort();
    let (record, unreadable) = outcome.map_err(|error| failed(&file, error))?;
    show(&record, args.json)?;
    if !unreadable.is_empty() && !args.json {
        say(format!(
            "{} rows could not be read as records and stay open: correct the file and run the pipeline",
            unreadable.len()
        ))?;
    }
    Ok(exit_of(&record))
}

/// The open rows that were asked for, of one source.
fn rows_of(runs: &Runs, run: &str, args: &EtlReplayArgs) -> anyhow::Result<Vec<QuarantineRow>> {
    let rows = waiting(runs, run, args.source.as_deref(), args.rule.as_deref())?;
    let Some(first) = rows.first() else {
        return Err(usage(format!("the run `{run}` has no such rows that wait")));
    };
    if !args.waive && rows.iter().any(|row| row.source != first.source) {
        return Err(usage("rows of several sources wait: name one with `--source`"));
    }
    Ok(rows)
}
