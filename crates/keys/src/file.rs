//! Files that are whole or absent, and that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::KeyError;

/// Writes a file of mode 0600 so that a crash leaves the old content or the new, never a part: temporary file, fsync, rename, fsync of
/// the folder.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let unfinished = Path::new(&name);
    // Left by a crash.
    if let Err(error) = fs::remove_file(unfinished)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(unfinished, path)
}

/// Renames, and waits until the folder is on disk.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder_of(to)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Refuses what group or others may touch.
pub(crate) fn check_private(path: &Path, wanted: u32) -> Result<(), KeyError> {
    let mode = fs::metadata(path).map_err(KeyError::at(path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

/// Tells one content of a file that is replaced by renaming from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64, i64, i64, u64);

impl Stamp {
    pub(crate) fn of(path: &Path) -> io::Result<Stamp> {
        let meta = fs::metadata(path)?;
        Ok(Stamp(meta.ino(), meta.ctime(), meta.ctime_nsec(), meta.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        // A crash of an earlier writer.
        fs::write(folder.path().join("f.tmp"), "half").unwrap();
        write_private(&path, b"one").unwrap();
        let first = Stamp::of(&path).unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_ne!(first, Stamp::of(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(!folder.path().join("f.tmp").exists());
    }

    #[test]
    fn what_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write_private(&path, b"one").unwrap();
        let check = |mode, good| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = check_private(&path, 0o600);
            assert_eq!(error.is_ok(), good, "{mode:o}: {error:?}");
        };
        check(0o600, true);
        check(0o400, true);
        check(0o640, false);
        check(0o604, false);
    }
}
