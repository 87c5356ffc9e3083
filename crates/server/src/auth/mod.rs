//! Signing people in and out: a link that works once opens a session, whose secret lives in a cookie.

pub(crate) mod cookie;
mod form;
mod link;
mod sign_out;

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};

use crate::dashboard;
use crate::error::ServerError;
use crate::route::Asked;
use crate::state::AppState;

pub(crate) use form::{field, receive};

/// Answers what is below `/auth`.
pub(crate) async fn answer(app: &AppState, asked: Asked) -> Response {
    let id = asked.id.clone();
    let (method, path) = (asked.head.method.clone(), asked.head.uri.path().to_string());
    let outcome = match (&method, path.as_str()) {
        (&Method::GET | &Method::HEAD, "/auth/link") => link::confirm(&asked),
        (&Method::POST, "/auth/link") => link::open(app, asked).await,
        (&Method::POST, "/auth/sign-out") => sign_out::sign_out(app, asked).await,
        (_, "/auth/link") => Err(not_allowed(&method, "GET, POST")),
        (_, "/auth/sign-out") => Err(not_allowed(&method, "POST")),
        (_, path) => Err(ServerError::UnknownPath(path.trim_start_matches('/').to_string())),
    };
    outcome.unwrap_or_else(|error| dashboard::refusal(&error, &id, None))
}

fn not_allowed(method: &Method, allowed: &str) -> ServerError {
    ServerError::MethodNotAllowed { method: method.to_string(), allowed: allowed.to_string() }
}

/// On to another page, by `GET`.
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
