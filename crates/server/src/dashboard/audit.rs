//! `GET /audit` and `POST /audit`: records of the ledger, newest first.

use axum::response::Response;
use gate::{AuditEntry, AuditQuery};
use http::StatusCode;
use ui::audit::{Filter, Row, View, page};
use ui::parts::pager::Paging;

use super::answer::html;
use super::filter::{self, Kept};
use super::frame::frame_of;
use super::{PageAsk, query};
use crate::auth::see_other;
use crate::error::ServerError;

pub(crate) async fn filter(ask: PageAsk) -> Result<Response, ServerError> {
    let fields = ["patient", "principal"].into_iter().filter_map(|name| Some((name, ask.field(name)?)));
    let text = query::text_of(fields);
    if text.is_empty() {
        return Ok(see_other(ui::url::AUDIT));
    }
    filter::keep(&ask, &format!("{}?", ui::url::AUDIT), text)
}

pub(crate) async fn list(ask: PageAsk) -> Result<Response, ServerError> {
    let text = match filter::of(&ask) {
        Kept::Found(text) => text,
        Kept::None => String::new(),
        // The whole ledger in place of a filter that was forgotten would be misread: begin again.
        Kept::Forgotten => return Ok(see_other(ui::url::AUDIT)),
    };
    let value = |name: &str| query::value_in(&text, name);
    let before = ask.asked("before").and_then(|text| text.parse::<u64>().ok());
    let max = query::ROWS as usize;
    let asked = AuditQuery {
        patient: value("patient"),
        principal: value("principal"),
        before: Some(before.unwrap_or(u64::MAX)),
        max: max + 1,
        ..AuditQuery::default()
    };
    let mut entries = ask.app.gate().audit(&ask.access, asked).await?;
    let has_more = entries.len() > max;
    entries.truncate(max);
    let address = filter::address(&ask, ui::url::AUDIT);
    let last = entries.last().map(|entry| entry.seq);
    let view = View {
        frame: frame_of(&ask),
        filter: Filter {
            patient: value("patient").unwrap_or_default(),
            principal: value("principal").unwrap_or_default(),
        },
        paging: Paging {
            shown: entries.len() as u64,
            total: None,
            first: before.map(|_| address.trim_end_matches(['?', '&']).to_string()),
            next: last.filter(|_| has_more).map(|seq| format!("{address}before={seq}")),
        },
        rows: entries.into_iter().map(row_of).collect(),
    };
    Ok(html(StatusCode::OK, page(&view)))
}

fn row_of(entry: AuditEntry) -> Row {
    let record = entry.record;
    Row {
        seq: entry.seq,
        at: record.at,
        who: record.principal,
        on_behalf_of: record.on_behalf_of,
        purpose: record.purpose,
        action: record.action.name().to_string(),
        kind: record.kind.map(|kind| kind.name().to_string()),
        detail: record.detail,
        count: record.count,
        outcome: record.outcome.name().to_string(),
    }
}
