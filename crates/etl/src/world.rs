//! What a run is given from outside: secrets, roots, clock, keys, the door to the store, scratch space, limits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fhir::{Clock, Instant};
use futures_util::future::BoxFuture;
use keys::KeyRing;

use crate::engine::Engine;
use crate::{EtlError, Secrets};

/// What a run is given from outside. One per run, shared by all of its parts.
pub struct World {
    /// Resolves `${env:..}` and `${file:..}`.
    pub secrets: Arc<dyn Secrets>,
    /// Local files are read and written only below these folders; relative paths begin at the first, the pipeline's own folder.
    pub roots: Vec<PathBuf>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Keys of pseudonyms, vaults and the quarantine. `None` in `check` and `test`, which store nothing.
    pub keys: Option<Arc<KeyRing>>,
    /// The way into the FHIR store, through the gate.
    pub store: Option<Arc<dyn ResourceDoor>>,
    /// A folder of the run's own, for spools; removed after the run.
    pub scratch: PathBuf,
    /// Folder of reference tables, schemas and models that the pipeline names by file: the folder of the pipeline file.
    pub home: PathBuf,
    /// Expressions, SQL, sorting, within the memory limit.
    pub engine: Arc<Engine>,
    /// Set when somebody wants the run to stop.
    pub cancelled: Arc<AtomicBool>,
    /// Called at named points of a load; tests stop the process there.
    pub checkpoint: Arc<dyn Fn(&str) + Send + Sync>,
}

impl World {
    /// Now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// An error when somebody wants the run to stop. Call it once per batch.
    pub fn check_cancelled(&self) -> Result<(), EtlError> {
        if self.cancelled.load(Ordering::Relaxed) { Err(EtlError::Cancelled) } else { Ok(()) }
    }

    /// The local path that a text of the pipeline means, below one of the roots. `..`, links that lead out and absolute paths
    /// elsewhere are refused; the file need not exist.
    pub fn path(&self, written: &str) -> Result<PathBuf, String> {
        confined(&self.roots, written)
    }
}

/// See [`World::path`].
pub(crate) fn confined(roots: &[PathBuf], written: &str) -> Result<PathBuf, String> {
    let first = roots.first().ok_or("no folder is configured that pipelines may use")?;
    let wanted = first.join(written);
    if wanted.components().any(|part| part == std::path::Component::ParentDir) {
        return Err(format!("the path `{written}` contains `..`"));
    }
    let real = real_path(&wanted).map_err(|error| format!("cannot look at `{written}`: {error}"))?;
    let allowed = roots.iter().any(|root| real_path(root).is_ok_and(|root| real.starts_with(root)));
    if allowed {
        Ok(wanted)
    } else {
        Err(format!(
            "the path `{written}` is outside of the folders pipelines may use: add its folder to `etl.roots`"
        ))
    }
}

/// The path with links followed, as far as it exists.
fn real_path(path: &Path) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(error) };
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(real_path(parent)?.join(name))
        }
        Err(error) => Err(error),
    }
}

/// The way into the FHIR store. The binary gives one that goes through the gate, here or in a running server.
pub trait ResourceDoor: Send + Sync {
    /// Writes resources (each with `resourceType` and `id`) by update; one outcome per resource, in order. An error is a failure of
    /// the whole call, after which nothing is known: writing the same again is safe.
    fn write(&self, resources: Vec<fhir::Value>) -> BoxFuture<'_, Result<Vec<Written>, EtlError>>;
    /// The resource with a type and id, if it is there.
    fn read<'a>(&'a self, kind: &'a str, id: &'a str)
    -> BoxFuture<'a, Result<Option<fhir::Value>, EtlError>>;
}

/// What became of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It was there already, the same.
    Unchanged,
    /// It was refused, with the reason (no values).
    Refused(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_roots() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("leak")).unwrap();
        let roots = [inside.clone()];
        assert_eq!(confined(&roots, "a/b.csv").unwrap(), inside.join("a/b.csv"));
        assert!(confined(&roots, "../out/x.csv").unwrap_err().contains(".."));
        assert!(confined(&roots, "leak/x.csv").unwrap_err().contains("outside"));
        assert!(confined(&roots, "/etc/passwd").unwrap_err().contains("outside"));
        assert!(confined(&[inside, outside.clone()], outside.join("x").to_str().unwrap()).is_ok());
    }
}
