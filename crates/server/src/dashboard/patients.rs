//! `GET /patients` and `POST /patients`: the list of patients and its filter, which addresses name by a handle.

use axum::response::Response;
use fhir::Kind;
use gate::GateError;
use http::StatusCode;
use search::Query;
use ui::parts::chip::Tone;
use ui::parts::empty::Notice;
use ui::parts::pager::Paging;
use ui::patients::{Filter, Row, View, page};

use super::answer::html;
use super::filter::{self, Kept};
use super::frame::frame_of;
use super::refusal::sentence;
use super::{PageAsk, query};
use crate::auth::see_other;
use crate::error::ServerError;
use crate::fhir::controls::encode;

pub(crate) async fn filter(ask: PageAsk) -> Result<Response, ServerError> {
    let field = |name: &str| ask.field(name).unwrap_or_default().to_string();
    see(&ask, &Filter { name: field("name"), born: field("born"), sex: field("sex") })
}

/// Keeps a filter and leads to its list.
pub(super) fn see(ask: &PageAsk, filter: &Filter) -> Result<Response, ServerError> {
    let params = [("name", &filter.name), ("birthdate", &filter.born), ("gender", &filter.sex)];
    let filled = params.into_iter().filter(|(_, value)| !value.is_empty());
    let text = query::text_of(filled.map(|(name, value)| (name, value.as_str())));
    if text.is_empty() {
        return Ok(see_other(ui::url::PATIENTS));
    }
    filter::keep(ask, &format!("{}?", ui::url::PATIENTS), text)
}

pub(crate) async fn list(ask: PageAsk) -> Result<Response, ServerError> {
    let (text, problem) = match filter::of(&ask) {
        Kept::None => (String::new(), None),
        Kept::Found(text) => (text, None),
        Kept::Forgotten => (String::new(), Some(forgotten())),
    };
    let value = |param: &str| query::value_in(&text, param).unwrap_or_default();
    let mut view = View {
        frame: frame_of(&ask),
        filter: Filter { name: value("name"), born: value("birthdate"), sex: value("gender") },
        problem,
        rows: Vec::new(),
        paging: Paging::default(),
    };
    let query = match query_of(&ask, &text) {
        Ok(query) => query,
        Err(error) => {
            view.problem = Some(not_understood(&error));
            return Ok(html(error.status(), page(&view)));
        }
    };
    let found = ask.app.gate().search(&ask.access, &query, query::ROWS).await?;
    for stored in &found.matches {
        let resource = stored.body.resource().map_err(GateError::Store)?;
        let person = ui::facts::person_of(resource.value());
        view.rows.push(Row { id: stored.id.to_string(), person, updated: stored.updated });
    }
    let address = filter::address(&ask, ui::url::PATIENTS);
    view.paging = Paging {
        shown: view.rows.len() as u64,
        total: found.total,
        first: ask.asked("cursor").map(|_| address.trim_end_matches(['?', '&']).to_string()),
        next: found.next.map(|next| format!("{address}cursor={}", encode(&next))),
    };
    Ok(html(StatusCode::OK, page(&view)))
}

fn query_of(ask: &PageAsk, filter: &str) -> Result<Query, ServerError> {
    let cursor = ask.asked("cursor").map(|cursor| format!("_cursor={}", encode(cursor)));
    let parts = [Some("_sort=family&_total=accurate".to_string()), Some(filter.to_string()), cursor];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    query::parse(ask, Kind::PATIENT, &parts.join("&"))
}

fn forgotten() -> Notice {
    Notice {
        tone: Tone::Medium,
        title: "This filter is no longer kept".into(),
        text: "Filters of people are kept by the server while it runs, not in addresses. All patients are listed.".into(),
    }
}

fn not_understood(error: &ServerError) -> Notice {
    let text: Vec<String> = error.issues().iter().map(|issue| sentence(&issue.diagnostics)).collect();
    Notice { tone: Tone::Critical, title: "The filter was not understood".into(), text: text.join(" ") }
}
