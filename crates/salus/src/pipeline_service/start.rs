//! Runs in this process: each on a thread of its own, with the code of the command line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use etl::EtlError;
use etl::file::Pipeline;
use etl::run::{RunOptions, RunRecord, Status};
use etl::world::ResourceDoor;
use gate::{Access, Principal, Tenant};
use server::{Choice, PipelineError};

use super::{AtWork, PipelineService, broken};
use crate::pipelines::{Begun, Job, NotBegun, SinkDoor, new_run_id, opened, waiting};
use crate::sink::{LocalSink, Sink};

impl PipelineService {
    /// A pipeline that can run: its file is in the folder and in order.
    pub(super) fn runnable(&self, name: &str) -> Result<(PathBuf, Arc<Pipeline>), PipelineError> {
        self.inner.files.find(name).ok_or_else(|| {
            let folder = self.inner.files.folder().display();
            PipelineError::NotFound(format!(
                "no file in `{folder}` that is in order has the pipeline `{name}`"
            ))
        })
    }

    /// Begins a run, and gives its id while it is at work.
    pub(super) fn begin(
        &self,
        pipeline: Arc<Pipeline>,
        file: PathBuf,
        by: &str,
        is_dry: bool,
    ) -> Result<String, PipelineError> {
        self.begin_with(pipeline, file, RunOptions { dry_run: is_dry, ..self.options() }, by)
    }

    /// Begins a run with options of its own.
    pub(super) fn begin_with(
        &self,
        pipeline: Arc<Pipeline>,
        file: PathBuf,
        options: RunOptions,
        by: &str,
    ) -> Result<String, PipelineError> {
        let begun = self.job(pipeline, file, options, by)?;
        self.spawn(begun, |begun| async move { begun.run().await })
    }

    /// Begins a replay of rows that wait, of one source.
    pub(super) fn begin_replay(&self, choice: &Choice, by: &str) -> Result<String, PipelineError> {
        let (runs, found) = self.find(&choice.run)?;
        let rows =
            waiting(runs, &found.run, choice.source.as_deref(), choice.rule.as_deref()).map_err(broken)?;
        let Some(first) = rows.first() else {
            return Err(PipelineError::Conflict(format!(
                "the run `{}` has no such rows that wait",
                found.run
            )));
        };
        let source = first.source.clone();
        if rows.iter().any(|row| row.source != source) {
            return Err(PipelineError::Invalid(
                "rows of several sources wait: name one, with `source`".to_owned(),
            ));
        }
        let (file, pipeline) = self.runnable(&found.pipeline)?;
        let content = opened(runs, &rows).map_err(broken)?;
        let options = RunOptions { only: vec![source.clone()], is_replay: true, ..self.options() };
        let begun = self.job(pipeline, file, options, by)?;
        self.spawn(begun, |begun| async move {
            begun.replay(&source, content).await.map(|(record, _unreadable)| record)
        })
    }

    /// Asks a run of this process to stop; false when it is none.
    pub(super) fn cancel_run(&self, run: &str) -> bool {
        let at_work = self.at_work();
        let Some(run) = at_work.get(run) else { return false };
        run.is_given_up.store(true, Ordering::Relaxed);
        run.cancelled.store(true, Ordering::Relaxed);
        true
    }

    fn options(&self) -> RunOptions {
        RunOptions::new(new_run_id(), self.inner.gate.now())
    }

    fn job(
        &self,
        pipeline: Arc<Pipeline>,
        file: PathBuf,
        options: RunOptions,
        by: &str,
    ) -> Result<Begun, PipelineError> {
        if self.inner.is_stopping.load(Ordering::Relaxed) {
            return Err(PipelineError::Conflict("the server is stopping: ask again later".to_owned()));
        }
        let record = self.record()?;
        let store = self.store_of(&pipeline, &options.run, by)?;
        let job = Job {
            config: &self.inner.config,
            pipeline,
            file,
            roots: &[],
            options,
            by: by.to_owned(),
            runs: record.runs.clone(),
            keys: Arc::clone(&record.keys),
            store,
            die_at: None,
            on_progress: Box::new(|_| ()),
        };
        job.begin().map_err(|error| match error {
            NotBegun::Held { .. } => PipelineError::Conflict(error.to_string()),
            NotBegun::Etl(EtlError::Invalid(_) | EtlError::Secret(_)) => {
                PipelineError::Invalid(error.to_string())
            }
            NotBegun::Etl(_) | NotBegun::Other(_) => broken(error),
        })
    }

    /// The way into this server's store, under a name of its own and for whoever asked.
    fn store_of(
        &self,
        pipeline: &Pipeline,
        run: &str,
        by: &str,
    ) -> Result<Option<Arc<dyn ResourceDoor>>, PipelineError> {
        if !pipeline.targets.iter().any(|target| target.kind.text == "fhir_store") {
            return Ok(None);
        }
        let principal = Principal::service(&format!("pipeline:{}", pipeline.name.text), Tenant::main());
        let mut access = Access::new(Arc::new(principal), None, format!("run-{run}")).map_err(broken)?;
        access.on_behalf_of = Some(by.to_owned());
        let gate = self.inner.gate.clone();
        let sink =
            LocalSink { now: gate.now(), gate, access: Arc::new(access), base: self.inner.fhir_base.clone() };
        Ok(Some(Arc::new(SinkDoor(Sink::Local(sink)))))
    }

    /// A thread, because a run writes its record between its steps and must not hold up requests; the runtime is the server's.
    fn spawn<F, R>(&self, begun: Begun, work: F) -> Result<String, PipelineError>
    where
        F: FnOnce(Begun) -> R + Send + 'static,
        R: Future<Output = Result<RunRecord, EtlError>>,
    {
        let (run, name) = (begun.options.run.clone(), begun.pipeline.name.text.clone());
        let is_given_up = Arc::new(AtomicBool::new(false));
        let at_work = AtWork { cancelled: begun.cancelled(), is_given_up: is_given_up.clone() };
        self.at_work().insert(run.clone(), at_work);
        let (service, id, runtime) = (self.clone(), run.clone(), tokio::runtime::Handle::current());
        let thread = std::thread::Builder::new().name(format!("run {name}"));
        let started = thread.spawn(move || {
            // Removed whatever happens.
            let _guard = Guard { service: service.clone(), run: id.clone() };
            let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work(begun)))) else {
                return service.panicked(&name, &id);
            };
            service.leave(&id, &outcome, is_given_up.load(Ordering::Relaxed));
            service.ended(&name, &id, outcome);
        });
        if let Err(error) = started {
            self.at_work().remove(&run);
            return Err(broken(error));
        }
        Ok(run)
    }

    /// A run that ended early only because the server stops is continued by the next one.
    fn leave(&self, run: &str, outcome: &Result<RunRecord, EtlError>, is_given_up: bool) {
        let is_stopped = outcome.as_ref().is_ok_and(|record| record.status == Status::Cancelled);
        if is_given_up || !is_stopped || !self.inner.is_stopping.load(Ordering::Relaxed) {
            return;
        }
        let left = self.record().map_err(|error| error.to_string());
        if let Err(error) = left.and_then(|record| record.runs.leave(run).map_err(|error| error.to_string()))
        {
            tracing::error!(run, error, "a run that the server stopped cannot be continued");
        }
    }

    /// Its row says that it is at work until its heart is missed; who looks at the pipeline is told before.
    fn panicked(&self, pipeline: &str, run: &str) {
        tracing::error!(pipeline, run, "a run broke, which is a bug");
        self.inner.counters.broken(pipeline);
        let why = "the last run broke, which is a bug: the server's log says where".to_owned();
        self.trouble().insert(pipeline.to_owned(), why);
    }

    fn ended(&self, pipeline: &str, run: &str, outcome: Result<RunRecord, EtlError>) {
        match outcome {
            Ok(record) => {
                let counts = &record.counts;
                tracing::info!(
                    pipeline,
                    run,
                    status = record.status.name(),
                    read = counts.read,
                    loaded = counts.loaded,
                    quarantined = counts.quarantined,
                    "a run has ended"
                );
                self.inner.counters.ended(&record);
                self.trouble().remove(pipeline);
            }
            Err(error) => {
                tracing::error!(pipeline, run, %error, "a run broke off");
                self.inner.counters.broken(pipeline);
                self.trouble().insert(pipeline.to_owned(), format!("the last run broke off: {error}"));
            }
        }
    }
}

struct Guard {
    service: PipelineService,
    run: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.service.at_work().remove(&self.run);
    }
}
