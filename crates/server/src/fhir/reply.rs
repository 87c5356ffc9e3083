//! The answer of an interaction, before it is HTTP: a bundle entry needs the same things as a response.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use fhir::Instant;
use http::{HeaderValue, StatusCode, header};

use crate::fhir::negotiate::FHIR_JSON;
use crate::http_date;

/// What an interaction answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// The version the answer is about.
    pub(crate) version: Option<u64>,
    /// When that version was written.
    pub(crate) updated: Option<Instant>,
    /// `Patient/42/_history/1`, below the base.
    pub(crate) location: Option<String>,
    /// JSON, or empty.
    pub(crate) body: Bytes,
}

impl Reply {
    /// A body and nothing else.
    pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Reply {
        Reply { status, version: None, updated: None, location: None, body: body.into() }
    }

    /// As a response; `base` goes before the location.
    pub(crate) fn into_response(self, base: &str) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !self.body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
        }
        if let Some(value) = self.version.and_then(|v| HeaderValue::from_str(&format!("W/\"{v}\"")).ok()) {
            headers.insert(header::ETAG, value);
        }
        if let Some(value) = self.updated.and_then(|at| HeaderValue::from_str(&http_date::write(at)).ok()) {
            headers.insert(header::LAST_MODIFIED, value);
        }
        if let Some(value) = self.location.and_then(|l| HeaderValue::from_str(&format!("{base}/{l}")).ok()) {
            headers.insert(header::LOCATION, value);
        }
        response
    }
}
