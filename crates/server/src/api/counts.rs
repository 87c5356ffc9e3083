//! Numbers: resources per type, and the counters of the server.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{ApiAsk, ApiReply, Document};
use crate::error::ServerError;

/// `GET /api/v1/counts`.
pub(super) async fn counts(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let counts = ask.app.gate().counts(&ask.access).await?;
    let total: u64 = counts.iter().map(|(_, n)| n).sum();
    let counts: Map<String, Value> =
        counts.into_iter().map(|(kind, n)| (kind.name().to_string(), json!(n))).collect();
    Ok(ApiReply::ok(json!({"counts": counts, "total": total})))
}

/// `GET /metrics`.
pub(super) async fn metrics(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    ask.app.gate().permit_metrics(&ask.access).await?;
    let mut text = ask.app.metrics().render();
    if let Ok(pipelines) = ask.app.pipelines() {
        text.push_str(&pipelines.metrics());
    }
    if let Ok(platform) = ask.app.stream() {
        text.push_str(&platform.metrics());
    }
    Ok(ApiReply { status: StatusCode::OK, document: Document::Metrics(text) })
}
