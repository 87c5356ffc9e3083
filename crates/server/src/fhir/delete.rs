//! delete: `DELETE [type]/[id]`; conditional delete: `DELETE [type]?query`, one match, or many with `_multiple=true`.

use bytes::Bytes;
use fhir::Kind;
use gate::{Action, Written};

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::controls::{flag, pairs};
use crate::fhir::prefer::Return;
use crate::fhir::reply::Reply;
use crate::fhir::{outcome, query, written};

/// Adds a deletion as the last version. Deleting what is not there is well, too.
pub(crate) async fn delete(ask: Ask) -> Result<Reply, ServerError> {
    ask.controls.nothing_else()?;
    let action = Action::Delete {
        kind: ask.place.kind(),
        id: ask.place.id.as_str().into(),
        if_match: ask.conditions.if_match,
    };
    let written = ask.app.gate().write_one(&ask.access, action).await?;
    Ok(reply_of(&written, ask.prefer.returns))
}

/// Deletes what a search finds.
pub(crate) async fn conditional_delete(ask: Ask) -> Result<Reply, ServerError> {
    let action = conditional_action_of(&ask, ask.place.kind(), &ask.controls.rest)?;
    let written = ask.app.gate().write_one(&ask.access, action).await?;
    Ok(reply_of(&written, ask.prefer.returns))
}

/// The write that a conditional delete asks for.
pub(crate) fn conditional_action_of(ask: &Ask, kind: Kind, text: &str) -> Result<Action, ServerError> {
    let mut many = false;
    let mut rest: Vec<&str> = Vec::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        match pairs(part).next() {
            Some((name, value)) if name == "_multiple" => many = flag("_multiple", &value)?,
            _ => rest.push(part),
        }
    }
    let query = query::condition(ask, kind, &rest.join("&"))?;
    Ok(Action::ConditionalDelete { query, many })
}

fn reply_of(written: &Written, returns: Option<Return>) -> Reply {
    let mut reply = Reply::json(written::status_of(&written.outcome), Bytes::new());
    if written.stored.version > 0 {
        reply.version = Some(written.stored.version);
    }
    if returns == Some(Return::Outcome) {
        reply.status = http::StatusCode::OK;
        reply.body = Bytes::from(outcome::all_well("what was asked for is deleted"));
    }
    reply
}
