//! history: versions of a resource, of a type, or of everything, newest first, deletions included.

use std::collections::BTreeSet;

use fhir::{Instant, Kind, date};
use gate::{HistoryOf, HistoryQuery};

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::body::here_or_aside;
use crate::fhir::bundle_bytes;
use crate::fhir::controls::{encode, pairs, parameter, unknown};
use crate::fhir::reply::Reply;
use crate::fhir::search::PARSED_INLINE_MAX;
use crate::fhir::subset::{Subset, Wish};

/// `GET [type]/[id]/_history`.
pub(crate) async fn history_instance(ask: Ask) -> Result<Reply, ServerError> {
    let path = format!("{}/{}/_history", ask.place.kind(), ask.place.id);
    let of = HistoryOf::Instance(ask.place.kind(), ask.place.id.as_str().into());
    history(ask, of, &path).await
}

/// `GET [type]/_history`.
pub(crate) async fn history_type(ask: Ask) -> Result<Reply, ServerError> {
    let path = format!("{}/_history", ask.place.kind());
    let of = HistoryOf::Kind(ask.place.kind());
    history(ask, of, &path).await
}

/// `GET _history`.
pub(crate) async fn history_system(ask: Ask) -> Result<Reply, ServerError> {
    history(ask, HistoryOf::System, "_history").await
}

struct Wanted {
    query: HistoryQuery,
    subset: Subset,
    /// What a link to the next page repeats.
    kept: Vec<String>,
}

async fn history(ask: Ask, of: HistoryOf, path: &str) -> Result<Reply, ServerError> {
    let kinds: Vec<Kind> = match &of {
        HistoryOf::Instance(kind, _) | HistoryOf::Kind(kind) => vec![*kind],
        HistoryOf::System => Kind::all().collect(),
    };
    let wanted = wanted(&ask, &kinds)?;
    let cursor = wanted.query.cursor.clone();
    let page = ask.app.gate().history(&ask.access, of, wanted.query).await?;
    let link = |cursor: Option<&str>| {
        let mut parts = wanted.kept.clone();
        parts.extend(cursor.map(|cursor| format!("_cursor={}", encode(cursor))));
        let mark = if parts.is_empty() { "" } else { "?" };
        format!("{}/{path}{mark}{}", ask.app.base(), parts.join("&"))
    };
    let mut links = vec![("self", link(cursor.as_deref()))];
    links.extend(page.next.as_deref().map(|next| ("next", link(Some(next)))));
    let (base, subset) = (ask.app.base().to_string(), wanted.subset);
    let small = subset == Subset::Full || page.entries.len() <= PARSED_INLINE_MAX;
    let write = move || bundle_bytes::history(&base, &page.entries, page.total, &links, &subset);
    Ok(Reply::json(http::StatusCode::OK, here_or_aside(small, write).await))
}

fn wanted(ask: &Ask, kinds: &[Kind]) -> Result<Wanted, ServerError> {
    let limits = &ask.app.config().limits;
    let mut query = HistoryQuery { count: limits.page_count_default, ..HistoryQuery::default() };
    let mut wish = Wish::default();
    let mut kept = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, value) in pairs(&ask.controls.rest) {
        if !seen.insert(name.clone()) {
            return Err(parameter(&name, "give it once"));
        }
        match name.as_str() {
            "_count" => {
                let count: u32 = value.parse().map_err(|_| parameter("_count", "use a number from 1"))?;
                if count == 0 {
                    return Err(parameter("_count", "use a number from 1"));
                }
                query.count = count.min(limits.page_count_max);
            }
            "_since" => query.since = Some(instant_of("_since", &value)?),
            "_at" => {
                let period =
                    date::parse_date(&value).ok_or_else(|| parameter("_at", "use a date or an instant"))?;
                query.at = Some(period.period());
            }
            "_cursor" => query.cursor = Some(value.clone()),
            _ if wish.take(&name, &value, kinds)? => {}
            _ => return Err(unknown(&name)),
        }
        if name != "_cursor" {
            kept.push(format!("{name}={}", encode(&value)));
        }
    }
    Ok(Wanted { query, subset: wish.subset()?, kept })
}

/// An instant, or the start of a date.
fn instant_of(name: &'static str, value: &str) -> Result<Instant, ServerError> {
    let period = date::parse_date(value).map(|date| date.period().low);
    Instant::parse(value)
        .or(period.map(Instant))
        .ok_or_else(|| parameter(name, "use an instant such as `2026-01-02T03:04:05Z`"))
}
