//! CDS Hooks 2.0: `GET /cds-services`, `POST /cds-services/{id}` and its feedback. JSON in, JSON out, errors as problems.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use fhir::json::Limits;
use fhir::{Issue, IssueType};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use stream::decision::{Card, DecisionError, discovery};

use crate::api::problem;
use crate::caller::Caller;
use crate::error::ServerError;
use crate::fhir::controls::decode;
use crate::fhir::interactions::Takes;
use crate::fhir::{body, negotiate};
use crate::public::with_type;
use crate::route::{Asked, only_looks};
use crate::state::AppState;

const JSON: &str = "application/json";
const HERE: &str = "/cds-services";

/// Answers what is below `/cds-services`.
pub(crate) async fn answer(app: &AppState, asked: Asked) -> Response {
    let id = asked.id.clone();
    match run(app, asked).await {
        Ok(response) => response,
        Err(error) => problem::response_of(&error, &id),
    }
}

/// What the path names.
enum Place {
    Discovery,
    Service(String),
    Feedback(String),
}

fn place_of(path: &str) -> Option<Place> {
    let parts: Vec<&str> = path.strip_prefix(HERE)?.split('/').skip(1).collect();
    match parts.as_slice() {
        [] => Some(Place::Discovery),
        [id] if !id.is_empty() => Some(Place::Service(decode(id))),
        [id, "feedback"] if !id.is_empty() => Some(Place::Feedback(decode(id))),
        _ => None,
    }
}

async fn run(app: &AppState, asked: Asked) -> Result<Response, ServerError> {
    let Asked { peer, id: request, head, body } = asked;
    let path = head.uri.path();
    let place =
        place_of(path).ok_or_else(|| ServerError::UnknownPath(path.trim_start_matches('/').to_string()))?;
    let allowed = if matches!(place, Place::Discovery) { "GET" } else { "POST" };
    let is_allowed = if allowed == "GET" { only_looks(&head.method) } else { head.method == Method::POST };
    if !is_allowed {
        let (method, allowed) = (head.method.to_string(), allowed.to_string());
        return Err(ServerError::MethodNotAllowed { method, allowed });
    }
    let caller = Caller::of(app, &peer, &head.headers, &request).await?;
    caller.check_csrf(&head.method, &head.headers, None)?;
    let platform = app.stream()?;
    let access = caller.access(&head.headers, &request)?;
    let parse = async |body: Body| -> Result<fhir::Value, ServerError> {
        negotiate::check_content(&head.headers, false)?;
        let received = body::receive(app, Takes::Bundle, &head.headers, body).await?;
        fhir::json::parse(&received.bytes, &Limits::default()).map_err(|error| {
            ServerError::Body(vec![Issue::error(IssueType::Structure, "json", error.to_string())])
        })
    };
    match place {
        Place::Discovery => Ok(document(StatusCode::OK, &discovery())),
        Place::Service(id) => {
            let body = parse(body).await?;
            let config = app.config();
            let url = config.is_public_url_known.then_some(config.public_url.as_str());
            let cards = platform.decide(&access, &id, &body, url).await?;
            Ok(document(StatusCode::OK, &cards_of(&cards)))
        }
        Place::Feedback(id) => {
            let body = parse(body).await?;
            platform.feedback(&access, &id, &body).await?;
            Ok(with_type(StatusCode::OK, JSON, Bytes::new()))
        }
    }
}

fn cards_of(cards: &[Card]) -> Value {
    json!({"cards": cards.iter().map(|card| &card.document).collect::<Vec<&Value>>()})
}

/// Cards are patient data: nobody keeps them on the way.
fn document(status: StatusCode, value: &Value) -> Response {
    let mut response = with_type(status, JSON, value.to_string());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl From<DecisionError> for ServerError {
    fn from(error: DecisionError) -> ServerError {
        match error {
            DecisionError::Gate(error) => ServerError::Gate(error),
            DecisionError::Stream(error) => error.into(),
            error => ServerError::Decision(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_services() {
        let check = |path: &str, expected: &str| {
            let found = match place_of(path) {
                None => "nothing".to_owned(),
                Some(Place::Discovery) => "discovery".to_owned(),
                Some(Place::Service(id)) => format!("service {id}"),
                Some(Place::Feedback(id)) => format!("feedback {id}"),
            };
            assert_eq!(found, expected, "{path}");
        };
        check("/cds-services", "discovery");
        check("/cds-services/a%20b", "service a b");
        check("/cds-services/a/feedback", "feedback a");
        check("/cds-services/", "nothing");
        check("/cds-services/a/b", "nothing");
        check("/cds-services/a/feedback/x", "nothing");
    }
}
