//! Goes on with runs that ended with a server of this folder: those that it stopped, and those whose process died.

use std::collections::BTreeSet;

use etl::run::RunOptions;
use etl::runs::RunSummary;
use server::PipelineError;

use super::{PipelineService, broken};

/// A run that was begun so often and never ended may be what ends the server.
const ATTEMPTS_MAX: u32 = 3;

impl PipelineService {
    /// Begins again what was interrupted, once each: `seen` holds what was tried.
    pub(super) fn resume_interrupted(&self, seen: &mut BTreeSet<String>) -> Result<(), PipelineError> {
        let Some(runs) = PipelineService::runs(self)? else { return Ok(()) };
        // An older run of a pipeline was overtaken by the newest one.
        for found in runs.newest_of_each().map_err(broken)? {
            if !is_ours(&found) || !seen.insert(found.run.clone()) {
                continue;
            }
            let (pipeline, run) = (found.pipeline.clone(), found.run.clone());
            match self.resume(found) {
                Ok(()) => tracing::info!(pipeline, run, "an interrupted run goes on"),
                Err(error) => {
                    tracing::error!(pipeline, run, %error, "an interrupted run does not go on");
                    self.trouble().insert(
                        pipeline,
                        format!("its run `{run}` was interrupted and does not go on: {error}"),
                    );
                }
            }
        }
        Ok(())
    }

    fn resume(&self, found: RunSummary) -> Result<(), PipelineError> {
        if found.n_attempts >= ATTEMPTS_MAX {
            let (run, n) = (&found.run, found.n_attempts);
            return Err(PipelineError::Conflict(format!(
                "it was interrupted {n} times: look at the log, then continue it with `salus etl resume {run}`"
            )));
        }
        let (file, pipeline) = self.runnable(&found.pipeline)?;
        let options = RunOptions {
            resumed: true,
            only: found.asked.only,
            backfill: found.asked.backfill,
            ..RunOptions::new(found.run, found.started_at)
        };
        self.begin_with(pipeline, file, options, &found.by).map(drop)
    }
}

/// Whether a run is one that a server goes on with: not one of somebody's command line, not one that wrote nothing.
fn is_ours(run: &RunSummary) -> bool {
    run.status == "interrupted"
        && !run.by.starts_with("local:")
        && matches!(run.kind.as_str(), "load" | "backfill")
}
