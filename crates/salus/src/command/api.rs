//! Asks the `/api/v1` of a server, for commands whose folder a server holds.

use bytes::Bytes;
use egress::{FhirClient, Method};
use serde_json::Value;

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
