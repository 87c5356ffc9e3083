//! A place for files: a local folder, or a prefix of an object store. All functions block.

mod local;
mod remote;

use std::path::{Path, PathBuf};

use object_store::{PutMode, UpdateVersion};

pub(crate) use local::{Local, Lock, make_folder, sync_folder};
pub(crate) use remote::Remote;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct FolderError {
    /// What was done to which name, what happened, and what to do.
    pub(crate) why: String,
    /// Whether trying again may help.
    pub(crate) is_transient: bool,
}

impl FolderError {
    pub(crate) fn io(what: &str, name: &str, error: &std::io::Error) -> FolderError {
        use std::io::ErrorKind;
        let advice = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ": free space, then run again",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                ": the user that runs salus must be allowed to write there"
            }
            _ => "",
        };
        let is_transient = matches!(
            error.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::Interrupted | ErrorKind::TimedOut
        );
        FolderError { why: format!("cannot {what} `{name}`: {error}{advice}"), is_transient }
    }
}

/// A version of an object, to be told from later ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// A local file: its bytes.
    Local(Vec<u8>),
    /// An object: what its store says.
    Remote(UpdateVersion),
}

/// A place for files. Names are below it, with `/`.
#[derive(Clone, Debug)]
pub(crate) enum Folder {
    /// On this machine.
    Local(Local),
    /// In an object store.
    Remote(Remote),
}

impl Folder {
    /// How people call it.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Folder::Local(local) => local.shown(),
            Folder::Remote(remote) => remote.shown(),
        }
    }

    /// Makes the place ready, where places must be made.
    pub(crate) fn make(&self) -> Result<(), FolderError> {
        match self {
            Folder::Local(local) => local.make(),
            Folder::Remote(_) => Ok(()),
        }
    }

    /// Keeps other runs out until it is dropped, where that can be done. `is_cancelled` ends the waiting.
    pub(crate) fn lock(&self, is_cancelled: &dyn Fn() -> bool) -> Result<Option<Lock>, FolderError> {
        match self {
            Folder::Local(local) => local.lock(is_cancelled).map(Some),
            Folder::Remote(_) => Ok(None),
        }
    }

    /// Reads a small file.
    pub(crate) fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Tag)>, FolderError> {
        match self {
            Folder::Local(local) => Ok(local.read(name)?.map(|bytes| (bytes.clone(), Tag::Local(bytes)))),
            Folder::Remote(remote) => remote.read(name),
        }
    }

    /// Writes a small file, all or nothing and durably, if it still is as it was (`None`: not there). `false`: it is not.
    pub(crate) fn replace(
        &self,
        name: &str,
        bytes: &[u8],
        before: Option<&Tag>,
    ) -> Result<bool, FolderError> {
        match self {
            Folder::Local(local) => {
                let is_as_before = match (local.read(name)?, before) {
                    (Some(stored), Some(Tag::Local(expected))) => stored == *expected,
                    (None, None) => true,
                    _ => false,
                };
                if is_as_before {
                    local.put(name, bytes)?;
                }
                Ok(is_as_before)
            }
            Folder::Remote(remote) => match before {
                Some(Tag::Remote(version)) => remote.put(name, bytes, PutMode::Update(version.clone())),
                _ => remote.put(name, bytes, PutMode::Create),
            },
        }
    }

    /// Writes a small file, all or nothing and durably.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        match self {
            Folder::Local(local) => local.put(name, bytes),
            Folder::Remote(remote) => remote.put(name, bytes, PutMode::Overwrite).map(drop),
        }
    }

    /// Writes a small file, all or nothing and durably, if there is none with its name. `false`: there is.
    pub(crate) fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, FolderError> {
        match self {
            Folder::Local(local) => local.create(name, bytes),
            Folder::Remote(remote) => remote.put(name, bytes, PutMode::Create),
        }
    }

    /// Gives finished files their names, durably.
    pub(crate) fn publish(&self, files: &[(PathBuf, String)]) -> Result<(), FolderError> {
        match self {
            Folder::Local(local) => local.publish(files),
            Folder::Remote(remote) => remote.publish(files),
        }
    }

    /// Names of all files at any depth below a folder (`""`: all) whose own names begin with a text. Folders whose names begin with
    /// `_` or `.` are not looked into.
    pub(crate) fn list(&self, below: &str, start: &str) -> Result<Vec<String>, FolderError> {
        match self {
            Folder::Local(local) => local.list(below, start),
            Folder::Remote(remote) => remote.list(below, start),
        }
    }

    /// Removes files; one that is not there is fine. Folders that become empty are removed too.
    pub(crate) fn remove(&self, names: &[String]) -> Result<(), FolderError> {
        match self {
            Folder::Local(local) => local.remove(names),
            Folder::Remote(remote) => remote.remove(names),
        }
    }

    /// A local copy of a file, for reading; `scratch` is where a copy may be put.
    pub(crate) fn fetch(&self, name: &str, scratch: &Path) -> Result<PathBuf, FolderError> {
        match self {
            Folder::Local(local) => Ok(local.path(name)),
            Folder::Remote(remote) => remote.fetch(name, scratch),
        }
    }
}
