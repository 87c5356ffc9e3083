//! update: `PUT [type]/[id]`, which also creates; conditional update: `PUT [type]?query`.

use fhir::{Kind, Resource};
use gate::Action;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::create::check_kind;
use crate::fhir::query;
use crate::fhir::reply::Reply;
use crate::fhir::{body, written};

/// Stores the next version under the caller's id; no new version when nothing changed.
pub(crate) async fn update(ask: Ask) -> Result<Reply, ServerError> {
    ask.controls.nothing_else()?;
    ask.conditions.check_update()?;
    let resource = body::resource(ask.body.clone()).await?;
    let action = action_of(ask.place.kind(), &ask.place.id, resource, ask.conditions.if_match)?;
    let written = ask.app.gate().write_one(&ask.access, action).await?;
    Ok(written::reply_of(written, ask.prefer.returns))
}

/// Updates the one match of a search, or creates when there is none.
pub(crate) async fn conditional_update(ask: Ask) -> Result<Reply, ServerError> {
    ask.conditions.check_update()?;
    let resource = body::resource(ask.body.clone()).await?;
    let rest = ask.controls.rest.clone();
    let action = conditional_action_of(&ask, ask.place.kind(), &rest, resource, ask.conditions.if_match)?;
    let written = ask.app.gate().write_one(&ask.access, action).await?;
    Ok(written::reply_of(written, ask.prefer.returns))
}

/// The write that an update asks for.
pub(crate) fn action_of(
    kind: Kind,
    id: &str,
    resource: Resource,
    if_match: Option<u64>,
) -> Result<Action, ServerError> {
    check_kind(kind, &resource)?;
    if resource.id() != Some(id) {
        let body = resource.id().map(str::to_string);
        return Err(ServerError::IdMismatch { path: id.to_string(), body });
    }
    Ok(Action::Update { resource, if_match })
}

/// The write that a conditional update asks for.
pub(crate) fn conditional_action_of(
    ask: &Ask,
    kind: Kind,
    query: &str,
    resource: Resource,
    if_match: Option<u64>,
) -> Result<Action, ServerError> {
    check_kind(kind, &resource)?;
    let query = query::condition(ask, kind, query)?;
    Ok(Action::ConditionalUpdate { resource, query, if_match })
}
