//! The audit ledger, read a page at a time.

use fhir::Instant;
use gate::{AuditEntry, AuditQuery};
use serde_json::{Value, json};

use super::{ApiAsk, ApiReply};
use crate::error::ServerError;
use crate::fhir::controls::parameter;

const PAGE_DEFAULT: u64 = 100;

/// `GET /api/v1/audit`.
pub(super) async fn audit(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let since = match ask.param("since") {
        None => None,
        Some(text) => {
            let why = "use an instant such as `2026-01-02T03:04:05Z`";
            Some(Instant::parse(text).ok_or_else(|| parameter("since", why))?)
        }
    };
    let query = AuditQuery {
        patient: ask.param("patient").map(str::to_string),
        principal: ask.param("principal").map(str::to_string),
        request: ask.param("request").map(str::to_string),
        since,
        after: ask.number("after", 0)?,
        before: None,
        max: usize::try_from(ask.number("max", PAGE_DEFAULT)?).unwrap_or(usize::MAX),
    };
    let entries = ask.app.gate().audit(&ask.access, query).await?;
    let next = entries.last().map(|entry| entry.seq);
    Ok(ApiReply::ok(json!({"records": entries.iter().map(describe).collect::<Vec<_>>(), "next": next})))
}

fn describe(entry: &AuditEntry) -> Value {
    let record = &entry.record;
    json!({
        "seq": entry.seq,
        "at": record.at.to_rfc3339_millis(),
        "principal": record.principal,
        "on_behalf_of": record.on_behalf_of,
        "purpose": record.purpose,
        "action": record.action.name(),
        "type": record.kind.map(fhir::Kind::name),
        "ids": record.ids.split_whitespace().collect::<Vec<_>>(),
        "detail": record.detail,
        "count": record.count,
        "outcome": record.outcome.name(),
        "request": record.request,
        "patients": record.patients,
    })
}
