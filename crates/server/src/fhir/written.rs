//! The answer to a write: status, location, version, and what the caller prefers to get back.

use bytes::Bytes;
use gate::{WriteOutcome, Written};
use http::StatusCode;

use crate::fhir::outcome::all_well;
use crate::fhir::prefer::Return;
use crate::fhir::reply::Reply;

/// The status of what became of a write.
pub(crate) fn status_of(outcome: &WriteOutcome) -> StatusCode {
    match outcome {
        WriteOutcome::Created => StatusCode::CREATED,
        WriteOutcome::Updated | WriteOutcome::Unchanged | WriteOutcome::Matched => StatusCode::OK,
        WriteOutcome::Deleted | WriteOutcome::NothingToDelete => StatusCode::NO_CONTENT,
    }
}

/// `Patient/42/_history/3`.
pub(crate) fn location_of(written: &Written) -> String {
    let stored = &written.stored;
    format!("{}/{}/_history/{}", stored.kind, stored.id, stored.version)
}

/// A create or update as an answer.
pub(crate) fn reply_of(written: Written, returns: Option<Return>) -> Reply {
    let status = status_of(&written.outcome);
    let location = location_of(&written);
    let stored = written.stored;
    let body = match returns.unwrap_or(Return::Representation) {
        Return::Minimal => Bytes::new(),
        Return::Outcome => Bytes::from(all_well(&format!("`{location}` is stored"))),
        Return::Representation => stored.body.into_bytes(),
    };
    Reply {
        status,
        version: Some(stored.version),
        updated: Some(stored.updated),
        location: Some(location),
        body,
    }
}

/// The same as an entry of a bundle, where the resource is given back only when it is asked for.
pub(crate) fn entry_reply_of(written: Written, returns: Option<Return>) -> Reply {
    let deletion = matches!(written.outcome, WriteOutcome::Deleted | WriteOutcome::NothingToDelete);
    let mut reply = reply_of(written, Some(returns.unwrap_or(Return::Minimal)));
    if deletion {
        reply.location = None;
        reply.version = reply.version.filter(|version| *version > 0);
        reply.updated = reply.updated.filter(|_| reply.version.is_some());
        reply.body = Bytes::new();
    }
    reply
}
