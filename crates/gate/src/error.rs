//! Why the gate did not answer: each variant is a different thing for the caller to do.

use fhir::{Issue, Kind};
use store::StoreError;

use crate::identity::token::TokenError;
use crate::principal::PurposeError;

/// An access that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// No valid token, session or link was shown.
    #[error("{0}")]
    Unauthenticated(#[from] AuthProblem),
    /// The principal may not do this at all, whatever the data is.
    #[error("{0}")]
    Forbidden(String),
    /// The stated purpose of use is unknown or not open to the principal.
    #[error(transparent)]
    Purpose(#[from] PurposeError),
    /// There is no such resource, or the caller may not know of it.
    #[error("`{kind}/{id}` is unknown")]
    NotFound {
        /// Type asked for.
        kind: Kind,
        /// Id asked for.
        id: String,
    },
    /// It was deleted.
    #[error("`{kind}/{id}` was deleted: version {version} is the deletion")]
    Gone {
        /// Type asked for.
        kind: Kind,
        /// Id asked for.
        id: String,
        /// The version that is the deletion.
        version: u64,
    },
    /// The resource breaks rules of R4; nothing was written.
    #[error("the resource has {} errors", .0.len())]
    Invalid(Vec<Issue>),
    /// An entry of a transaction breaks rules of R4; nothing was written.
    #[error("entry {entry} has {} errors", issues.len())]
    InvalidEntry {
        /// Position in the request, from 0.
        entry: usize,
        /// What is wrong.
        issues: Vec<Issue>,
    },
    /// A token cannot be created as asked.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There is no such token.
    #[error("there is no token `{0}`")]
    UnknownToken(String),
    /// The store refused or failed.
    #[error(transparent)]
    Store(StoreError),
    /// The ledger could not record the access, so nothing was released.
    #[error("the audit ledger did not take the record: {0}")]
    Ledger(#[from] db::DbError),
}

impl From<StoreError> for GateError {
    /// A refusal of the decision inside the store is a refusal of the gate.
    fn from(error: StoreError) -> GateError {
        match error {
            StoreError::Forbidden(why) => GateError::Forbidden(why),
            StoreError::Unfit(issues) => GateError::Invalid(issues),
            StoreError::InEntry { entry, error } => match *error {
                StoreError::Unfit(issues) => GateError::InvalidEntry { entry, issues },
                error => GateError::Store(StoreError::InEntry { entry, error: Box::new(error) }),
            },
            error => GateError::Store(error),
        }
    }
}

impl GateError {
    /// Was it asked for wrongly; else this machine failed.
    pub fn is_callers(&self) -> bool {
        match self {
            GateError::Store(error) => !matches!(
                error,
                StoreError::Full
                    | StoreError::ReadOnly
                    | StoreError::NewerVersion { .. }
                    | StoreError::Locked
                    | StoreError::Corrupt { .. }
                    | StoreError::Io { .. }
                    | StoreError::Bug { .. }
                    | StoreError::Closed
            ),
            GateError::Ledger(_) => false,
            _ => true,
        }
    }
}

/// Why somebody is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthProblem {
    /// Nothing was shown.
    #[error("a token is needed: send `Authorization: Bearer TOKEN`")]
    Missing,
    /// The header is not of the form `Bearer TOKEN`.
    #[error("the `Authorization` header is not understood: send `Authorization: Bearer TOKEN`")]
    Malformed,
    /// No token has this secret.
    #[error("the token is unknown")]
    Unknown,
    /// It has expired.
    #[error("the token has expired: create a new one")]
    Expired,
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The session has ended or never was.
    #[error("the session has ended: sign in again")]
    SessionEnded,
    /// A set-up link that is unknown, used or too old.
    #[error("the link is unknown, was used before, or is too old: create a new one")]
    Link,
    /// A session was used to change something without its CSRF token.
    #[error("the request changes something but does not carry the session's CSRF token")]
    Csrf,
}
