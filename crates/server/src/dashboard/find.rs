//! `POST /find`, the field of the top bar: `Type/id` opens a resource, anything else looks for patients by name.

use axum::response::Response;
use fhir::Reference;
use ui::patients::Filter;

use super::{PageAsk, patients};
use crate::auth::see_other;
use crate::error::ServerError;

pub(crate) async fn find(ask: PageAsk) -> Result<Response, ServerError> {
    let Some(text) = ask.field("q") else { return Ok(see_other(ui::url::PATIENTS)) };
    match Reference::parse(text) {
        Reference::Local { kind, id, .. } => Ok(see_other(&ui::url::resource(kind.name(), id))),
        _ => patients::see(&ask, &Filter { name: text.to_string(), ..Filter::default() }),
    }
}
