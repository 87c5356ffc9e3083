//! `salus etl run` and `resume`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use etl::file::Pipeline;
use etl::run::{RunOptions, RunRecord};
use etl::runs::Runs;
use etl::source::Backfill;
use fhir::Clock as _;

use super::{failed, read_pipeline};
use crate::cli::{EtlPlaceArgs, EtlResumeArgs, EtlRunArgs};
use crate::config::Config;
use crate::door::config_of;
use crate::exit::{Exit, usage};
use crate::local_user::local_user;
use crate::output::{say, say_json};
use crate::pipelines::{Begun, Job, NotBegun, keys_of, new_run_id, runs_of, store_door};

pub(crate) async fn run(args: EtlRunArgs) -> anyhow::Result<Exit> {
    let (config, pipeline) = begin(&args.place, &args.file)?;
    if let Some(name) = args.sources.iter().find(|name| pipeline.source(name).is_none()) {
        return Err(usage(format!("the pipeline has no source `{name}`")));
    }
    let backfill =
        (args.from.is_some() || args.to.is_some()).then_some(Backfill { from: args.from, to: args.to });
    let mut only = args.sources;
    if backfill.is_some() && only.is_empty() {
        let [source] = pipeline.sources.as_slice() else {
            return Err(usage(
                "the pipeline has several sources: name the one to load again with `--source`",
            ));
        };
        only.push(source.name.text.clone());
    }
    let options = RunOptions {
        dry_run: args.dry_run,
        only,
        backfill,
        ..RunOptions::new(new_run_id(), db::SystemClock.now())
    };
    let asked =
        Asked { config, pipeline, file: args.file, roots: args.place.roots, options, die_at: args.die_at };
    asked.go(args.json).await
}

pub(crate) async fn resume(args: EtlResumeArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.place.data)?;
    let found = find_run(&runs_of(&config.data_dir)?, &args.run)?;
    if found.status != "interrupted" {
        return Err(usage(format!(
            "the run `{}` is {}: only an interrupted run can be resumed",
            found.run, found.status
        )));
    }
    let file = args.file.unwrap_or_else(|| PathBuf::from(&found.file));
    let (config, pipeline) = begin(&args.place, &file)?;
    if pipeline.name.text != found.pipeline {
        return Err(usage(format!(
            "the run `{}` is of the pipeline `{}`, the file says `{}`",
            found.run, found.pipeline, pipeline.name
        )));
    }
    if matches!(found.kind.as_str(), "dry" | "replay") {
        let why = if found.kind == "dry" {
            "a dry run: run it again"
        } else {
            "a replay: its rows are still open, replay them again"
        };
        return Err(usage(format!("the run `{}` is {why}", found.run)));
    }
    let options = RunOptions {
        resumed: true,
        only: found.asked.only,
        backfill: found.asked.backfill,
        ..RunOptions::new(found.run, found.started_at)
    };
    let asked = Asked { config, pipeline, file, roots: args.place.roots, options, die_at: args.die_at };
    asked.go(args.json).await
}

fn begin(place: &EtlPlaceArgs, file: &Path) -> anyhow::Result<(Config, Pipeline)> {
    let config = config_of(&place.data)?;
    crate::logging::start(&config.log)?;
    Ok((config, read_pipeline(file)?))
}

/// A run by its id or the beginning of it.
pub(super) fn find_run(runs: &Runs, id: &str) -> anyhow::Result<etl::runs::RunSummary> {
    runs.get(id)?.ok_or_else(|| {
        usage(format!("there is no run `{id}`, or several begin so: look with `salus etl runs`"))
    })
}

/// What was asked for on the command line.
struct Asked {
    config: Config,
    pipeline: Pipeline,
    file: PathBuf,
    roots: Vec<PathBuf>,
    options: RunOptions,
    die_at: Option<String>,
}

impl Asked {
    async fn go(self, json: bool) -> anyhow::Result<Exit> {
        let job = Job {
            config: &self.config,
            store: store_door(&self.config, &self.pipeline)?,
            pipeline: Arc::new(self.pipeline),
            file: self.file.clone(),
            roots: &self.roots,
            options: self.options,
            by: format!("local:{}", local_user()),
            runs: runs_of(&self.config.data_dir)?,
            keys: keys_of(&self.config.data_dir)?,
            die_at: self.die_at,
            on_progress: super::runs::progress_bar(json),
        };
        let begun = job.begin().map_err(|error| not_begun(&self.file, error))?;
        let stopper = stop_on_signal(&begun)?;
        let outcome = begun.run().await;
        stopper.abort();
        let record = outcome.map_err(|error| failed(&self.file, error))?;
        show(&record, json)?;
        Ok(exit_of(&record))
    }
}

/// Why a run did not begin, as this command line reports it.
pub(super) fn not_begun(file: &Path, error: NotBegun) -> anyhow::Error {
    match error {
        NotBegun::Etl(error) => failed(file, error),
        NotBegun::Other(error) => error,
        held @ NotBegun::Held { .. } => anyhow::Error::new(held),
    }
}

/// Ctrl-C lets the run end early.
pub(super) fn stop_on_signal(begun: &Begun) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let (cancelled, stop) = (begun.cancelled(), crate::command::serve::stop_signal()?);
    Ok(tokio::spawn(async move {
        stop.await;
        cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
    }))
}

/// Prints the record.
pub(super) fn show(record: &RunRecord, json: bool) -> anyhow::Result<()> {
    if json { say_json(&super::runs::contract(record)) } else { say(super::runs::text_of(record).trim_end()) }
}

/// The exit code of a record.
pub(super) fn exit_of(record: &RunRecord) -> Exit {
    match record.exit_code() {
        0 => Exit::Done,
        3 => Exit::Gate,
        4 => Exit::Rejects,
        5 => Exit::Source,
        6 => Exit::Target,
        _ => Exit::NotInOrder,
    }
}
