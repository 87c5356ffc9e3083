//! `GET /`: counts by type, the population by age and sex, the last changes, as far as the person may see them.

mod pyramid;

use axum::response::Response;
use fhir::Kind;
use gate::{GateError, HistoryOf, HistoryQuery, Op, Stored};
use http::StatusCode;
use ui::overview::{self, ChangeOp, View, page};

use super::PageAsk;
use super::answer::html;
use super::frame::frame_of;
use super::rights::Rights;
use crate::error::ServerError;

/// Rows of the list of changes.
const CHANGES: u32 = 12;

pub(crate) async fn overview(ask: PageAsk) -> Result<Response, ServerError> {
    let view = View {
        frame: frame_of(&ask),
        counts: if ask.access.principal.may_search_something() { Some(counts(&ask).await?) } else { None },
        pyramid: if ask.access.principal.may_search(Kind::PATIENT) {
            Some(pyramid::of(&ask).await?)
        } else {
            None
        },
        changes: if ask.access.principal.sees_everything() { Some(changes(&ask).await?) } else { None },
        fhir_base: ask.app.base().to_string(),
    };
    Ok(html(StatusCode::OK, page(&view)))
}

async fn counts(ask: &PageAsk) -> Result<Vec<(String, u64)>, GateError> {
    let counts = ask.app.gate().counts(&ask.access).await?;
    Ok(counts.into_iter().map(|(kind, n)| (kind.name().to_string(), n)).collect())
}

/// The last versions of everything, newest first.
async fn changes(ask: &PageAsk) -> Result<Vec<overview::Change>, GateError> {
    let query = HistoryQuery { count: CHANGES, ..HistoryQuery::default() };
    let page = ask.app.gate().history(&ask.access, HistoryOf::System, query).await?;
    Ok(page.entries.iter().map(change_of).collect())
}

fn change_of(stored: &Stored) -> overview::Change {
    overview::Change {
        at: stored.updated,
        op: match stored.op {
            Op::Delete => ChangeOp::Deleted,
            _ if stored.version == 1 => ChangeOp::Created,
            Op::Create | Op::Update => ChangeOp::Updated,
        },
        kind: stored.kind.name().to_string(),
        id: stored.id.to_string(),
        version: stored.version,
        who: None,
        purpose: None,
    }
}
