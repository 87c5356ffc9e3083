//! Errors as OperationOutcome, the answer of `/fhir` when something is wrong.

use fhir::Issue;
use http::{HeaderValue, StatusCode, header};
use stream::StreamError;

use axum::response::Response;

use crate::error::ServerError;
use crate::fhir::negotiate::JSON_PATCH;
use crate::fhir::reply::Reply;

/// The answer to an error. What broke inside goes to the log under the request's identifier, not to the caller.
pub(crate) fn reply_of(error: &ServerError, request: &str) -> Reply {
    log(error, request);
    Reply::json(error.status(), fhir::outcome(&error.issues()).to_bytes())
}

/// The same as a response, with the headers that belong to a status.
pub(crate) fn response_of(error: &ServerError, request: &str) -> Response {
    let mut response = reply_of(error, request).into_response("");
    add_headers(error, response.headers_mut());
    response
}

/// `Allow` for 405, `WWW-Authenticate` for 401, `Retry-After` for 429 and 503.
pub(crate) fn add_headers(error: &ServerError, headers: &mut http::HeaderMap) {
    match (error.status(), error) {
        (_, ServerError::MethodNotAllowed { allowed, .. }) => {
            if let Ok(value) = HeaderValue::from_str(allowed) {
                headers.insert(header::ALLOW, value);
            }
        }
        (_, ServerError::MediaType { wanted, .. }) if wanted.starts_with(JSON_PATCH) => {
            let takes = "application/json-patch+json, application/fhir+json";
            headers.insert("Accept-Patch", HeaderValue::from_static(takes));
        }
        (StatusCode::UNAUTHORIZED, _) => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        (_, ServerError::Stream(StreamError::Busy { retry_after_secs })) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_secs));
        }
        (StatusCode::SERVICE_UNAVAILABLE, _) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
}

/// Writes the cause of a failure to the log.
pub(crate) fn log(error: &ServerError, request: &str) {
    if let Some(cause) = error.cause() {
        tracing::error!(request, status = error.status().as_u16(), "{cause}");
    }
}

/// How every OperationOutcome starts that is written here.
pub(crate) const START: &[u8] = b"{\"resourceType\":\"OperationOutcome\"";

/// An OperationOutcome that says all went well.
pub(crate) fn all_well(text: &str) -> Vec<u8> {
    let mut issue = Issue::error(fhir::IssueType::Informational, "done", text);
    issue.severity = fhir::Severity::Information;
    fhir::outcome(&[issue]).to_bytes()
}
