//! `salus etl replay`: runs rows again that were set aside, or waives them.

use std::path::PathBuf;
use std::sync::Arc;

use etl::run::{Observer, Quarantined, RunOptions};
use etl::runs::{Claim, QuarantineFilter, QuarantineRow, Runs, State};
use fhir::Clock as _;
use table::Place;

use super::run::{exit_of, find_run, show};
use super::{failed, read_pipeline};
use crate::cli::EtlReplayArgs;
use crate::door::config_of;
use crate::exit::{Exit, usage};
use crate::local_user::local_user;
use crate::output::say;
use crate::pipelines::{WorldParts, keys_of, new_run_id, runs_of, store_door, world_of};

const ROWS_MAX: usize = 10_000;

pub(crate) async fn run(args: EtlReplayArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.place.data)?;
    crate::logging::start(&config.log)?;
    let runs = runs_of(&config.data_dir)?;
    let found = find_run(&runs, &args.run)?;
    let rows = rows_of(&runs, &found.run, &args)?;
    let by = format!("local:{}", local_user());
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    if args.waive {
        let n = runs.set_state(&ids, State::Waived, &by)?;
        say(format!("{n} rows are waived"))?;
        return Ok(Exit::Done);
    }
    let source = rows[0].source.clone();
    let file = args.file.unwrap_or_else(|| PathBuf::from(&found.file));
    let pipeline = read_pipeline(&file)?;
    let options = RunOptions {
        run: new_run_id(),
        started_at: db::SystemClock.now(),
        resumed: false,
        dry_run: false,
        only: vec![source.clone()],
    };
    let (world, _scratch) = world_of(WorldParts {
        config: &config,
        file: &file,
        roots: &args.place.roots,
        pipeline: &pipeline,
        keys: Some(keys_of(&config.data_dir)?),
        store: store_door(&config, &pipeline)?,
        clock: Arc::new(db::SystemClock),
        die_at: None,
    })?;
    let name = &pipeline.name.text;
    if let Claim::Held(other) = runs.claim(name, &options.run)? {
        anyhow::bail!("the pipeline `{name}` is at work in run `{other}`: wait until it ends");
    }
    let opened = rows.iter().map(|row| open(&runs, row)).collect::<anyhow::Result<Vec<_>>>()?;
    let observer = runs.begin(
        &options,
        &pipeline,
        &file.display().to_string(),
        &by,
        super::runs::progress_bar(args.json),
    )?;
    let observer: Arc<dyn Observer> = Arc::new(observer);
    let outcome = etl::run::replay(&pipeline, &world, &options, &observer, &source, opened).await;
    let (record, unreadable) = match outcome {
        Ok(done) => done,
        Err(error) => {
            runs.end_broken(&options.run, name, &error.to_string())?;
            return Err(failed(&file, error));
        }
    };
    runs.end(&record)?;
    if record.sources.iter().all(|source| source.failure.is_none()) {
        let done: Vec<i64> = ids.into_iter().filter(|id| !unreadable.contains(id)).collect();
        runs.set_state(&done, State::Replayed, &by)?;
    }
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
    let filter = QuarantineFilter {
        run: Some(run.to_owned()),
        source: args.source.clone(),
        rule: args.rule.clone(),
        state: Some(State::Open),
        rows_max: ROWS_MAX,
        ..QuarantineFilter::default()
    };
    let rows = runs.quarantined(&filter)?;
    let Some(first) = rows.first() else {
        return Err(usage(format!("the run `{run}` has no such rows that wait")));
    };
    if !args.waive && rows.iter().any(|row| row.source != first.source) {
        return Err(usage("rows of several sources wait: name one with `--source`"));
    }
    Ok(rows)
}

fn open(runs: &Runs, row: &QuarantineRow) -> anyhow::Result<Quarantined> {
    Ok(Quarantined {
        id: row.id,
        unit: row.unit.clone(),
        place: Place {
            unit: 0,
            line: u64::try_from(row.line).unwrap_or(0),
            offset: row.byte.and_then(|byte| u64::try_from(byte).ok()),
        },
        raw: runs.open_quarantined(row.id)?.unwrap_or_default(),
    })
}
