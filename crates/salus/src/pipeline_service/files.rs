//! The folder of pipeline files: read again when a file changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use etl::file::Pipeline;
use ui::pipelines::{Fault, Flow};

/// More files than this are not looked at.
const FILES_MAX: usize = 1_000;
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file, as it was when it was read.
#[derive(Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) read: Result<Arc<Pipeline>, Vec<Fault>>,
}

/// What tells whether a file has changed.
type Stamp = (Option<SystemTime>, u64);

/// The folder.
pub(super) struct Files {
    folder: PathBuf,
    known: Mutex<BTreeMap<PathBuf, (Stamp, File)>>,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Files {
        Files { folder, known: Mutex::default() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every file, by name. A pipeline's name stands for what is remembered of it, so a second file with the same name does not run.
    pub(super) fn all(&self) -> Vec<File> {
        let mut paths = paths_of(&self.folder);
        paths.sort();
        paths.truncate(FILES_MAX);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|path, _| paths.contains(path));
        let mut files: Vec<File> = Vec::with_capacity(paths.len());
        for path in paths {
            let Ok(data) = path.metadata() else { continue };
            let stamp = (data.modified().ok(), data.len());
            let file = match known.get(&path) {
                Some((at, file)) if *at == stamp => file.clone(),
                _ => {
                    let file = File { read: read(&path, data.len()), path: path.clone() };
                    known.insert(path, (stamp, file.clone()));
                    file
                }
            };
            files.push(without_twin(file, &files));
        }
        files
    }

    /// The file of a pipeline.
    pub(super) fn find(&self, name: &str) -> Option<(PathBuf, Arc<Pipeline>)> {
        let named =
            |file: File| Some((file.path, file.read.ok().filter(|pipeline| pipeline.name.text == name)?));
        self.all().into_iter().find_map(named)
    }
}

fn paths_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_pipeline = |path: &PathBuf| {
        path.is_file() && path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
    };
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_pipeline).collect()
}

fn read(path: &Path, n_bytes: u64) -> Result<Arc<Pipeline>, Vec<Fault>> {
    let whole = |message: String| vec![Fault { line: 0, column: 0, message }];
    if n_bytes > FILE_BYTES_MAX {
        return Err(whole(format!("the file has {n_bytes} bytes, and may have {FILE_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| whole(format!("it cannot be read: {}", error.kind())))?;
    let fault = |problem: etl::Problem| Fault {
        line: problem.at.line,
        column: problem.at.column,
        message: problem.message,
    };
    Pipeline::parse(&text).map(Arc::new).map_err(|problems| problems.into_iter().map(fault).collect())
}

fn without_twin(mut file: File, before: &[File]) -> File {
    let Ok(pipeline) = &file.read else { return file };
    let twin = before
        .iter()
        .find(|other| other.read.as_ref().is_ok_and(|read| read.name.text == pipeline.name.text));
    if let Some(twin) = twin {
        let at = pipeline.name.at;
        let message =
            format!("the name `{}` is that of `{}`: choose another", pipeline.name.text, twin.path.display());
        file.read = Err(vec![Fault { line: at.line, column: at.column, message }]);
    }
    file
}

/// Each source with its targets.
pub(super) fn flows_of(pipeline: &Pipeline) -> Vec<Flow> {
    let sources = pipeline.sources.iter();
    sources
        .map(|source| Flow {
            source: source.name.text.clone(),
            kind: source.kind.text.clone(),
            targets: pipeline
                .targets_of(&source.name.text)
                .map(|target| (target.name.text.clone(), target.kind.text.clone()))
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = "version: 1\nname: NAME\nsources:\n  s: {type: csv, path: s.csv}\ntargets:\n  t: {from: s, type: csv, path: out}\n";

    #[test]
    fn files_are_read_again_when_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1.yaml"), folder.path().join("2.yml"));
        let files = Files::new(folder.path().to_owned());
        assert!(files.all().is_empty());
        std::fs::write(&one, "version: 1\nname: [\n").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "no pipeline").unwrap();
        let all = files.all();
        assert!(all.len() == 1 && all[0].read.as_ref().is_err_and(|faults| faults[0].line > 0));
        std::fs::write(&one, PIPELINE.replace("NAME", "first")).unwrap();
        let read = files.all().remove(0).read;
        // Whether this build knows the type `csv` decides about the rest; a file that is in order is found by its name.
        if let Err(faults) = &read {
            assert!(faults.iter().all(|fault| fault.message.contains("csv")), "{faults:?}");
            return;
        }
        assert!(files.find("first").is_some_and(|(path, _)| path == one));
        std::fs::write(&two, PIPELINE.replace("NAME", "first")).unwrap();
        let faults = files.all().remove(1).read.unwrap_err();
        assert!(faults[0].line == 2 && faults[0].message.contains("choose another"), "{faults:?}");
    }
}
