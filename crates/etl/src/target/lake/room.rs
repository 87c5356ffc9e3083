//! Where the files of a load are until they have their names: a folder of its own, and a note of the names they shall get.

use std::fs;
use std::path::{Path, PathBuf};

use super::LakeError;
use super::folder::{Folder, Lock, make_folder};
use super::names::hash_of;

/// Where unfinished files and notes are, below the folder. Readers pass over it.
const STAGING: &str = "_staging";
const NOTE: &str = "names.json";
const LOCK: &str = ".lock";
const TRIES_MAX: usize = 100;

/// The folder of one load. In a local folder it is below it, on the same disk, and locked while this process lives; for a bucket it is
/// in the scratch folder.
pub(crate) struct Room {
    stem: String,
    path: PathBuf,
    is_local: bool,
    _lock: Option<Lock>,
}

/// What a load left behind that did not leave its room.
pub(crate) struct Stale {
    stem: String,
    /// The names its files should have got.
    pub(crate) names: Vec<String>,
    path: Option<PathBuf>,
    /// Held, so that nobody else tidies up at the same time.
    _lock: Option<Lock>,
}

fn failed(error: std::io::Error) -> LakeError {
    LakeError::file("use", STAGING, error.into())
}

fn note_name(stem: &str) -> String {
    format!("{STAGING}/{stem}.json")
}

impl Room {
    /// Makes a room.
    pub(crate) fn enter(folder: &Folder, stem: &str, scratch: &Path) -> Result<Room, LakeError> {
        let path = match folder {
            Folder::Local(local) => local.path(&format!("{STAGING}/{stem}")),
            Folder::Remote(_) => scratch.join(stem),
        };
        let is_local = matches!(folder, Folder::Local(_));
        if !is_local {
            make_folder(&path).map_err(failed)?;
        }
        let lock = if is_local { Some(take(&path)?) } else { None };
        Ok(Room { stem: stem.to_owned(), path, is_local, _lock: lock })
    }

    /// The folder on this machine.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its name.
    pub(crate) fn stem(&self) -> &str {
        &self.stem
    }

    /// Notes, durably, which names the files are about to get.
    pub(crate) fn note(&self, folder: &Folder, names: &[&str]) -> Result<(), LakeError> {
        let note = serde_json::to_vec(names).expect("names can always be written as JSON");
        let name =
            if self.is_local { format!("{STAGING}/{}/{NOTE}", self.stem) } else { note_name(&self.stem) };
        Ok(folder.put(&name, &note)?)
    }

    /// Removes the room with what is in it.
    pub(crate) fn leave(self, folder: &Folder) -> Result<(), LakeError> {
        remove_folder(&self.path)?;
        if self.is_local {
            leave_staging(&self.path);
        } else {
            folder.remove(&[note_name(&self.stem)])?;
        }
        Ok(())
    }

    /// The rooms that nobody is in any more. Of a bucket only those of one load, because nobody can tell there who is alive.
    pub(crate) fn stale(folder: &Folder, hash: &str) -> Result<Vec<Stale>, LakeError> {
        let parse = |note: &[u8]| serde_json::from_slice::<Vec<String>>(note).unwrap_or_default();
        let mut found = Vec::new();
        match folder {
            Folder::Local(local) => {
                let Ok(entries) = fs::read_dir(local.path(STAGING)) else { return Ok(found) };
                for entry in entries.flatten() {
                    let path = entry.path();
                    let Ok(Some(lock)) = Lock::try_take(&path.join(LOCK)) else { continue };
                    let names = fs::read(path.join(NOTE)).map(|note| parse(&note)).unwrap_or_default();
                    let stem = entry.file_name().to_string_lossy().into_owned();
                    found.push(Stale { stem, names, path: Some(path), _lock: Some(lock) });
                }
            }
            Folder::Remote(_) => {
                for name in folder.list(STAGING, "part-")? {
                    let Some(stem) = name.rsplit('/').next().and_then(|own| own.strip_suffix(".json")) else {
                        continue;
                    };
                    if hash_of(stem) == Some(hash)
                        && let Some((note, _)) = folder.read(&name)?
                    {
                        found.push(Stale {
                            stem: stem.to_owned(),
                            names: parse(&note),
                            path: None,
                            _lock: None,
                        });
                    }
                }
            }
        }
        Ok(found)
    }
}

impl Stale {
    /// Its name.
    pub(crate) fn stem(&self) -> &str {
        &self.stem
    }

    /// Removes the room; its files, as far as they got their names, must be gone.
    pub(crate) fn remove(self, folder: &Folder) -> Result<(), LakeError> {
        match &self.path {
            Some(path) => {
                remove_folder(path)?;
                leave_staging(path);
                Ok(())
            }
            None => Ok(folder.remove(&[note_name(&self.stem)])?),
        }
    }
}

/// Makes a folder and locks it. Another load may remove the folder above, empty, while this one is made in it.
fn take(path: &Path) -> Result<Lock, LakeError> {
    let mut tries = 0;
    loop {
        match make_folder(path).and_then(|()| Lock::try_take(&path.join(LOCK))) {
            // A lock on a file that was removed meanwhile keeps nobody out.
            Ok(Some(lock)) if lock.is_of(&path.join(LOCK)) => return Ok(lock),
            // Somebody looks whether this room is left, or removes the empty folder above it.
            Ok(_) if tries < TRIES_MAX => {}
            Ok(_) => return Err(LakeError::transient(format!("`{STAGING}` is being tidied up: run again"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && tries < TRIES_MAX => {}
            Err(error) => return Err(failed(error)),
        }
        tries += 1;
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Removes a folder. Another load may look at the same moment whether somebody is in it, which puts a lock there again.
fn remove_folder(path: &Path) -> Result<(), LakeError> {
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty && tries < TRIES_MAX => {}
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => return Ok(()),
        }
        tries += 1;
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Removes the folder of rooms when this was the last one.
fn leave_staging(room: &Path) {
    if let Some(parent) = room.parent() {
        // Not empty while other loads are at work.
        let _ = fs::remove_dir(parent);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::target::lake::folder::Local;

    #[test]
    fn a_room_is_left_while_others_look_whether_somebody_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::Local(Local::new(dir.path().to_owned(), "data".to_owned()));
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        drop(Room::stale(&folder, "h").unwrap());
                    }
                });
            }
            let results: Vec<Result<(), LakeError>> = (0..300)
                .map(|n| {
                    Room::enter(&folder, &format!("part-{n}"), dir.path())
                        .and_then(|room| room.leave(&folder))
                })
                .collect();
            is_over.store(true, Ordering::Relaxed);
            results.into_iter().for_each(|result| result.unwrap());
        });
        assert!(Room::stale(&folder, "h").unwrap().is_empty());
    }
}
