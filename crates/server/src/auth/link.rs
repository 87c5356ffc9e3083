//! `GET /auth/link?token=…`, or a `POST` of a form with `token`: uses up a sign-in link, opens a session, and leads to the overview.

use axum::response::Response;
use http::{Method, header};

use super::{cookie, field, receive, see_other};
use crate::error::ServerError;
use crate::fhir::controls;
use crate::route::Asked;
use crate::state::AppState;

pub(super) async fn open(app: &AppState, mut asked: Asked) -> Result<Response, ServerError> {
    let sent: Vec<(String, String)> = if asked.head.method == Method::POST {
        receive(app, &mut asked).await?
    } else {
        controls::pairs(asked.head.uri.query().unwrap_or("")).collect()
    };
    let token = field(&sent, "token");
    let token = token.ok_or_else(|| controls::parameter("token", "open the link as it was printed"))?;
    let session = app.gate().sign_in(token, &asked.id).await?;
    let mut response = see_other("/");
    if let Some(value) = cookie::set(&session.cookie, app.config().is_https()) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}
