//! `GET /`: counts by type, the population by age and sex, the last changes, as far as the person may see them.

mod pyramid;

use axum::response::Response;
use fhir::Kind;
use gate::{Change, GateError, Op};
use http::StatusCode;
use ui::overview::{self, ChangeOp, View, page};

use super::PageAsk;
use super::answer::html;
use super::frame::frame_of;
use super::rights::Rights;
use crate::error::ServerError;

/// Rows of the list of changes.
const CHANGES: usize = 12;

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

async fn changes(ask: &PageAsk) -> Result<Vec<overview::Change>, GateError> {
    let changes = ask.app.gate().last_changes(&ask.access, CHANGES).await?;
    Ok(changes.into_iter().map(change_of).collect())
}

fn change_of(change: Change) -> overview::Change {
    overview::Change {
        at: change.at,
        op: match change.op {
            Op::Delete => ChangeOp::Deleted,
            _ if change.version == 1 => ChangeOp::Created,
            Op::Create | Op::Update => ChangeOp::Updated,
        },
        kind: change.kind.name().to_string(),
        id: change.id.to_string(),
        version: change.version,
        who: Some(change.author.on_behalf_of.unwrap_or(change.author.principal)),
        purpose: Some(change.author.purpose),
    }
}
