//! A data folder: one process at a time, and a layout version that is checked before anything is opened.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::DbError;

/// An exclusive lock of a data folder, released when it is dropped or the process ends.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    _lock: File,
}

impl FolderLock {
    /// Creates the folder (mode 0700) when it is missing, locks it and compares `FORMAT` with `layout`, which a new folder gets.
    /// A folder that another process holds is [`DbError::Locked`], one with a later layout [`DbError::NewerVersion`].
    pub fn acquire(folder: impl Into<PathBuf>, layout: u32) -> Result<FolderLock, DbError> {
        let path = folder.into();
        let at = |error| DbError::at(error, &path);
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(at)?;
        let lock = private(&path.join("LOCK")).map_err(at)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DbError::Locked),
            Err(TryLockError::Error(error)) => return Err(at(error)),
        }
        check_format(&path, layout)?;
        Ok(FolderLock { path, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn check_format(folder: &Path, layout: u32) -> Result<(), DbError> {
    let path = folder.join("FORMAT");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return write_format(folder, layout).map_err(|error| DbError::at(error, &path));
        }
        Err(error) => return Err(DbError::at(error, &path)),
    };
    match text.trim_end().parse::<u32>() {
        Ok(found) if found == layout => Ok(()),
        Ok(found) if found > layout => {
            Err(DbError::NewerVersion { found: found.into(), known: layout.into() })
        }
        _ => Err(DbError::Corrupt(format!("`{}` should say `{layout}`", path.display()))),
    }
}

/// A crash leaves either no `FORMAT` or a whole one.
fn write_format(folder: &Path, layout: u32) -> std::io::Result<()> {
    let unfinished = folder.join("FORMAT.new");
    let mut file = private(&unfinished)?;
    file.set_len(0)?;
    file.write_all(format!("{layout}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, folder.join("FORMAT"))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn one_holder_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let lock = FolderLock::acquire(&folder, 1).unwrap();
        assert_eq!(lock.path(), folder);
        assert!(matches!(FolderLock::acquire(&folder, 1), Err(DbError::Locked)));
        drop(lock);
        FolderLock::acquire(&folder, 1).unwrap();
        for (path, mode) in [(&folder, 0o700), (&folder.join("LOCK"), 0o600), (&folder.join("FORMAT"), 0o600)]
        {
            assert_eq!(path.metadata().unwrap().mode() & 0o777, mode, "{}", path.display());
        }
    }

    #[test]
    fn the_layout_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        drop(FolderLock::acquire(folder.path(), 2).unwrap());
        assert_eq!(fs::read_to_string(folder.path().join("FORMAT")).unwrap(), "2\n");
        let newer = FolderLock::acquire(folder.path(), 1).unwrap_err();
        assert!(matches!(newer, DbError::NewerVersion { found: 2, known: 1 }), "{newer:?}");
        for text in ["", "two", "1"] {
            fs::write(folder.path().join("FORMAT"), text).unwrap();
            let error = FolderLock::acquire(folder.path(), 2).unwrap_err();
            assert!(matches!(error, DbError::Corrupt(_)), "{text:?}: {error:?}");
        }
    }
}
