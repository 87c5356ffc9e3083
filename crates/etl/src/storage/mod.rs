//! Where files are: a folder below the roots, or a bucket of an S3-compatible store. Lists, reads as a stream, and notices when a file
//! changes while it is read. Knows nothing of what is in the files.

mod bucket;
mod folder;

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

pub use bucket::{Bucket, Credentials, S3Options};

use crate::source::Dataset;
use crate::world::World;
use crate::yaml::Fields;
use crate::{EtlError, Point, Problems, Word};

/// Where files are, as the pipeline says it: a path or a pattern below the roots (`labs/*.csv.gz`), or `s3://bucket/prefix/*.csv`.
#[derive(Clone, Debug)]
pub struct Location {
    /// As it is written.
    pub written: Word,
    /// How the bucket is reached, when it is one.
    pub s3: Option<S3Options>,
}

impl Location {
    /// Reads the key that holds the path, and `s3` when the path begins with `s3://`.
    pub fn decode(key: &'static str, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Location> {
        let written = fields.required_text(key, problems);
        let options = fields.node("s3");
        let written = written?;
        let is_bucket = written.starts_with("s3://");
        if let Some((scheme, _)) = written.split_once("://")
            && scheme != "s3"
        {
            problems
                .add(written.at, format!("`{scheme}://` is not supported: write a path or `s3://bucket/…`"));
            return None;
        }
        if !is_bucket {
            if let Some(node) = options {
                problems.add(node.at, "`s3` goes with a path that begins with `s3://`");
            }
            return Some(Location { written, s3: None });
        }
        if bucket::split(&written).is_none() {
            problems.add(written.at, "the bucket has no name: write `s3://bucket/prefix`");
            return None;
        }
        let s3 = S3Options::decode(options, written.at, problems)?;
        Some(Location { written, s3: Some(s3) })
    }

    /// A local path.
    pub fn local(path: &str, at: Point) -> Location {
        Location { written: Word { text: path.to_owned(), at }, s3: None }
    }

    /// Whether it is a pattern: holds `*`, `?` or `[`.
    pub fn is_pattern(&self) -> bool {
        self.written.contains(['*', '?', '['])
    }

    /// The data set for lineage.
    pub fn dataset(&self) -> Dataset {
        match bucket::split(&self.written) {
            Some((bucket, key)) => Dataset { namespace: format!("s3://{bucket}"), name: key.to_owned() },
            None => Dataset { namespace: "file".to_owned(), name: self.written.text.clone() },
        }
    }

    /// The folder or bucket, checked against the roots. Call it inside the async runtime: readers of a bucket come back to it.
    pub fn open(&self, world: &World) -> Result<Storage, StorageError> {
        let (base, pattern) = split_pattern(&self.written);
        match &self.s3 {
            None => {
                let folder = world
                    .path(if base.is_empty() { "." } else { base })
                    .map_err(|why| storage_error(&self.written, why, false))?;
                Ok(Storage { place: Place::Folder(folder), pattern, roots: world.roots.clone() })
            }
            Some(options) => {
                let (name, prefix) = bucket::split(base).unwrap_or((base, ""));
                let bucket = Bucket::open(name, prefix, options, world)?;
                Ok(Storage { place: Place::Bucket(Arc::new(bucket)), pattern, roots: Vec::new() })
            }
        }
    }
}

/// What went wrong with a file, a folder or a bucket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{place}`: {why}")]
pub struct StorageError {
    /// The path or the address of the object.
    pub place: String,
    /// What happened and what to do.
    pub why: String,
    /// Whether trying again may help.
    pub is_transient: bool,
}

impl StorageError {
    /// As the error of a source.
    pub fn of_source(self, name: &str) -> EtlError {
        EtlError::Source {
            source_name: name.to_owned(),
            why: self.to_string(),
            is_transient: self.is_transient,
        }
    }

    /// As the error of a target.
    pub fn of_target(self, name: &str) -> EtlError {
        EtlError::Target { target: name.to_owned(), why: self.to_string(), is_transient: self.is_transient }
    }
}

pub(crate) fn storage_error(place: &str, why: impl std::fmt::Display, is_transient: bool) -> StorageError {
    StorageError { place: place.to_owned(), why: why.to_string(), is_transient }
}

/// The folder before the first part with `*`, `?` or `[`, and the rest; a path without those is its folder and its name.
fn split_pattern(written: &str) -> (&str, String) {
    let first = written.find(['*', '?', '[']).unwrap_or(written.len());
    let at = written[..first].rfind('/').map_or(0, |slash| slash + 1);
    let base = &written[..at];
    (if base.len() > 1 { base.trim_end_matches('/') } else { base }, written[at..].to_owned())
}

/// An open folder or bucket.
#[derive(Clone, Debug)]
pub struct Storage {
    place: Place,
    pattern: String,
    roots: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
enum Place {
    Folder(PathBuf),
    Bucket(Arc<Bucket>),
}

/// A file or object that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path below the folder that is searched.
    pub name: String,
    /// Its size.
    pub n_bytes: u64,
    /// What changes when the file is written: size, time and number of the file, or the entity tag of the object.
    pub mark: String,
}

impl Storage {
    /// The files that the path or pattern names, ordered by name. Empty when there is none.
    pub async fn list(&self) -> Result<Vec<Found>, StorageError> {
        let mut found = match &self.place {
            Place::Folder(folder) => folder::list(folder, &self.pattern, &self.roots)?,
            Place::Bucket(bucket) => bucket.list(&self.pattern).await?,
        };
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The file again, as it is now.
    pub async fn look(&self, name: &str) -> Result<Found, StorageError> {
        match &self.place {
            Place::Folder(folder) => folder::look(folder, name),
            Place::Bucket(bucket) => bucket.look(name).await,
        }
    }

    /// A stream of the content, for a blocking thread. The file must be as it was found: anything else is an error, here, while
    /// reading, or at the end.
    pub fn read(&self, found: &Found) -> Result<Box<dyn Read + Send>, StorageError> {
        match &self.place {
            Place::Folder(folder) => Ok(Box::new(folder::open(folder, found)?)),
            Place::Bucket(bucket) => Ok(Box::new(bucket.read(found))),
        }
    }

    /// A hash of the content, for the id of a unit: xxh3 of the bytes of a local file; entity tag and size of an object, which is not
    /// read for it. Blocks.
    pub fn content_id(&self, found: &Found) -> Result<String, StorageError> {
        match &self.place {
            Place::Folder(folder) => folder::hash(folder, found),
            Place::Bucket(_) => Ok(found.mark.clone()),
        }
    }

    /// The path of a local file.
    pub fn local_path(&self, name: &str) -> Option<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(folder.join(name)),
            Place::Bucket(_) => None,
        }
    }

    /// The bucket, for those who write or read parts.
    pub fn bucket(&self) -> Option<&Arc<Bucket>> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Bucket(bucket) => Some(bucket),
        }
    }

    /// The folder, for those who write.
    pub fn folder(&self) -> Option<&PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Bucket(_) => None,
        }
    }
}

/// Reads until the buffer is full or the stream ends.
pub(crate) fn read_full(stream: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_split_from_its_folder() {
        let check = |written: &str, base: &str, pattern: &str| {
            assert_eq!(split_pattern(written), (base, pattern.to_owned()), "{written}");
        };
        check("labs.csv", "", "labs.csv");
        check("a/b/labs-*.csv", "a/b", "labs-*.csv");
        check("a/**/x.csv", "a", "**/x.csv");
        check("/x.csv", "/", "x.csv");
        check("s3://bucket/a/*.csv", "s3://bucket/a", "*.csv");
        check("s3://bucket/*.csv", "s3://bucket", "*.csv");
    }
}
