//! `POST /auth/sign-out`: ends the session and forgets the cookie.

use axum::response::Response;
use http::header;

use super::{cookie, field, receive, see_other};
use crate::caller::Caller;
use crate::error::ServerError;
use crate::route::Asked;
use crate::state::AppState;

pub(super) async fn sign_out(app: &AppState, mut asked: Asked) -> Result<Response, ServerError> {
    let caller = Caller::of(app, &asked.peer, &asked.head.headers, &asked.id).await?;
    let form = receive(app, &mut asked).await?;
    caller.check_csrf(&asked.head.method, &asked.head.headers, field(&form, "csrf"))?;
    if let Some(session) = &caller.session {
        let access = caller.access(&asked.head.headers, &asked.id)?;
        app.gate().sign_out(&access, &session.cookie).await?;
    }
    let mut response = see_other("/");
    if let Some(value) = cookie::clear(app.config().is_https()) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}
