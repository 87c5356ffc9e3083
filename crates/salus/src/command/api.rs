//! Asks the `/api/v1` of a server, for commands whose folder a server holds, and says what a server refused.

use bytes::Bytes;
use egress::{EgressError, FhirClient, Method};
use serde_json::Value;

use crate::exit::usage;
use crate::sink::remote::issues_of;

/// A refusal in the server's own words, to the person who asked; 400 and 404 are about what was asked for.
pub(crate) fn refused(error: EgressError) -> anyhow::Error {
    let EgressError::Status { host, status, body, .. } = &error else { return error.into() };
    let outcome = fhir::json::parse(body, &fhir::json::Limits::default()).ok();
    let words = outcome.as_ref().map(issues_of).filter(|words| !words.is_empty());
    match words {
        None => error.into(),
        Some(words) if matches!(status, 400 | 404) => usage(format!("`{host}` answered {status}: {words}")),
        Some(words) => anyhow::anyhow!("`{host}` answered {status}: {words}"),
    }
}

/// Sends a request with a JSON body and gives back the JSON answer; a refusal becomes an error with the server's own words.
pub(crate) async fn ask(
    client: &FhirClient,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let body = body.map(|body| Bytes::from(body.to_string()));
    let response = client.request(method, path, body).await?;
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.status.is_success() {
        return Ok(answer);
    }
    let detail = answer["detail"].as_str().or_else(|| answer["title"].as_str()).unwrap_or_default();
    anyhow::bail!("the server answered {}: {detail}", response.status)
}
