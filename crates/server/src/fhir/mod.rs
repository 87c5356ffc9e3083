//! FHIR REST below `/fhir`: one file per interaction, one table that finds them.

pub(crate) mod ask;
pub(crate) mod body;
mod bundle;
mod bundle_bytes;
pub(crate) mod capability;
mod compartment;
mod conditions;
pub(crate) mod controls;
mod create;
mod delete;
mod entry;
mod full_urls;
mod history;
pub(crate) mod interactions;
pub(crate) mod negotiate;
pub(crate) mod outcome;
mod patch;
mod place;
mod prefer;
mod query;
mod read;
mod reply;
mod search;
mod subset;
mod transaction;
mod update;
mod validate;
mod vread;
mod written;

use bytes::Bytes;

use crate::caller::Caller;
use crate::error::ServerError;
use crate::route::{Answered, Asked};
use crate::state::AppState;
use ask::Ask;
use conditions::Conditions;
use controls::Controls;
use interactions::Takes;
use prefer::Prefer;
use reply::Reply;

/// Answers one request, with an OperationOutcome when it goes wrong.
pub(crate) async fn answer(app: &AppState, asked: Asked) -> Answered {
    let id = asked.id.clone();
    let mut row = None;
    let response = match run(app, asked, &mut row).await {
        Ok(reply) => reply.into_response(app.base()),
        Err(error) => outcome::response_of(&error, &id),
    };
    Answered { response, row }
}

async fn run(app: &AppState, asked: Asked, row: &mut Option<usize>) -> Result<Reply, ServerError> {
    let Asked { peer, id: request, head, body } = asked;
    let caller = Caller::of(app, &peer, &head.headers, &request).await?;
    caller.check_csrf(&head.method, &head.headers, None)?;
    let path = head.uri.path().strip_prefix("/fhir").unwrap_or("");
    let (at, interaction, place) = interactions::find(&head.method, path)?;
    *row = Some(at);
    let controls = Controls::of(head.uri.query().unwrap_or(""))?;
    negotiate::check_accept(&head.headers, controls.format.as_deref())?;
    match interaction.takes {
        Takes::Resource | Takes::Bundle => negotiate::check_content(&head.headers, false)?,
        Takes::Patch => negotiate::check_patch(&head.headers)?,
        Takes::Form => negotiate::check_form(&head.headers)?,
        Takes::Nothing => {}
    }
    let access = caller.access(&head.headers, &request)?;
    let (conditions, prefer) = (Conditions::of(&head.headers)?, Prefer::of(&head.headers));
    // The room that the body takes is given back when the answer is there.
    let (body, _room) = body::receive(app, interaction.takes, &head.headers, body).await?.into_parts();
    let mut pretty = controls.pretty;
    if interaction.takes == Takes::Form {
        // What shapes the answer may stand in the form as well as in the query.
        let form = Controls::of(&String::from_utf8_lossy(&body))?;
        form.format
            .as_deref()
            .map_or(Ok(()), |format| negotiate::check_accept(&head.headers, Some(format)))?;
        pretty |= form.pretty;
    }
    let ask = Ask { app: app.clone(), access, place, controls, conditions, prefer, body };
    let mut reply = (interaction.run)(ask).await?;
    if pretty {
        reply.body = indented(reply.body);
    }
    Ok(reply)
}

/// JSON for people.
fn indented(bytes: Bytes) -> Bytes {
    match ::fhir::json::parse(&bytes, &::fhir::json::Limits::default()) {
        Ok(value) => Bytes::from(value.to_pretty()),
        Err(_) => bytes,
    }
}
