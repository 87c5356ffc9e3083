//! A folder on this machine. What is written is synced before it gets its name, and the folder of the name after.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::FolderError;

const LOCK: &str = "_salus.lock";
const WAIT: Duration = Duration::from_millis(20);

/// A folder on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    root: PathBuf,
    shown: String,
}

/// A file that is locked by this process until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would do it too; failing to unlock therefore does not matter.
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Whether the file with a path is the one that is locked.
    pub(crate) fn is_of(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let number = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let locked = self.0.metadata().map(number);
        locked.is_ok_and(|locked| fs::metadata(path).map(number).is_ok_and(|named| named == locked))
    }

    /// Locks a file; `None` when somebody else has it.
    pub(crate) fn try_take(path: &Path) -> std::io::Result<Option<Lock>> {
        Lock::of(File::options().create(true).truncate(false).write(true).open(path)?)
    }

    /// The same for a file that must be there.
    pub(crate) fn try_take_existing(path: &Path) -> std::io::Result<Option<Lock>> {
        Lock::of(File::options().write(true).open(path)?)
    }

    fn of(file: File) -> std::io::Result<Option<Lock>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Local {
    pub(crate) fn new(root: PathBuf, shown: String) -> Local {
        Local { root, shown }
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The path of a name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn make(&self) -> Result<(), FolderError> {
        make_folder(&self.root).map_err(|error| FolderError::io("make the folder", &self.shown, &error))
    }

    pub(super) fn lock(&self, is_cancelled: &dyn Fn() -> bool) -> Result<Lock, FolderError> {
        let path = self.path(LOCK);
        loop {
            let taken = Lock::try_take(&path)
                .map_err(|error| FolderError::io("lock the folder", &self.shown, &error))?;
            if let Some(lock) = taken {
                return Ok(lock);
            }
            if is_cancelled() {
                let why = format!("`{}` is used by another run", self.shown);
                return Err(FolderError { why, is_transient: true });
            }
            std::thread::sleep(WAIT);
        }
    }

    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FolderError::io("read", name, &error)),
        }
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let (path, fresh) = (self.path(name), self.fresh(name));
        let done = write_synced(&fresh, bytes)
            .and_then(|()| fs::rename(&fresh, &path))
            .and_then(|()| sync_folder(path.parent().unwrap_or(&self.root)));
        done.map_err(|error| {
            let _ = fs::remove_file(&fresh);
            FolderError::io("write", name, &error)
        })
    }

    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, FolderError> {
        let (path, fresh) = (self.path(name), self.fresh(name));
        let io = |error: &std::io::Error| FolderError::io("write", name, error);
        let parent = path.parent().unwrap_or(&self.root);
        make_folder(parent).map_err(|error| io(&error))?;
        // A link to a finished file: it appears whole, and never over another one.
        let linked = write_synced(&fresh, bytes).and_then(|()| fs::hard_link(&fresh, &path));
        let _ = fs::remove_file(&fresh);
        match linked {
            Ok(()) => {
                sync_folder(parent).map_err(|error| io(&error))?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(io(&error)),
        }
    }

    /// A name beside the file that readers do not look at.
    fn fresh(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.with_file_name(format!("_new-{}-{own}", uuid::Uuid::new_v4().simple()))
    }

    pub(super) fn publish(&self, files: &[(PathBuf, String)]) -> Result<(), FolderError> {
        let mut folders = BTreeSet::new();
        for (from, name) in files {
            let path = self.path(name);
            let parent = path.parent().unwrap_or(&self.root).to_owned();
            let done = if folders.contains(&parent) { Ok(()) } else { make_folder(&parent) };
            done.and_then(|()| fs::rename(from, &path))
                .map_err(|error| FolderError::io("rename into place", name, &error))?;
            folders.insert(parent);
        }
        for folder in folders {
            sync_folder(&folder).map_err(|error| FolderError::io("sync", &self.shown, &error))?;
        }
        Ok(())
    }

    pub(super) fn list(&self, below: &str, start: &str) -> Result<Vec<String>, FolderError> {
        let mut names = Vec::new();
        let mut open = vec![below.to_owned()];
        while let Some(folder) = open.pop() {
            let entries = match fs::read_dir(self.path(&folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(FolderError::io("list", &folder, &error)),
            };
            for entry in entries {
                let io = |error: std::io::Error| FolderError::io("list", &folder, &error);
                let entry = entry.map_err(io)?;
                // A name that is not UTF-8 is not one of ours.
                let Ok(own) = entry.file_name().into_string() else { continue };
                let name = if folder.is_empty() { own.clone() } else { format!("{folder}/{own}") };
                if entry.file_type().map_err(io)?.is_dir() {
                    if !own.starts_with(['_', '.']) {
                        open.push(name);
                    }
                } else if own.starts_with(start) {
                    names.push(name);
                }
            }
        }
        names.sort();
        Ok(names)
    }

    pub(super) fn remove(&self, names: &[String]) -> Result<(), FolderError> {
        for name in names {
            match fs::remove_file(self.path(name)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(FolderError::io("remove", name, &error)),
            }
            let mut folder = Path::new(name).parent();
            while let Some(parent) = folder.filter(|parent| !parent.as_os_str().is_empty()) {
                // Not empty, or already gone: both are fine.
                if fs::remove_dir(self.root.join(parent)).is_err() {
                    break;
                }
                folder = parent.parent();
            }
        }
        Ok(())
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder with those above it; each new name is synced.
pub(crate) fn make_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folder(parent)?;
        match fs::create_dir(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        return sync_folder(parent);
    }
    fs::create_dir(path)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}
