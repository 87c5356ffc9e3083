//! What can go wrong with a database file, by what the caller can do about it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ffi::{self, ErrorCode};

/// Why a read, a write or an opening failed. Names files and tables, never their contents.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// Nothing was written; writing works again when there is space.
    #[error("the disk is full: free some space and try again")]
    Full,
    /// The file, its folder or the connection cannot be written.
    #[error(
        "the data cannot be written: check the owner and mode of the data folder, and whether its disk is read-only"
    )]
    ReadOnly,
    /// Another process or connection holds the lock.
    #[error("the data folder is in use: stop the other process or choose another folder")]
    Locked,
    /// The file was written by a newer version of this program.
    #[error(
        "the data has layout version `{found}`, and this program knows up to `{known}`: use a newer program"
    )]
    NewerVersion {
        /// The version in the file.
        found: i64,
        /// The newest version this program can read.
        known: i64,
    },
    /// The file belongs to another application.
    #[error("the file is not ours: its application id is `{found:#x}`, not `{expected:#x}`")]
    Foreign {
        /// The application id in the file.
        found: i32,
        /// The application id that was asked for.
        expected: i32,
    },
    /// The file is damaged.
    #[error("the data is damaged, restore a backup: {0}")]
    Corrupt(String),
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// A read or write panicked, which is a bug; its changes were rolled back.
    #[error("a database job panicked (a bug): its changes were rolled back")]
    Panicked,
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Io(Arc<io::Error>),
    /// SQLite refused the statement, which is a bug or a broken constraint.
    #[error("the database refused a statement: {0}")]
    Sqlite(Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> DbError {
        // The index of the write-ahead log cannot grow: SQLite does not call that a full disk, and it is nothing else.
        if error.sqlite_error().is_some_and(|code| code.extended_code == ffi::SQLITE_IOERR_SHMSIZE) {
            return DbError::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => DbError::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => DbError::ReadOnly,
            Some(
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed,
            ) => DbError::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => DbError::Corrupt(error.to_string()),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                DbError::Io(Arc::new(io::Error::other(error.to_string())))
            }
            _ => DbError::Sqlite(Arc::new(error)),
        }
    }
}

impl From<io::Error> for DbError {
    fn from(error: io::Error) -> DbError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DbError::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => DbError::ReadOnly,
            io::ErrorKind::WouldBlock => DbError::Locked,
            _ => DbError::Io(Arc::new(error)),
        }
    }
}

impl DbError {
    /// The same failure, with the file it happened to.
    pub(crate) fn at(error: io::Error, path: &Path) -> DbError {
        match DbError::from(error) {
            DbError::Io(cause) => {
                let text = format!("`{}`: {cause}", path.display());
                DbError::Io(Arc::new(io::Error::new(cause.kind(), text)))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: i32, expected: &str) {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let text = format!("{:?}", DbError::from(error));
        assert!(text.starts_with(expected), "{code} became {text}");
    }

    #[test]
    fn codes_become_decisions() {
        check(ffi::SQLITE_FULL, "Full");
        check(ffi::SQLITE_IOERR_SHMSIZE, "Full");
        check(ffi::SQLITE_READONLY, "ReadOnly");
        check(ffi::SQLITE_READONLY_DIRECTORY, "ReadOnly");
        check(ffi::SQLITE_PERM, "ReadOnly");
        check(ffi::SQLITE_BUSY, "Locked");
        check(ffi::SQLITE_BUSY_SNAPSHOT, "Locked");
        check(ffi::SQLITE_CORRUPT, "Corrupt");
        check(ffi::SQLITE_NOTADB, "Corrupt");
        check(ffi::SQLITE_IOERR_FSYNC, "Io");
        check(ffi::SQLITE_CANTOPEN, "Io");
        check(ffi::SQLITE_CONSTRAINT, "Sqlite");
        assert!(matches!(DbError::from(rusqlite::Error::QueryReturnedNoRows), DbError::Sqlite(_)));
    }
}
