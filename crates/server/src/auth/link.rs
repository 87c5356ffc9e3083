//! `GET /auth/link?token=…`: uses up a sign-in link, opens a session, and leads to the overview.

use axum::response::Response;
use http::header;

use super::{cookie, see_other};
use crate::error::ServerError;
use crate::fhir::controls;
use crate::route::Asked;
use crate::state::AppState;

pub(super) async fn open(app: &AppState, asked: Asked) -> Result<Response, ServerError> {
    // The body is let go: it could not be shared across the wait.
    let Asked { id, head, .. } = asked;
    let query = head.uri.query().unwrap_or("");
    let token = controls::pairs(query).find(|(name, _)| name == "token").map(|(_, value)| value);
    let token = token.ok_or_else(|| controls::parameter("token", "open the link as it was printed"))?;
    let session = app.gate().sign_in(&token, &id).await?;
    let mut response = see_other("/");
    if let Some(value) = cookie::set(&session.cookie, app.config().is_https()) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}
