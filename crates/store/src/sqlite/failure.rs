//! Inside the backend a step fails by SQLite's doing or by a decision of the store's.

use db::DbError;

use crate::StoreError;

/// Why a step failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite failed.
    Sql(rusqlite::Error),
    /// The store decided so.
    Store(StoreError),
}

/// The outcome of a step.
pub(crate) type Try<T> = Result<T, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> StoreError {
        match failure {
            Failure::Sql(error) => DbError::from(error).into(),
            Failure::Store(error) => error,
        }
    }
}

/// A body or index row that cannot be read.
pub(crate) fn damaged(what: impl Into<String>) -> Failure {
    Failure::Store(StoreError::Corrupt { what: what.into() })
}
