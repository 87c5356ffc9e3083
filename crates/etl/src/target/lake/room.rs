//! Where the files of a load are until they have their names: a folder of its own, and a note of the names they shall get.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::LakeError;
use super::folder::{Folder, Lock, make_folder, sync_folder};
use super::names::hash_of;

/// Where unfinished files and notes are, below the folder. Readers pass over it.
const STAGING: &str = "_staging";
const NOTE: &str = "names.json";
const LOCK: &str = ".lock";
/// A millisecond each: somebody who tidies up on a busy machine is waited for.
const TRIES_MAX: usize = 10_000;
/// Begins the names of rooms that are being removed.
const GONE: &str = "gone";

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
        if self.is_local {
            clear(&self.path)
        } else {
            remove_folder(&self.path)?;
            Ok(folder.remove(&[note_name(&self.stem)])?)
        }
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
                    let stem = entry.file_name().to_string_lossy().into_owned();
                    if stem.starts_with(GONE) {
                        // Whoever removes it is at work, or died: nothing of it is wanted.
                        let _ = fs::remove_dir_all(&path);
                        leave_staging(&path);
                        continue;
                    }
                    let Some(lock) = take_left(&path) else { continue };
                    let names = fs::read(path.join(NOTE)).map(|note| parse(&note)).unwrap_or_default();
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
            Some(path) => clear(path),
            None => Ok(folder.remove(&[note_name(&self.stem)])?),
        }
    }
}

/// Makes a folder that is locked as soon as it has its name. Another load may remove the folder above, empty, while this one is made in it.
fn take(path: &Path) -> Result<Lock, LakeError> {
    let mut tries = 0;
    loop {
        match make_locked(path) {
            Ok(lock) => return Ok(lock),
            Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
                // A load of this name left it behind, and this one goes on in it; or is in it.
                if let Some(lock) = take_left(path) {
                    return Ok(lock);
                }
                if tries >= TRIES_MAX {
                    return Err(LakeError::transient(format!("`{STAGING}` is being tidied up: run again")));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound && tries < TRIES_MAX => {}
            Err(error) => return Err(failed(error)),
        }
        tries += 1;
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Makes and locks a folder under another name, and gives it its name then.
fn make_locked(path: &Path) -> std::io::Result<Lock> {
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    let fresh = beside(path, "new");
    fs::create_dir(&fresh)?;
    let named = Lock::try_take(&fresh.join(LOCK)).and_then(|lock| {
        // Somebody looks whether the room is left.
        let lock = lock.ok_or(ErrorKind::NotFound)?;
        fs::rename(&fresh, path)?;
        sync_folder(path.parent().unwrap_or(path))?;
        Ok(lock)
    });
    if named.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    named
}

/// A name in the same folder that nothing has.
fn beside(path: &Path, prefix: &str) -> PathBuf {
    path.with_file_name(format!("{prefix}-{}", uuid::Uuid::new_v4().simple()))
}

/// The lock of a room that nobody is in. An empty room without a lock is just being made, and will be made again.
fn take_left(path: &Path) -> Option<Lock> {
    let file = path.join(LOCK);
    let lock = match Lock::try_take_existing(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::remove_dir(path) {
            Ok(()) => None,
            Err(_) => Lock::try_take(&file).ok().flatten(),
        },
        taken => taken.ok().flatten(),
    };
    // Else whoever was in it has left it meanwhile.
    lock.filter(|lock| lock.is_of(&file))
}

/// Removes a local room whose lock is held. Others look at it all the while: its note goes first, so that whoever finds the rest finds no names of
/// files that are in use by now; then it loses its name at once, so that whoever enters a room of this name meanwhile has another one.
fn clear(path: &Path) -> Result<(), LakeError> {
    let gone = beside(path, GONE);
    for done in [fs::remove_file(path.join(NOTE)), fs::rename(path, &gone)] {
        match done {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    remove_folder(&gone)?;
    leave_staging(path);
    Ok(())
}

/// Removes a folder. Another load may remove it at the same moment.
fn remove_folder(path: &Path) -> Result<(), LakeError> {
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && tries < TRIES_MAX => {}
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
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

    /// A room that is just being entered may look left: nobody who removes it takes away what its owner puts into the next one.
    #[test]
    fn a_room_stays_whole_while_others_tidy_up() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::Local(Local::new(dir.path().to_owned(), "data".to_owned()));
        let is_over = AtomicBool::new(false);
        let n_lost = std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        for room in Room::stale(&folder, "h").unwrap() {
                            assert!(room.names.is_empty(), "a room with a note is nobody's");
                            room.remove(&folder).unwrap();
                        }
                    }
                });
            }
            let mut n_lost = 0;
            for n in 0..200 {
                let Ok(room) = Room::enter(&folder, &format!("part-{n}"), dir.path()) else {
                    n_lost += 1;
                    continue;
                };
                let kept = room.path().join("kept");
                let is_kept = fs::write(&kept, "x").is_ok()
                    && room.note(&folder, &["part-of-somebody.parquet"]).is_ok()
                    && fs::read(&kept).is_ok();
                n_lost += usize::from(!is_kept || room.leave(&folder).is_err());
            }
            is_over.store(true, Ordering::Relaxed);
            n_lost
        });
        assert_eq!(n_lost, 0);
    }
}
