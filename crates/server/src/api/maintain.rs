//! Looking after the store: check it, build its index anew. For `salus store check` and `salus rebuild` while a server runs.

use serde_json::json;

use super::{ApiAsk, ApiReply};
use crate::error::ServerError;

/// `POST /api/v1/check`.
pub(super) async fn check(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let report = ask.app.gate().check(&ask.access).await?;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    Ok(ApiReply::ok(json!({"ok": problems.is_empty(), "resources": report.resources, "problems": problems})))
}

/// `POST /api/v1/rebuild/index`.
pub(super) async fn rebuild(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let resources = ask.app.gate().rebuild_index(&ask.access).await?;
    Ok(ApiReply::ok(json!({"resources": resources})))
}
