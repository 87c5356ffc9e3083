//! What anybody may ask: is it alive, is it ready, what can it do. Nothing here tells of data.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::error::ServerError;
use crate::fhir::controls::Controls;
use crate::fhir::negotiate::{self, FHIR_JSON};
use crate::route::{Asked, only_looks};
use crate::state::AppState;

/// The answer, when the path is a public one.
pub(crate) fn answer(app: &AppState, asked: &Asked) -> Option<Response> {
    let head = &asked.head;
    if !only_looks(&head.method) {
        return None;
    }
    Some(match head.uri.path() {
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" if app.is_stopping() => text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        "/readyz" if app.stream().is_ok_and(|platform| !platform.is_ready()) => {
            text(StatusCode::SERVICE_UNAVAILABLE, "streams stand still\n")
        }
        "/readyz" => text(StatusCode::OK, "ready\n"),
        "/fhir/metadata" => match takes_json(head) {
            Ok(()) => with_type(StatusCode::OK, FHIR_JSON, app.capability()),
            Err(error) => crate::fhir::outcome::response_of(&error, &asked.id),
        },
        "/.well-known/smart-configuration" | "/fhir/.well-known/smart-configuration" => smart(),
        _ => return None,
    })
}

fn takes_json(head: &http::request::Parts) -> Result<(), ServerError> {
    let controls = Controls::of(head.uri.query().unwrap_or(""))?;
    negotiate::check_accept(&head.headers, controls.format.as_deref())
}

/// What of SMART App Launch there is: scopes on tokens that an administrator creates.
fn smart() -> Response {
    let document = json!({
        "capabilities": ["permission-v2", "permission-user", "permission-patient"],
        "scopes_supported": ["patient/*.rs", "user/*.cruds", "system/*.cruds"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": [],
    });
    with_type(StatusCode::OK, "application/json", Bytes::from(document.to_string()))
}

fn text(status: StatusCode, text: &'static str) -> Response {
    with_type(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

/// An answer of one media type.
pub(crate) fn with_type(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
