//! `salus etl run` and `resume`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use etl::file::Pipeline;
use etl::run::{Observer, RunOptions, RunRecord};
use etl::runs::{Claim, Runs};
use fhir::Clock as _;

use super::{failed, read_pipeline};
use crate::cli::{EtlPlaceArgs, EtlResumeArgs, EtlRunArgs};
use crate::config::Config;
use crate::door::config_of;
use crate::exit::{Exit, usage};
use crate::local_user::local_user;
use crate::output::{say, say_json};
use crate::pipelines::{WorldParts, keys_of, new_run_id, runs_of, store_door, world_of};

pub(crate) async fn run(args: EtlRunArgs) -> anyhow::Result<Exit> {
    let (config, pipeline) = begin(&args.place, &args.file)?;
    for name in args.sources.iter().filter(|name| pipeline.source(name).is_none()) {
        return Err(usage(format!("the pipeline has no source `{name}`")));
    }
    let options = RunOptions {
        run: new_run_id(),
        started_at: db::SystemClock.now(),
        resumed: false,
        dry_run: args.dry_run,
        only: args.sources,
    };
    let job =
        Job { config, pipeline, file: args.file, roots: args.place.roots, options, die_at: args.die_at };
    job.go(args.json).await
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
    let options = RunOptions {
        run: found.run,
        started_at: found.started_at,
        resumed: true,
        dry_run: false,
        only: Vec::new(),
    };
    let job = Job { config, pipeline, file, roots: args.place.roots, options, die_at: args.die_at };
    job.go(args.json).await
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

/// One run of a pipeline by this process.
struct Job {
    config: Config,
    pipeline: Pipeline,
    file: PathBuf,
    roots: Vec<PathBuf>,
    options: RunOptions,
    die_at: Option<String>,
}

impl Job {
    async fn go(self, json: bool) -> anyhow::Result<Exit> {
        let runs = runs_of(&self.config.data_dir)?;
        let (world, _scratch) = world_of(WorldParts {
            config: &self.config,
            file: &self.file,
            roots: &self.roots,
            pipeline: &self.pipeline,
            keys: Some(keys_of(&self.config.data_dir)?),
            store: store_door(&self.config, &self.pipeline)?,
            clock: Arc::new(db::SystemClock),
            die_at: self.die_at.clone(),
        })?;
        let name = &self.pipeline.name.text;
        if let Claim::Held(other) = runs.claim(name, &self.options.run)? {
            anyhow::bail!(
                "the pipeline `{name}` is at work in run `{other}`: wait until it ends, or 30 seconds after its process died"
            );
        }
        let cancelled = world.cancelled.clone();
        let stop = crate::command::serve::stop_signal()?;
        let stopper = tokio::spawn(async move {
            stop.await;
            cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let file = self.file.canonicalize().unwrap_or_else(|_| self.file.clone());
        let by = format!("local:{}", local_user());
        let shown = super::runs::progress_bar(json);
        let observer = runs.begin(&self.options, &self.pipeline, &file.display().to_string(), &by, shown)?;
        let observer: Arc<dyn Observer> = Arc::new(observer);
        let outcome = etl::run::run(&self.pipeline, &world, &self.options, &observer).await;
        stopper.abort();
        let record = match outcome {
            Ok(record) => record,
            Err(error) => {
                runs.end_broken(&self.options.run, name, &error.to_string())?;
                return Err(failed(&self.file, error));
            }
        };
        runs.end(&record)?;
        show(&record, json)?;
        Ok(exit_of(&record))
    }
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
