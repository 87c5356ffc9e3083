//! Errors of the gate and the store: the status and the words of each.

use fhir::{Issue, IssueType};
use gate::{AuthProblem, DbError, GateError, PurposeError, ReferenceProblem, StoreError};
use http::StatusCode;

/// Said when something broke here; the log has the cause.
pub(super) const BROKE: &str =
    "something broke inside: the log has the cause under the identifier of this request";

pub(super) fn status_of_gate(error: &GateError) -> StatusCode {
    match error {
        GateError::Unauthenticated(AuthProblem::Csrf) => StatusCode::FORBIDDEN,
        GateError::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        GateError::Forbidden(_) | GateError::Purpose(PurposeError::NotAllowed { .. }) => {
            StatusCode::FORBIDDEN
        }
        GateError::Purpose(PurposeError::Unknown(_)) | GateError::Token(_) => StatusCode::BAD_REQUEST,
        GateError::NotFound { .. } | GateError::UnknownToken(_) => StatusCode::NOT_FOUND,
        GateError::Gone { .. } => StatusCode::GONE,
        GateError::Invalid(_) | GateError::InvalidEntry { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        GateError::Store(error) => status_of_store(error),
        GateError::Ledger(error) => status_of_db(error),
    }
}

fn status_of_store(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Forbidden(_) => StatusCode::FORBIDDEN,
        StoreError::NotFound { .. } | StoreError::NoMatch { .. } => StatusCode::NOT_FOUND,
        StoreError::VersionConflict { .. }
        | StoreError::MultipleMatches { .. }
        | StoreError::TooManyMatches { .. } => StatusCode::PRECONDITION_FAILED,
        StoreError::Referenced { .. } => StatusCode::CONFLICT,
        StoreError::IdMismatch { .. }
        | StoreError::SameTwice { .. }
        | StoreError::Cursor
        | StoreError::Reference { problem: ReferenceProblem::BadCondition, .. } => StatusCode::BAD_REQUEST,
        StoreError::Reference { .. }
        | StoreError::Unfit(_)
        | StoreError::TooCostly { .. }
        | StoreError::TooManyIncluded { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        StoreError::InEntry { error, .. } => status_of_store(error),
        StoreError::Full => StatusCode::INSUFFICIENT_STORAGE,
        StoreError::Closed | StoreError::Locked => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::ReadOnly
        | StoreError::NewerVersion { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Bug { .. }
        | StoreError::Io { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) fn status_of_db(error: &DbError) -> StatusCode {
    match error {
        DbError::Full => StatusCode::INSUFFICIENT_STORAGE,
        DbError::Closed | DbError::Locked => StatusCode::SERVICE_UNAVAILABLE,
        DbError::ReadOnly
        | DbError::NewerVersion { .. }
        | DbError::Foreign { .. }
        | DbError::Corrupt(_)
        | DbError::Panicked
        | DbError::Io(_)
        | DbError::Sqlite(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) fn issue_of_gate(error: &GateError) -> Issue {
    let (code, slug) = match error {
        GateError::Unauthenticated(AuthProblem::Csrf) => (IssueType::Forbidden, "csrf"),
        GateError::Unauthenticated(AuthProblem::Expired) => (IssueType::Expired, "token-expired"),
        GateError::Unauthenticated(AuthProblem::SessionEnded) => (IssueType::Expired, "session-ended"),
        GateError::Unauthenticated(_) => (IssueType::Login, "unauthenticated"),
        GateError::Forbidden(_) => (IssueType::Forbidden, "forbidden"),
        GateError::Purpose(PurposeError::NotAllowed { .. }) => (IssueType::Forbidden, "purpose-not-allowed"),
        GateError::Purpose(PurposeError::Unknown(_)) => (IssueType::Value, "purpose-unknown"),
        GateError::NotFound { .. } => (IssueType::NotFound, "not-found"),
        GateError::UnknownToken(_) => (IssueType::NotFound, "token-unknown"),
        GateError::Gone { .. } => (IssueType::Deleted, "deleted"),
        GateError::Token(_) => (IssueType::Value, "token-request"),
        GateError::Invalid(_) | GateError::InvalidEntry { .. } => (IssueType::Invalid, "invalid"),
        GateError::Store(error) => return issue_of_store(error),
        GateError::Ledger(DbError::Full) => {
            return Issue::error(IssueType::Transient, "disk-full", DbError::Full.to_string());
        }
        GateError::Ledger(DbError::Closed) => return stopping(),
        GateError::Ledger(_) => return broke(),
    };
    Issue::error(code, slug, error.to_string())
}

fn issue_of_store(error: &StoreError) -> Issue {
    let (code, slug) = match error {
        StoreError::Forbidden(_) => (IssueType::Forbidden, "forbidden"),
        StoreError::NotFound { .. } => (IssueType::NotFound, "not-found"),
        StoreError::NoMatch { .. } => (IssueType::NotFound, "no-match"),
        StoreError::Unfit(_) => (IssueType::Invalid, "invalid"),
        StoreError::VersionConflict { .. } => (IssueType::Conflict, "version-conflict"),
        StoreError::MultipleMatches { .. } => (IssueType::MultipleMatches, "multiple-matches"),
        StoreError::TooManyMatches { .. } => (IssueType::TooCostly, "too-many-matches"),
        StoreError::Referenced { .. } => (IssueType::Conflict, "referenced"),
        StoreError::IdMismatch { .. } => (IssueType::Invalid, "id-mismatch"),
        StoreError::SameTwice { .. } => (IssueType::Invalid, "same-twice"),
        StoreError::Cursor => (IssueType::Value, "page-link"),
        StoreError::Reference { entry, .. } => {
            let issue = Issue::error(IssueType::NotFound, "reference", error.to_string());
            return issue.at(format!("Bundle.entry[{entry}]"));
        }
        StoreError::TooCostly { .. } => (IssueType::TooCostly, "too-costly"),
        StoreError::TooManyIncluded { .. } => (IssueType::TooCostly, "too-many-included"),
        StoreError::InEntry { entry, error } => return super::below_entry(*entry, issue_of_store(error)),
        StoreError::Full => (IssueType::Transient, "disk-full"),
        StoreError::Closed => return stopping(),
        StoreError::ReadOnly
        | StoreError::NewerVersion { .. }
        | StoreError::Locked
        | StoreError::Corrupt { .. }
        | StoreError::Bug { .. }
        | StoreError::Io { .. } => return broke(),
    };
    Issue::error(code, slug, error.to_string())
}

fn stopping() -> Issue {
    Issue::error(IssueType::Transient, "stopping", "the server is stopping: ask again later")
}

fn broke() -> Issue {
    Issue::error(IssueType::Exception, "exception", BROKE)
}
