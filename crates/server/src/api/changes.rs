//! The change log: what was written, by whom, why; no content.

use gate::{Change, Op};
use serde_json::{Value, json};

use super::{ApiAsk, ApiReply};
use crate::error::ServerError;

const PAGE_DEFAULT: u64 = 100;

/// `GET /api/v1/changes`.
pub(super) async fn changes(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let after = ask.number("after", 0)?;
    let max = usize::try_from(ask.number("max", PAGE_DEFAULT)?).unwrap_or(usize::MAX);
    let changes = ask.app.gate().changes(&ask.access, after, max).await?;
    let next = changes.last().map(|change| change.seq);
    Ok(ApiReply::ok(json!({"changes": changes.iter().map(describe).collect::<Vec<_>>(), "next": next})))
}

fn describe(change: &Change) -> Value {
    let op = match change.op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Delete => "delete",
    };
    json!({
        "seq": change.seq,
        "at": change.at.to_rfc3339_millis(),
        "type": change.kind.name(),
        "id": change.id.as_str(),
        "version": change.version,
        "op": op,
        "principal": change.author.principal,
        "on_behalf_of": change.author.on_behalf_of,
        "purpose": change.author.purpose,
        "request": change.author.request,
        "decision": change.author.decision,
    })
}
