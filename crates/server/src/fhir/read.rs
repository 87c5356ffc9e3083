//! read: `GET [type]/[id]`, the current version.

use bytes::Bytes;
use gate::Stored;
use http::StatusCode;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::reply::Reply;
use crate::fhir::subset::Subset;

/// Answers with the stored bytes; 304 when the caller has them.
pub(crate) async fn read(ask: Ask) -> Result<Reply, ServerError> {
    let subset = ask.controls.subset(ask.place.kind())?;
    let stored = ask.app.gate().read(&ask.access, ask.place.kind(), &ask.place.id).await?;
    Ok(show(&ask, stored, &subset))
}

/// A stored version as an answer.
pub(crate) fn show(ask: &Ask, stored: Stored, subset: &Subset) -> Reply {
    let mut reply = Reply::json(StatusCode::OK, Bytes::new());
    reply.version = Some(stored.version);
    reply.updated = Some(stored.updated);
    if ask.conditions.unchanged(stored.version, stored.updated) {
        reply.status = StatusCode::NOT_MODIFIED;
    } else {
        reply.body = body_of(stored, subset);
    }
    reply
}

/// The bytes of a stored version, or the part of them that is wanted.
pub(crate) fn body_of(stored: Stored, subset: &Subset) -> Bytes {
    match subset.of(stored.kind, stored.body.bytes()) {
        Some(part) => part.into(),
        None => stored.body.into_bytes(),
    }
}
