//! A prefix of an S3-compatible object store. Objects appear whole; conditions of a put decide who is first.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::{
    Error, GetOptions, ObjectStore, PutMode, PutOptions, PutPayload, UpdateVersion, path::Path as Key,
};
use tokio::runtime::Handle;

use super::{FolderError, Tag};
use crate::storage::Bucket;

/// Objects larger than this are sent in parts of this size.
const PART_BYTES: usize = 16 << 20;

/// A prefix of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    bucket: Arc<Bucket>,
    shown: String,
    runtime: Handle,
}

impl Remote {
    /// Call it inside the async runtime: the functions come back to it, from threads that may block.
    pub(crate) fn new(bucket: Arc<Bucket>, shown: String) -> Remote {
        Remote { bucket, shown, runtime: Handle::current() }
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        self.bucket.store()
    }

    fn failed(&self, what: &str, name: &str, error: &Error) -> FolderError {
        let (why, is_transient) = match error {
            Error::NotFound { .. } => ("there is no such object or bucket", false),
            Error::Unauthenticated { .. } => ("the store does not accept the keys", false),
            Error::PermissionDenied { .. } => ("the keys do not allow it", false),
            Error::NotImplemented { .. } | Error::NotSupported { .. } => {
                ("the store knows no conditional writes, which a commit needs", false)
            }
            // Its text may hold the address and the answer of the store, which is not needed to act.
            _ => ("the store does not answer as it should", true),
        };
        FolderError { why: format!("cannot {what} `{}/{name}`: {why}", self.shown), is_transient }
    }

    pub(super) fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Tag)>, FolderError> {
        let read = async {
            let got = self.store().get_opts(&self.bucket.key(name), GetOptions::default()).await?;
            let version = UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
            Ok((got.bytes().await?.to_vec(), Tag::Remote(version)))
        };
        match self.runtime.block_on(read) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", name, &error)),
        }
    }

    /// `false`: the condition does not hold.
    pub(super) fn put(&self, name: &str, bytes: &[u8], mode: PutMode) -> Result<bool, FolderError> {
        let options = PutOptions { mode, ..PutOptions::default() };
        let key = self.bucket.key(name);
        let payload = PutPayload::from(bytes.to_vec());
        match self.runtime.block_on(self.store().put_opts(&key, payload, options)) {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.failed("write", name, &error)),
        }
    }

    pub(super) fn publish(&self, files: &[(PathBuf, String)]) -> Result<(), FolderError> {
        for (from, name) in files {
            let io = |error: &std::io::Error| FolderError::io("read", "the scratch folder", error);
            let mut file = fs::File::open(from).map_err(|error| io(&error))?;
            let n_bytes = file.metadata().map_err(|error| io(&error))?.len();
            let key = self.bucket.key(name);
            if n_bytes <= PART_BYTES as u64 {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map_err(|error| io(&error))?;
                let put = self.store();
                let done = self.runtime.block_on(put.put_opts(&key, bytes.into(), PutOptions::default()));
                done.map_err(|error| self.failed("write", name, &error))?;
                continue;
            }
            self.publish_parts(&mut file, &key, name)?;
        }
        Ok(())
    }

    fn publish_parts(&self, file: &mut fs::File, key: &Key, name: &str) -> Result<(), FolderError> {
        let failed = |error: &Error| self.failed("write", name, error);
        let begin = self.store();
        let upload = self
            .runtime
            .block_on(begin.put_multipart_opts(key, object_store::PutMultipartOptions::default()));
        let mut upload = upload.map_err(|error| failed(&error))?;
        let sent = loop {
            let mut part = vec![0; PART_BYTES];
            let n = match crate::storage::read_full(file, &mut part) {
                Ok(0) => break Ok(()),
                Ok(n) => n,
                Err(error) => break Err(FolderError::io("read", "the scratch folder", &error)),
            };
            part.truncate(n);
            if let Err(error) = self.runtime.block_on(upload.put_part(Bytes::from(part).into())) {
                break Err(failed(&error));
            }
        };
        match sent {
            Ok(()) => self.runtime.block_on(upload.complete()).map(drop).map_err(|error| failed(&error)),
            Err(error) => {
                // Parts that stay cost storage; the store's own rule for unfinished uploads removes them if this fails.
                let _ = self.runtime.block_on(upload.abort());
                Err(error)
            }
        }
    }

    pub(super) fn list(&self, below: &str, start: &str) -> Result<Vec<String>, FolderError> {
        let root = self.bucket.key("");
        let prefix = if below.is_empty() { root.clone() } else { self.bucket.key(below) };
        let store = self.store();
        let found = self.runtime.block_on(store.list(Some(&prefix)).try_collect::<Vec<_>>());
        let found = found.map_err(|error| self.failed("list", below, &error))?;
        let n_root = root.as_ref().trim_end_matches('/').len();
        let mut names: Vec<String> = found
            .iter()
            .filter_map(|meta| {
                meta.location.as_ref().get(n_root..).map(|name| name.trim_start_matches('/').to_owned())
            })
            .filter(|name| {
                let inside = name.strip_prefix(below).unwrap_or(name).trim_start_matches('/');
                let mut parts: Vec<&str> = inside.split('/').collect();
                let own = parts.pop().unwrap_or_default();
                own.starts_with(start) && !parts.iter().any(|folder| folder.starts_with(['_', '.']))
            })
            .collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn remove(&self, names: &[String]) -> Result<(), FolderError> {
        let store = self.store();
        let keys: Vec<object_store::Result<Key>> =
            names.iter().map(|name| Ok(self.bucket.key(name))).collect();
        let keys = Box::pin(futures_util::stream::iter(keys));
        let removed = store.delete_stream(keys).map_ok(drop);
        let remove = removed.try_for_each(|()| async { Ok(()) });
        match self.runtime.block_on(remove) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", names.first().map_or("", String::as_str), &error)),
        }
    }

    /// Copies an object into the scratch folder, once: objects are never overwritten.
    pub(super) fn fetch(&self, name: &str, scratch: &Path) -> Result<PathBuf, FolderError> {
        let io = |error: std::io::Error| FolderError::io("write", "the scratch folder", &error);
        let end =
            Path::new(name).file_name().map(|own| own.to_string_lossy().into_owned()).unwrap_or_default();
        let hash = super::super::format::hex(
            &<sha2::Sha256 as sha2::Digest>::digest(self.bucket.key(name).as_ref())[..8],
        );
        let path = scratch.join(format!("copy-{hash}-{end}"));
        if path.is_file() {
            return Ok(path);
        }
        let part = scratch.join(format!("copy-{}.part", uuid::Uuid::new_v4().simple()));
        let mut file = fs::File::options().write(true).create_new(true).open(&part).map_err(io)?;
        let copy = async {
            let got = self.store().get_opts(&self.bucket.key(name), GetOptions::default()).await;
            let mut stream = got.map_err(|error| self.failed("read", name, &error))?.into_stream();
            while let Some(bytes) =
                stream.try_next().await.map_err(|error| self.failed("read", name, &error))?
            {
                std::io::Write::write_all(&mut file, &bytes).map_err(io)?;
            }
            Ok::<(), FolderError>(())
        };
        self.runtime.block_on(copy)?;
        fs::rename(&part, &path).map_err(io)?;
        Ok(path)
    }
}
