//! Files of a local folder.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_128;

use super::{Found, StorageError, read_full, storage_error};

const FILES_MAX: usize = 1_000_000;
const HASH_BLOCK_BYTES: usize = 1 << 20;

/// What changes when a file is written.
fn mark(metadata: &Metadata) -> String {
    let (secs, nanos) = (metadata.mtime(), metadata.mtime_nsec());
    format!("{}-{secs}.{nanos:09}-{}", metadata.len(), metadata.ino())
}

fn failed(path: &Path, error: &std::io::Error) -> StorageError {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "the file may not be read: check its permissions".to_owned(),
        _ => format!("cannot read: {error}"),
    };
    storage_error(&path.display().to_string(), why, false)
}

/// Files whose path below the folder matches. Links that lead out of the roots are errors; hidden files (`.part`) must be named with
/// their point.
pub(super) fn list(folder: &Path, pattern: &str, roots: &[PathBuf]) -> Result<Vec<Found>, StorageError> {
    let is_pattern = pattern.contains(['*', '?', '[']);
    if !is_pattern {
        confine(&folder.join(pattern), roots)?;
        return match folder.join(pattern).metadata() {
            Ok(metadata) if metadata.is_file() => Ok(vec![found(pattern, &metadata)]),
            Ok(_) => {
                Err(storage_error(pattern, "it is a folder: write a pattern such as `folder/*.csv`", false))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(failed(&folder.join(pattern), &error)),
        };
    }
    let matcher = glob::Pattern::new(pattern)
        .map_err(|error| storage_error(pattern, format!("this is not a pattern of files: {error}"), false))?;
    let (mut all, mut folders) = (Vec::new(), vec![String::new()]);
    let is_deep = pattern.contains('/') || pattern.contains("**");
    while let Some(below) = folders.pop() {
        let entries = match std::fs::read_dir(folder.join(&below)) {
            Ok(entries) => entries,
            Err(error) if below.is_empty() && error.kind() == std::io::ErrorKind::NotFound => break,
            Err(error) => return Err(failed(&folder.join(&below), &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed(folder, &error))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let name = if below.is_empty() { name } else { format!("{below}/{name}") };
            let path = folder.join(&name);
            let metadata = path.metadata().map_err(|error| failed(&path, &error))?;
            if metadata.is_dir() && is_deep && !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                folders.push(name);
            } else if metadata.is_file() && matcher.matches_with(&name, OPTIONS) {
                confine(&path, roots)?;
                all.push(found(&name, &metadata));
            }
            if all.len() + folders.len() > FILES_MAX {
                return Err(storage_error(
                    pattern,
                    format!("`{pattern}` matches more than {FILES_MAX} files: divide them"),
                    false,
                ));
            }
        }
    }
    Ok(all)
}

/// `*` does not go across folders, and does not match a leading point.
pub(super) const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn confine(path: &Path, roots: &[PathBuf]) -> Result<(), StorageError> {
    let written = path.to_string_lossy();
    crate::world::confined(roots, &written).map(drop).map_err(|why| storage_error(&written, why, false))
}

fn found(name: &str, metadata: &Metadata) -> Found {
    Found { name: name.to_owned(), n_bytes: metadata.len(), mark: mark(metadata) }
}

pub(super) fn look(folder: &Path, name: &str) -> Result<Found, StorageError> {
    let path = folder.join(name);
    let metadata = path.metadata().map_err(|error| failed(&path, &error))?;
    Ok(found(name, &metadata))
}

/// A file that must stay as it was found.
pub(super) struct Unchanged {
    file: File,
    path: PathBuf,
    mark: String,
}

pub(super) fn open(folder: &Path, wanted: &Found) -> Result<Unchanged, StorageError> {
    let path = folder.join(&wanted.name);
    let file = File::open(&path).map_err(|error| failed(&path, &error))?;
    let stream = Unchanged { file, path, mark: wanted.mark.clone() };
    stream.check().map_err(|error| failed(&stream.path, &error))?;
    Ok(stream)
}

impl Unchanged {
    fn check(&self) -> std::io::Result<()> {
        let (open, named) = (self.file.metadata()?, self.path.metadata());
        // A file that was renamed over is another file: its number differs.
        let is_same = mark(&open) == self.mark && named.is_ok_and(|named| mark(&named) == self.mark);
        if is_same {
            Ok(())
        } else {
            Err(std::io::Error::other("the file changed while it was read: run again when nobody writes it"))
        }
    }
}

impl Read for Unchanged {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            self.check()?;
        }
        Ok(n)
    }
}

/// xxh3-128 of the content in hexadecimal digits.
pub(super) fn hash(folder: &Path, wanted: &Found) -> Result<String, StorageError> {
    let mut stream = open(folder, wanted)?;
    let (mut hasher, mut block) = (XxHash3_128::new(), vec![0; HASH_BLOCK_BYTES]);
    loop {
        let n = read_full(&mut stream, &mut block).map_err(|error| failed(&stream.path, &error))?;
        if n == 0 {
            return Ok(format!("{:032x}", hasher.finish_128()));
        }
        hasher.write(&block[..n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, pattern: &str) -> Vec<String> {
        let mut names: Vec<String> = list(folder, pattern, &[folder.to_owned()])
            .unwrap()
            .into_iter()
            .map(|found| found.name)
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_found_by_pattern_below_the_roots() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("deep/er")).unwrap();
        for name in ["a.csv", "b.csv", "b.txt", ".part.csv", "deep/c.csv", "deep/er/d.csv"] {
            std::fs::write(root.join(name), name).unwrap();
        }
        assert_eq!(names(&root, "*.csv"), ["a.csv", "b.csv"]);
        assert_eq!(names(&root, "**/*.csv"), ["a.csv", "b.csv", "deep/c.csv", "deep/er/d.csv"]);
        assert_eq!(names(&root, "*/*.csv"), ["deep/c.csv"]);
        assert_eq!(names(&root, "b.txt"), ["b.txt"]);
        assert_eq!(names(&root, "none.csv"), [""; 0]);
        std::fs::write(folder.path().join("secret.csv"), "x").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret.csv"), root.join("z.csv")).unwrap();
        let error = list(&root, "*.csv", std::slice::from_ref(&root)).unwrap_err();
        assert!(error.to_string().contains("outside"), "{error}");
    }

    #[test]
    fn a_file_that_changes_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), "one").unwrap();
        let was = look(folder.path(), "a.csv").unwrap();
        let mut text = String::new();
        open(folder.path(), &was).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one");
        let hash_before = hash(folder.path(), &was).unwrap();

        let mut stream = open(folder.path(), &was).unwrap();
        std::fs::write(folder.path().join("a.csv"), "other").unwrap();
        assert!(stream.read_to_string(&mut text).unwrap_err().to_string().contains("changed"));
        assert!(open(folder.path(), &was).is_err());
        let now = look(folder.path(), "a.csv").unwrap();
        assert_ne!(hash(folder.path(), &now).unwrap(), hash_before);

        let mut stream = open(folder.path(), &now).unwrap();
        std::fs::write(folder.path().join("new"), "other").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("a.csv")).unwrap();
        assert!(stream.read_to_string(&mut text).is_err());
    }
}
