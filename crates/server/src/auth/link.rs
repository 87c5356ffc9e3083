//! `GET /auth/link?token=…` asks, `POST /auth/link` signs in: uses up the link, opens a session, and leads to the overview.
//!
//! Opening the link only asks, because it works once and mail scanners, previews and prefetching open links too.

use axum::response::Response;
use gate::{AuthProblem, GateError};
use http::{HeaderMap, StatusCode, header};
use ui::sign_in;

use super::{cookie, field, receive, see_other};
use crate::dashboard;
use crate::error::ServerError;
use crate::fhir::controls;
use crate::route::Asked;
use crate::state::AppState;

pub(super) fn confirm(asked: &Asked) -> Result<Response, ServerError> {
    let query = asked.head.uri.query().unwrap_or("");
    let link = controls::pairs(query).find(|(name, _)| name == "token").map(|(_, value)| value);
    let link = link.ok_or_else(|| controls::parameter("token", "open the link as it was printed"))?;
    Ok(dashboard::html(StatusCode::OK, sign_in::page(&sign_in::View { link: Some(link), why: None })))
}

pub(super) async fn open(app: &AppState, mut asked: Asked) -> Result<Response, ServerError> {
    if is_from_another_site(&asked.head.headers) {
        return Err(GateError::from(AuthProblem::Csrf).into());
    }
    let form = receive(app, &mut asked).await?;
    let link = field(&form, "token").ok_or(GateError::from(AuthProblem::Link))?.to_string();
    // The body is let go: it could not be shared across the wait.
    let Asked { id, .. } = asked;
    let session = app.gate().sign_in(&link, &id).await?;
    let mut response = see_other(ui::url::OVERVIEW);
    if let Some(value) = cookie::set(&session.cookie, app.config().is_https()) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// Browsers say so. Nobody has a session yet whose token could be asked for.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}
