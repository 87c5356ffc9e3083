//! `GET /search` and `POST /search`: any type by any parameter.

use std::time::Instant;

use axum::response::Response;
use fhir::Kind;
use gate::{GateError, SearchPage, Stored};
use http::StatusCode;
use search::ParamId;
use ui::facts::summary_of;
use ui::parts::pager::Paging;
use ui::search::{Param, Problem, Results, Row, View, page};

use super::answer::html;
use super::filter::{self, Kept};
use super::frame::frame_of;
use super::refusal::sentence;
use super::rights::Rights;
use super::{PageAsk, query};
use crate::auth::see_other;
use crate::error::ServerError;
use crate::fhir::controls::{encode, pairs};

pub(crate) async fn ask(ask: PageAsk) -> Result<Response, ServerError> {
    let Some(kind) = ask.field("type").and_then(Kind::parse) else { return Ok(see_other(ui::url::SEARCH)) };
    let filled = ask.fields("name").zip(ask.fields("value")).filter(|(name, _)| !name.is_empty());
    let text = query::text_of(filled);
    let base = ui::url::search_of(kind.name());
    if query::is_shareable(&text) {
        return Ok(see_other(&format!("{base}&q={}", encode(&text))));
    }
    filter::keep(&ask, &format!("{base}&"), text)
}

/// What an address asks for.
struct Asked {
    kind: Kind,
    /// The query; `None` when only a type was chosen, or the filter is no longer kept.
    text: Option<String>,
    is_forgotten: bool,
    /// The address without a cursor.
    address: String,
}

impl Asked {
    fn of(ask: &PageAsk) -> Option<Asked> {
        let kind = Kind::parse(ask.asked("type")?)?;
        let base = ui::url::search_of(kind.name());
        let handle = ask.asked("h").map(encode).unwrap_or_default();
        let kept = format!("{base}&h={handle}");
        Some(match filter::of(ask) {
            Kept::Found(text) => Asked { kind, text: Some(text), is_forgotten: false, address: kept },
            Kept::Forgotten => Asked { kind, text: None, is_forgotten: true, address: kept },
            Kept::None => {
                let text = ask.query.iter().find(|(name, _)| name == "q").map(|(_, text)| text.clone());
                let address =
                    text.as_ref().map_or_else(|| base.clone(), |text| format!("{base}&q={}", encode(text)));
                Asked { kind, text, is_forgotten: false, address }
            }
        })
    }
}

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let mut view = View {
        frame: frame_of(&ask),
        kind: None,
        kinds: kinds(&ask).await?,
        params: Vec::new(),
        pairs: Vec::new(),
        problems: Vec::new(),
        results: None,
        request: None,
    };
    let Some(asked) = Asked::of(&ask) else { return Ok(html(StatusCode::OK, page(&view))) };
    view.kind = Some(asked.kind.name().to_string());
    view.params = params_of(asked.kind);
    if asked.is_forgotten {
        view.problems.push(forgotten());
    }
    let Some(text) = &asked.text else { return Ok(html(StatusCode::OK, page(&view))) };
    view.pairs = pairs(text).collect();
    view.request = Some(request_line(asked.kind, text));
    let started = Instant::now();
    let status = match run(&ask, &asked, text).await {
        Ok(found) => {
            view.results = Some(results_of(&ask, found, &asked, started)?);
            StatusCode::OK
        }
        Err(error) if error.status() == StatusCode::BAD_REQUEST => {
            view.problems = problems_of(&error);
            StatusCode::BAD_REQUEST
        }
        Err(error) => return Err(error),
    };
    Ok(html(status, page(&view)))
}

fn forgotten() -> Problem {
    Problem {
        what: "This search is no longer kept.".into(),
        todo: "What can identify people is kept by the server while it runs, not in addresses: search again."
            .into(),
    }
}

async fn run(ask: &PageAsk, asked: &Asked, text: &str) -> Result<SearchPage, ServerError> {
    let mut text = text.to_string();
    if !pairs(&text).any(|(name, _)| name == "_total") {
        text.push_str("&_total=accurate");
    }
    if let Some(cursor) = ask.asked("cursor") {
        text = format!("{text}&_cursor={}", encode(cursor));
    }
    let query = query::parse(ask, asked.kind, text.trim_start_matches('&'))?;
    let count = query.count.unwrap_or(query::ROWS).min(ask.app.config().limits.page_count_max);
    Ok(ask.app.gate().search(&ask.access, &query, count).await?)
}

fn results_of(
    ask: &PageAsk,
    found: SearchPage,
    asked: &Asked,
    started: Instant,
) -> Result<Results, ServerError> {
    let took_millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut rows = Vec::with_capacity(found.matches.len() + found.included.len());
    for (stored, is_included) in
        found.matches.iter().map(|s| (s, false)).chain(found.included.iter().map(|s| (s, true)))
    {
        rows.push(row_of(stored, is_included)?);
    }
    let paging = Paging {
        shown: found.matches.len() as u64,
        total: found.total,
        first: ask.asked("cursor").map(|_| asked.address.clone()),
        next: found.next.map(|next| format!("{}&cursor={}", asked.address, encode(&next))),
    };
    Ok(Results { rows, paging, took_millis })
}

fn row_of(stored: &Stored, is_included: bool) -> Result<Row, ServerError> {
    let resource = stored.body.resource().map_err(GateError::Store)?;
    Ok(Row {
        kind: stored.kind.name().to_string(),
        id: stored.id.to_string(),
        summary: summary_of(&resource),
        updated: stored.updated,
        is_included,
    })
}

/// Types the person may search: those with data first by number, then the others by name.
async fn kinds(ask: &PageAsk) -> Result<Vec<(String, u64)>, GateError> {
    let mut counts = ask.app.gate().counts(&ask.access).await?;
    counts.sort_by(|a, b| a.0.name().cmp(b.0.name()));
    let empty = Kind::all().filter(|kind| {
        counts.iter().all(|(known, _)| known != kind) && ask.access.principal.may_search(*kind)
    });
    let empty: Vec<(Kind, u64)> = empty.map(|kind| (kind, 0)).collect();
    Ok(counts.into_iter().chain(empty).map(|(kind, n)| (kind.name().to_string(), n)).collect())
}

fn params_of(kind: Kind) -> Vec<Param> {
    let defs = ParamId::of_kind(kind).map(ParamId::def).filter(|def| def.is_supported());
    let param = |def: &search::ParamDef| Param {
        name: def.code.to_string(),
        kind: def.ty.code().to_string(),
        looks_at: match def.source {
            search::param::Source::Expression(text) => text.to_string(),
            search::param::Source::Derived(_) => "derived by salus, see its documentation".to_string(),
            search::param::Source::Store | search::param::Source::Unsupported => {
                "the record itself".to_string()
            }
        },
    };
    defs.map(param).collect()
}

fn problems_of(error: &ServerError) -> Vec<Problem> {
    let problem = |issue: fhir::Issue| match issue.diagnostics.split_once(": ") {
        Some((what, todo)) => Problem { what: sentence(what), todo: sentence(todo) },
        None => Problem { what: sentence(&issue.diagnostics), todo: String::new() },
    };
    error.issues().into_iter().map(problem).collect()
}

/// The question as engineers ask it.
fn request_line(kind: Kind, text: &str) -> String {
    if text.is_empty() { format!("GET /fhir/{kind}") } else { format!("GET /fhir/{kind}?{text}") }
}
