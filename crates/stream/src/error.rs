//! Why a stream did not do what was asked: each variant is a different thing for the caller to do.

use db::DbError;
use gate::{GateError, StoreError};
use keys::KeyError;

use crate::process::probe::is_passing;

/// What was asked of a stream and was not done.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// This server was started without streams.
    #[error("this server was started without streams: `salus serve` on the data folder has them")]
    Absent,
    /// More waits to become durable than may wait; nothing was taken.
    #[error("too many events wait to become durable: send again in {retry_after_secs} s")]
    Busy {
        /// When to try again.
        retry_after_secs: u32,
    },
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// Not now, or not any more.
    #[error("{0}")]
    Conflict(String),
    /// It was asked wrongly.
    #[error("{0}")]
    Invalid(String),
    /// The broker or the disk does not answer; nothing was acknowledged.
    #[error("{0}")]
    Unavailable(String),
    /// The file `stream.db` failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The gate refused or failed.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A key is missing or was destroyed.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

impl StreamError {
    /// Nothing was acknowledged, and the same may be sent again in a moment: the disk, the broker, another process in the way.
    pub fn is_passing(&self) -> bool {
        match self {
            StreamError::Busy { .. } | StreamError::Unavailable(_) => true,
            StreamError::Database(error) => matches!(error, DbError::Closed) || is_passing(error),
            StreamError::Gate(GateError::Ledger(error)) => is_passing(error),
            StreamError::Gate(GateError::Store(error)) => {
                matches!(
                    error,
                    StoreError::Full | StoreError::Locked | StoreError::ReadOnly | StoreError::Io { .. }
                )
            }
            _ => false,
        }
    }
}
