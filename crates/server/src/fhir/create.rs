//! create: `POST [type]`; with `If-None-Exist` only when a search finds nothing.

use fhir::{Kind, Resource};
use gate::Action;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::query;
use crate::fhir::reply::Reply;
use crate::fhir::{body, written};

/// Stores a new resource under an id of the server's.
pub(crate) async fn create(ask: Ask) -> Result<Reply, ServerError> {
    ask.controls.nothing_else()?;
    let resource = body::resource(ask.body.clone()).await?;
    let action = action_of(&ask, ask.place.kind(), resource, ask.conditions.if_none_exist.as_deref())?;
    let written = ask.app.gate().write_one(&ask.access, action).await?;
    Ok(written::reply_of(written, ask.prefer.returns))
}

/// The write that a create asks for. An id in the body is the caller's own: the store gives another one.
pub(crate) fn action_of(
    ask: &Ask,
    kind: Kind,
    resource: Resource,
    if_none_exist: Option<&str>,
) -> Result<Action, ServerError> {
    check_kind(kind, &resource)?;
    let if_none_exist = match if_none_exist {
        None => None,
        Some(text) => Some(query::condition(ask, kind, text)?),
    };
    Ok(Action::Create { resource, if_none_exist })
}

/// The body must be of the type that the path names.
pub(crate) fn check_kind(kind: Kind, resource: &Resource) -> Result<(), ServerError> {
    if resource.kind() == kind {
        return Ok(());
    }
    Err(ServerError::KindMismatch { path: kind.name(), body: resource.kind().name() })
}
