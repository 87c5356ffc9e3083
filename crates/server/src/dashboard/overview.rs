//! `GET /`: how many resources there are of each type, and what changed last, as far as the person may see it.

use axum::response::Response;
use gate::{Reach, Right};
use http::StatusCode;
use ui::overview::{View, page};

use super::PageAsk;
use super::answer::html;
use super::frame::frame_of;
use crate::error::ServerError;

pub(crate) async fn overview(ask: PageAsk) -> Result<Response, ServerError> {
    let counts = ask.app.gate().counts(&ask.access).await?;
    let scopes = &ask.access.principal.scopes;
    let sees_data = scopes.reach_of_all(Right::Search) != Reach::Nothing || scopes.kinds().next().is_some();
    let view = View {
        frame: frame_of(&ask),
        counts: sees_data.then(|| counts.into_iter().map(|(kind, n)| (kind.name().to_string(), n)).collect()),
        pyramid: None,
        changes: None,
        fhir_base: ask.app.base().to_string(),
    };
    Ok(html(StatusCode::OK, page(&view)))
}
