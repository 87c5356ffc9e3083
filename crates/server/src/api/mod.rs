//! Administration below `/api/v1`, and `/metrics`: JSON in, JSON out, errors as RFC 9457 problems.

mod alerts;
mod audit;
mod changes;
mod counts;
mod events;
mod live;
mod maintain;
mod openapi;
mod pipelines;
pub(crate) mod problem;
mod replay;
mod routes;
mod rules;
mod runs;
mod streams;
mod tokens;

use std::future::Future;
use std::pin::Pin;

use axum::response::Response;
use bytes::Bytes;
use gate::Access;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::caller::Caller;
use crate::error::ServerError;
use crate::fhir::controls::{self, unknown};
use crate::fhir::interactions::Takes;
use crate::fhir::{body, negotiate};
use crate::live::Origin;
use crate::public::with_type;
use crate::route::Asked;
use crate::state::AppState;
use routes::{Route, find};

const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";
const JSON: &str = "application/json";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything a handler may look at.
pub(crate) struct ApiAsk {
    app: AppState,
    access: Access,
    /// The part of the path that the table leaves open.
    id: String,
    /// Names and values, decoded; only those that the table knows.
    query: Vec<(String, String)>,
    /// The body, when the table says that there is one.
    body: Bytes,
    /// Who asks, for what goes on and on.
    origin: Origin,
}

/// What a handler gives back.
pub(crate) type ApiAnswer = Pin<Box<dyn Future<Output = Result<ApiReply, ServerError>> + Send>>;

/// A document and its status.
pub(crate) struct ApiReply {
    status: StatusCode,
    document: Document,
}

enum Document {
    Json(Value),
    Metrics(String),
    Html(String),
    /// An answer that goes on.
    Live(Response),
}

impl ApiReply {
    fn ok(document: Value) -> ApiReply {
        ApiReply { status: StatusCode::OK, document: Document::Json(document) }
    }
}

impl ApiAsk {
    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, ServerError> {
        match self.param(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| controls::parameter(name, "use a whole number from 0")),
        }
    }
}

/// Answers what is below `/api/v1`.
pub(crate) async fn answer(app: &AppState, asked: Asked) -> Response {
    let id = asked.id.clone();
    match run(app, asked).await {
        Ok(reply) => match reply.document {
            Document::Json(value) => with_type(reply.status, JSON, value.to_string()),
            Document::Metrics(text) => with_type(reply.status, PROMETHEUS, text),
            Document::Html(text) => page(reply.status, text),
            Document::Live(response) => response,
        },
        Err(error) => problem::response_of(&error, &id),
    }
}

/// A document of its own: it may style itself, and nothing else.
fn page(status: StatusCode, text: String) -> Response {
    let mut response = with_type(status, "text/html; charset=utf-8", text);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(REPORT_POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn run(app: &AppState, asked: Asked) -> Result<ApiReply, ServerError> {
    let Asked { peer, id: request, head, body } = asked;
    let caller = Caller::of(app, &peer, &head.headers, &request).await?;
    caller.check_csrf(&head.method, &head.headers, None)?;
    let (route, id) = find(&head.method, head.uri.path())?;
    let query = known(route, head.uri.query().unwrap_or(""))?;
    let takes = if route.takes_events { Takes::Resource } else { Takes::Form };
    let body = match (route.takes_body, route.takes_events) {
        (false, _) => Bytes::new(),
        (true, is_events) => {
            negotiate::check_content(&head.headers, is_events)?;
            body::receive(app, takes, &head.headers, body).await?.bytes
        }
    };
    let access = caller.access(&head.headers, &request)?;
    let origin = Origin { peer, headers: head.headers, request };
    (route.run)(ApiAsk { app: app.clone(), access, id, query, body, origin }).await
}

/// The parameters, when the route knows all of them.
fn known(route: &Route, query: &str) -> Result<Vec<(String, String)>, ServerError> {
    let query: Vec<(String, String)> = controls::pairs(query).collect();
    match query.iter().find(|(name, _)| !route.params.iter().any(|param| param.name == name)) {
        None => Ok(query),
        Some((name, _)) => Err(unknown(name)),
    }
}
