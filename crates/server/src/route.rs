//! The first turn: by the start of the path to FHIR, administration, sign-in, pages, or one of the public answers.

use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, Request, header};
use hyper::body::Incoming;

use crate::error::ServerError;
use crate::peer::Peer;
use crate::request_id;
use crate::state::AppState;
use crate::{api, auth, cds, dashboard, fhir, public};

/// W3C trace context: given back, and written beside what went wrong.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// One request as handlers get it.
pub(crate) struct Asked {
    /// The other end.
    pub(crate) peer: Peer,
    /// Identifier.
    pub(crate) id: String,
    /// Method, path, query, headers.
    pub(crate) head: http::request::Parts,
    /// Not read yet.
    pub(crate) body: Body,
}

/// An answer, and its row in the table of interactions, for the counters.
pub(crate) struct Answered {
    /// The answer.
    pub(crate) response: Response,
    /// The row.
    pub(crate) row: Option<usize>,
}

impl From<Response> for Answered {
    fn from(response: Response) -> Answered {
        Answered { response, row: None }
    }
}

/// Answers one request, whatever it is.
pub(crate) async fn answer(app: AppState, peer: Peer, request: Request<Incoming>) -> Response {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let id = request_id::of(&head.headers);
    let trace = head.headers.get(TRACEPARENT).filter(|value| is_traceparent(value)).cloned();
    let url_bytes_max = app.config().limits.url_bytes_max;
    let url_bytes = head.uri.path_and_query().map_or(0, |text| text.as_str().len());
    let asked = Asked { peer, id: id.clone(), head, body: Body::new(body) };
    let Answered { mut response, row } = if url_bytes > url_bytes_max {
        let error = ServerError::UrlTooLong { bytes_max: url_bytes_max };
        fhir::outcome::response_of(&error, &id).into()
    } else {
        dispatch(&app, asked).await
    };
    let status = response.status().as_u16();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(request_id::HEADER, value);
    }
    if let Some(trace) = trace {
        headers.insert(TRACEPARENT, trace);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let took = started.elapsed();
    app.metrics().answered(row, status, took);
    // No path and no query: both can name people.
    tracing::debug!(request = id, status, micros = took.as_micros(), "answered");
    response
}

async fn dispatch(app: &AppState, asked: Asked) -> Answered {
    let path = asked.head.uri.path();
    if let Some(answer) = public::answer(app, &asked) {
        return answer.into();
    }
    if below(path, "/fhir") {
        return fhir::answer(app, asked).await;
    }
    if below(path, "/api/v1") || path == "/metrics" {
        return api::answer(app, asked).await.into();
    }
    if below(path, "/cds-services") {
        return cds::answer(app, asked).await.into();
    }
    if below(path, "/auth") {
        return auth::answer(app, asked).await.into();
    }
    dashboard::answer(app, asked).await.into()
}

/// Is `path` this folder or in it.
fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `00-<32 hex>-<16 hex>-<2 hex>`.
fn is_traceparent(value: &HeaderValue) -> bool {
    let lengths = [2, 32, 16, 2];
    let Ok(text) = value.to_str() else { return false };
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    parts.len() == 4 && parts.iter().zip(lengths).all(|(part, length)| part.len() == length && hex(part))
}

/// Is the method one that only looks.
pub(crate) fn only_looks(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_end_at_a_slash() {
        assert!(below("/fhir", "/fhir") && below("/fhir/Patient", "/fhir"));
        assert!(!below("/fhirs", "/fhir") && !below("/", "/fhir"));
    }

    #[test]
    fn only_trace_contexts_are_given_back() {
        let good = HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        assert!(is_traceparent(&good));
        for bad in ["", "00-1-2-01", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"] {
            assert!(!is_traceparent(&HeaderValue::from_static(bad)), "{bad}");
        }
    }
}
