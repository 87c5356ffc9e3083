//! What a pipeline is given by this process: secrets from the environment and files, folders, keys, the way into the store.

mod job;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use etl::engine::Engine;
use etl::file::Pipeline;
use etl::runs::Runs;
use etl::world::{ResourceDoor, World};
use etl::{EtlError, Secrets};
use fhir::{Clock, Resource};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use keys::{KeyError, KeyRing};

pub(crate) use job::{Begun, Job, NotBegun};
pub(crate) use waiting::{opened, waiting};

use crate::config::{Config, resolve_reference};
use crate::sink::{Outcome, Sink, Written};
use crate::source::parse::text_of;
use crate::source::{At, Change, Item, Place, Unit};

/// Of a data folder.
const KEYS: &str = "keys";

/// Secrets of the environment and of files.
pub(crate) struct Environment;

impl Secrets for Environment {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        resolve_reference(reference, &|name| std::env::var(name).ok()).map_err(|error| error.to_string())
    }
}

/// The keys of a data folder, made when there are none yet.
pub(crate) fn keys_of(data_dir: &Path) -> anyhow::Result<Arc<KeyRing>> {
    let (folder, clock): (PathBuf, Arc<dyn Clock>) = (data_dir.join(KEYS), Arc::new(db::SystemClock));
    if folder.exists() {
        return Ok(Arc::new(KeyRing::load(folder, clock)?));
    }
    make_private(data_dir)?;
    match KeyRing::init(&folder, Arc::clone(&clock)) {
        Ok(keys) => {
            tracing::info!(folder = %folder.display(), "made keys: back them up, apart from the data");
            Ok(Arc::new(keys))
        }
        // Somebody else, who began at the same time, made them first.
        Err(KeyError::Exists(_)) => Ok(Arc::new(KeyRing::load(folder, clock)?)),
        Err(error) => Err(error.into()),
    }
}

/// The record of runs of a data folder.
pub(crate) fn runs_of(data_dir: &Path) -> anyhow::Result<Runs> {
    make_private(data_dir)?;
    Ok(Runs::open(data_dir, keys_of(data_dir)?, Arc::new(db::SystemClock))?)
}

/// Makes the data folder when it is absent, readable by its owner only.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))
}

/// What a world is made of.
pub(crate) struct WorldParts<'a> {
    pub(crate) config: &'a Config,
    /// The pipeline's file.
    pub(crate) file: &'a Path,
    /// Folders of the command line.
    pub(crate) roots: &'a [PathBuf],
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) keys: Option<Arc<KeyRing>>,
    pub(crate) store: Option<Arc<dyn ResourceDoor>>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The process dies at this checkpoint.
    pub(crate) die_at: Option<String>,
}

/// The world of one run, with its scratch folder, which is removed when the guard is dropped.
pub(crate) fn world_of(parts: WorldParts<'_>) -> anyhow::Result<(Arc<World>, Scratch)> {
    let home = match parts.file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let home = home.canonicalize().with_context(|| format!("cannot find `{}`", home.display()))?;
    let temporary = parts.config.data_dir.join("tmp");
    make_private(&temporary)?;
    let scratch = tempfile::Builder::new().prefix("etl-").tempdir_in(&temporary)?;
    let roots = std::iter::once(home.clone())
        .chain(parts.roots.iter().cloned())
        .chain(parts.config.etl.roots.iter().cloned())
        .collect();
    let engine = Arc::new(Engine::new(scratch.path(), parts.pipeline.run.memory_bytes)?);
    let die_at = parts.die_at;
    let world = World {
        secrets: Arc::new(Environment),
        roots,
        clock: parts.clock,
        keys: parts.keys,
        store: parts.store,
        scratch: scratch.path().to_owned(),
        home,
        engine,
        cancelled: Arc::new(AtomicBool::new(false)),
        checkpoint: Arc::new(move |name| {
            if die_at.as_deref() == Some(name) {
                // As a machine that fails: no destructor, no flush, no answer.
                std::process::abort();
            }
        }),
    };
    Ok((Arc::new(world), Scratch { _folder: scratch }))
}

/// Holds the scratch folder of a run.
pub(crate) struct Scratch {
    _folder: tempfile::TempDir,
}

/// The way into the FHIR store that imports take too: this folder's gate, or the server that holds it.
pub(crate) struct SinkDoor(pub(crate) Sink);

impl ResourceDoor for SinkDoor {
    fn write(
        &self,
        resources: Vec<fhir::Value>,
    ) -> BoxFuture<'_, Result<Vec<etl::world::Written>, EtlError>> {
        async move {
            let file: Arc<str> = Arc::from("pipeline");
            let mut slots = Vec::with_capacity(resources.len());
            let mut items = Vec::with_capacity(resources.len());
            for (index, value) in resources.into_iter().enumerate() {
                match Resource::from_value(value) {
                    Ok(resource) => {
                        items.push(Item {
                            place: Place::new(&file, At::Entry(index)),
                            full_url: None,
                            change: Change::Put { resource, if_match: None },
                        });
                        slots.push(None);
                    }
                    Err(issues) => slots.push(Some(etl::world::Written::Refused(text_of(&issues)))),
                }
            }
            let failed =
                |why: String| EtlError::Target { target: "fhir_store".to_owned(), why, is_transient: true };
            let unit = Unit { atomic: false, items, bytes: 0 };
            let written = self.0.write(unit).await.map_err(|error| failed(format!("{error:#}")))?;
            let mut each = match written {
                Written::Each(each) => each.into_iter(),
                Written::Nothing { reason, .. } => return Err(failed(reason)),
            };
            let outcome = |slot: Option<etl::world::Written>| match slot {
                Some(refused) => refused,
                None => match each.next() {
                    Some(Ok(Outcome::Created)) => etl::world::Written::Created,
                    Some(Ok(Outcome::Updated)) => etl::world::Written::Updated,
                    Some(Ok(Outcome::Unchanged | Outcome::Deleted)) => etl::world::Written::Unchanged,
                    Some(Err(reason)) => etl::world::Written::Refused(reason),
                    None => etl::world::Written::Refused("the store gave no answer for it".to_owned()),
                },
            };
            Ok(slots.into_iter().map(outcome).collect())
        }
        .boxed()
    }

    fn read<'a>(
        &'a self,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<fhir::Value>, EtlError>> {
        async move {
            self.0.read(kind, id).await.map_err(|error| EtlError::Target {
                target: "fhir_store".to_owned(),
                why: format!("{error:#}"),
                is_transient: true,
            })
        }
        .boxed()
    }
}

/// The way into the store when a target of the pipeline leads there.
pub(crate) fn store_door(
    config: &Config,
    pipeline: &Pipeline,
) -> anyhow::Result<Option<Arc<dyn ResourceDoor>>> {
    if !pipeline.targets.iter().any(|target| target.kind.text == "fhir_store") {
        return Ok(None);
    }
    let door = crate::door::open(config)?;
    Ok(Some(Arc::new(SinkDoor(crate::command::import::sink_of(door)))))
}

/// A new run's id: begins with the time, so that runs sort.
pub(crate) fn new_run_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_by_those_who_begin_together() {
        for _ in 0..20 {
            let dir = tempfile::tempdir().unwrap();
            let together = std::sync::Barrier::new(4);
            let roots: Vec<String> = std::thread::scope(|scope| {
                let each = |_| {
                    scope.spawn(|| {
                        together.wait();
                        keys_of(dir.path()).unwrap().status().unwrap().root.to_string()
                    })
                };
                let all: Vec<_> = (0..4).map(each).collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            assert!(roots.iter().all(|root| *root == roots[0]), "{roots:?}");
        }
    }
}
