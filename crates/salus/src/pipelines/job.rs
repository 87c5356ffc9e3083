//! One run of a pipeline by this process: claimed, begun, run to its end, recorded. The command line and the server use the same.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use etl::EtlError;
use etl::file::Pipeline;
use etl::run::{Observer, Progress, Quarantined, RunOptions, RunRecord};
use etl::runs::{Claim, Runs};
use etl::world::{ResourceDoor, World};
use keys::KeyRing;

use super::{Scratch, WorldParts, world_of};
use crate::config::Config;

/// What a run needs.
#[allow(clippy::type_complexity, reason = "said once, where it is read")]
pub(crate) struct Job<'a> {
    pub(crate) config: &'a Config,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) file: PathBuf,
    /// Folders of the command line.
    pub(crate) roots: &'a [PathBuf],
    pub(crate) options: RunOptions,
    /// Who asked for it.
    pub(crate) by: String,
    pub(crate) runs: Runs,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) store: Option<Arc<dyn ResourceDoor>>,
    /// The process dies at this checkpoint.
    pub(crate) die_at: Option<String>,
    /// Is told how far the sources are.
    pub(crate) on_progress: Box<dyn Fn(&[Progress]) + Send + Sync>,
}

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotBegun {
    /// The pipeline is at work in another run.
    #[error(
        "the pipeline `{pipeline}` is at work in run `{run}`: wait until it ends, or 30 seconds after its process died"
    )]
    Held {
        /// The pipeline.
        pipeline: String,
        /// The run at work.
        run: String,
    },
    /// The record of runs failed.
    #[error(transparent)]
    Etl(#[from] EtlError),
    /// Folders or keys could not be had.
    #[error("{0:#}")]
    Other(anyhow::Error),
}

impl Job<'_> {
    /// Claims the pipeline and writes the run's row. From here on it must be run to its end.
    pub(crate) fn begin(self) -> Result<Begun, NotBegun> {
        let (world, scratch) = world_of(WorldParts {
            config: self.config,
            file: &self.file,
            roots: self.roots,
            pipeline: &self.pipeline,
            keys: Some(self.keys),
            store: self.store,
            clock: Arc::new(db::SystemClock),
            die_at: self.die_at,
        })
        .map_err(NotBegun::Other)?;
        let name = self.pipeline.name.text.clone();
        if let Claim::Held(run) = self.runs.claim(&name, &self.options.run)? {
            return Err(NotBegun::Held { pipeline: name, run });
        }
        let file = self.file.canonicalize().unwrap_or(self.file);
        let shown = file.display().to_string();
        let observer = self.runs.begin(&self.options, &self.pipeline, &shown, &self.by, self.on_progress);
        let observer = match observer {
            Ok(observer) => Arc::new(observer),
            Err(error) => {
                self.runs.release(&name, &self.options.run)?;
                return Err(error.into());
            }
        };
        let (pipeline, options, by, runs) = (self.pipeline, self.options, self.by, self.runs);
        Ok(Begun { pipeline, options, by, runs, world, observer, _scratch: scratch })
    }
}

/// A run that has its claim and its row.
pub(crate) struct Begun {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) options: RunOptions,
    by: String,
    runs: Runs,
    world: Arc<World>,
    observer: Arc<dyn Observer>,
    _scratch: Scratch,
}

impl Begun {
    /// Set this to stop the run.
    pub(crate) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.world.cancelled)
    }

    /// Runs to the end.
    pub(crate) async fn run(self) -> Result<RunRecord, EtlError> {
        let outcome = etl::run::run(&self.pipeline, &self.world, &self.options, &self.observer).await;
        let record = self.kept(outcome)?;
        self.runs.end(&record)?;
        Ok(record)
    }

    /// Runs quarantined rows of a source again: they are replayed, but for those that could not be read as records. Gives the numbers of these too.
    pub(crate) async fn replay(
        self,
        source: &str,
        rows: Vec<Quarantined>,
    ) -> Result<(RunRecord, Vec<i64>), EtlError> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let outcome =
            etl::run::replay(&self.pipeline, &self.world, &self.options, &self.observer, source, rows).await;
        let (record, unreadable) = self.kept(outcome)?;
        let is_done = record.sources.iter().all(|source| source.failure.is_none());
        let replayed: Vec<i64> = ids.into_iter().filter(|id| is_done && !unreadable.contains(id)).collect();
        self.runs.end_replay(&record, &replayed, &self.by)?;
        Ok((record, unreadable))
    }

    /// A run that broke is written down as such.
    fn kept<T>(&self, outcome: Result<T, EtlError>) -> Result<T, EtlError> {
        if let Err(error) = &outcome {
            self.runs.end_broken(&self.options.run, &self.pipeline.name.text, &error.to_string())?;
        }
        outcome
    }
}
