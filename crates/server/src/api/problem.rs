//! Errors as RFC 9457 problems, with the same slug that an OperationOutcome would have.

use axum::response::Response;
use serde_json::json;

use crate::error::ServerError;
use crate::fhir::outcome;
use crate::public::with_type;

pub(crate) fn response_of(error: &ServerError, request: &str) -> Response {
    outcome::log(error, request);
    let issues = error.issues();
    let status = error.status();
    let first = issues.first();
    let slug = first.map_or("request", |issue| issue.slug);
    let places: Vec<_> = issues
        .iter()
        .map(|issue| json!({"slug": issue.slug, "detail": issue.diagnostics, "at": issue.expression}))
        .collect();
    let document = json!({
        "type": format!("urn:salus:issue:{slug}"),
        "title": status.canonical_reason().unwrap_or("error"),
        "status": status.as_u16(),
        "detail": first.map_or("", |issue| issue.diagnostics.as_str()),
        "slug": slug,
        "request": request,
        "errors": places,
    });
    let mut response = with_type(status, "application/problem+json", document.to_string());
    outcome::add_headers(error, response.headers_mut());
    response
}
