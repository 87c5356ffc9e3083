//! Why a key or sealed data cannot be used, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use fhir::Instant;

use crate::{KeyId, Scope};

/// A failed operation with keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no key folder.
    #[error("there is no key folder `{}`: run `salus keys init`, or restore it from its backup", .0.display())]
    MissingFolder(PathBuf),
    /// There are wrapped keys, but not the root key that opens them.
    #[error(
        "`{}` is missing: restore it from its backup; salus makes no new root key over keys that exist",
        .0.display()
    )]
    MissingFile(PathBuf),
    /// Keys would have been overwritten.
    #[error("`{}` holds keys already: nothing was changed", .0.display())]
    Exists(PathBuf),
    /// Others could read or change keys.
    #[error("`{}` has mode {mode:04o}: run `chmod {wanted:o} {}`", path.display(), path.display())]
    Permissions {
        /// Folder or file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What it should be.
        wanted: u32,
    },
    /// The root key is not the one that wrapped the keys.
    #[error(
        "root key `{found}` does not open these keys, which root key `{expected}` wrapped: restore `root.key` and `keys.json` from one backup"
    )]
    WrongRoot {
        /// Root key named by `keys.json`.
        expected: KeyId,
        /// Root key found.
        found: KeyId,
    },
    /// A file of the key folder is not what was written.
    #[error("`{}` is damaged ({why}): restore the key folder from its backup", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The key folder was written by a later salus.
    #[error("`{}` has format `{found}`, this salus knows `{known}`: use a newer salus", path.display())]
    NewerFormat {
        /// Which file.
        path: PathBuf,
        /// Format found.
        found: u32,
        /// Format known.
        known: u32,
    },
    /// Sealed data names a key that this folder does not have.
    #[error("key `{0}` is unknown here: restore the key folder that was in use when the data was sealed")]
    UnknownKey(KeyId),
    /// Nothing was ever sealed for this scope.
    #[error("there is no key for scope `{0}`: `salus keys status` lists the scopes")]
    UnknownScope(Scope),
    /// The key was destroyed on purpose.
    #[error("the key for scope `{scope}` was destroyed at {at}: what it sealed cannot be read any more")]
    Shredded {
        /// Whose key.
        scope: Scope,
        /// When.
        at: Instant,
    },
    /// Sealed for another scope.
    #[error("the data was sealed for scope `{sealed_for}`, not for `{asked_for}`")]
    WrongScope {
        /// Scope of the key that sealed it.
        sealed_for: Scope,
        /// Scope that was asked for.
        asked_for: Scope,
    },
    /// Authentication failed.
    #[error("the sealed data does not open: it was changed, cut, or moved here from another place")]
    Tampered,
    /// These bytes were not sealed by salus, or by a later one.
    #[error("the data is not in a sealed format that this salus knows")]
    UnknownFormat,
    /// More than one seal may hold.
    #[error("{n_bytes} bytes are too many to seal at once, at most {max}: seal them in parts")]
    TooLong {
        /// Size asked for.
        n_bytes: usize,
        /// Limit.
        max: usize,
    },
    /// A scope's name is malformed.
    #[error("`{0}` is no scope: use 1 to 128 of a-z, 0-9, `.`, `_`, `-` and `/`")]
    BadScope(String),
    /// The folder is full.
    #[error("there are {max} keys already, the most that one key folder holds")]
    TooManyKeys {
        /// Limit.
        max: usize,
    },
    /// The operating system refused.
    #[error("cannot use `{}`: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl KeyError {
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyError + '_ {
        move |source| KeyError::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, why: &'static str) -> KeyError {
        KeyError::Damaged { path: path.to_owned(), why }
    }
}
