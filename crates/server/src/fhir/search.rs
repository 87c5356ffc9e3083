//! search: `GET [type]?..`, `POST [type]/_search`, and the same over several types at the base.

use bytes::Bytes;
use fhir::Kind;
use gate::SearchPage;
use http::StatusCode;
use search::{Query, Summary, Total};

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::body::here_or_aside;
use crate::fhir::bundle_bytes::{self, Searchset};
use crate::fhir::controls::encode;
use crate::fhir::query;
use crate::fhir::reply::Reply;
use crate::fhir::subset::Subset;

/// Up to so many resources are cut down on the thread that answers requests.
pub(crate) const PARSED_INLINE_MAX: usize = 16;

/// Search of one type.
pub(crate) async fn search_type(ask: Ask) -> Result<Reply, ServerError> {
    let kind = ask.place.kind();
    let text = text_of(&ask)?;
    search(ask, Some(kind), &text, kind.name()).await
}

/// Search over the types that `_type` names, or all.
pub(crate) async fn search_system(ask: Ask) -> Result<Reply, ServerError> {
    let text = text_of(&ask)?;
    search(ask, None, &text, "").await
}

/// The parameters: of the query and, for `POST`, of the form.
pub(crate) fn text_of(ask: &Ask) -> Result<String, ServerError> {
    if ask.body.is_empty() {
        return Ok(ask.controls.rest.clone());
    }
    let form = std::str::from_utf8(&ask.body).map_err(|_| ServerError::BodyBroken)?;
    let controls = crate::fhir::controls::Controls::of(form)?;
    let both = [ask.controls.rest.as_str(), controls.rest.as_str()];
    Ok(both.iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join("&"))
}

/// Parses, asks the gate for a page, and puts the stored bytes into a bundle.
async fn search(ask: Ask, kind: Option<Kind>, text: &str, path: &str) -> Result<Reply, ServerError> {
    search_within(ask, kind, text, path, |_| ()).await
}

/// The same, with conditions that stand in the path and not in the query.
pub(crate) async fn search_within(
    ask: Ask,
    kind: Option<Kind>,
    text: &str,
    path: &str,
    narrow: impl FnOnce(&mut Query),
) -> Result<Reply, ServerError> {
    let (mut query, ignored) = query::of(&ask, kind, text)?;
    narrow(&mut query);
    let limits = &ask.app.config().limits;
    let count = query.count.unwrap_or(limits.page_count_default).min(limits.page_count_max);
    let mut page = ask.app.gate().search(&ask.access, &query, count).await?;
    if query.total == Total::None && query.cursor.is_none() && page.next.is_none() {
        // All there is stands on this page: its number costs nothing.
        page.total = page.total.or(u64::try_from(page.matches.len()).ok());
    }
    let (subset, n_found) = (subset_of(&query), page.matches.len() + page.included.len());
    // A part of a resource is found by parsing it.
    let small = subset == Subset::Full || n_found <= PARSED_INLINE_MAX;
    let links = links_of(&ask, &query, count, &page, path);
    let base = ask.app.base().to_string();
    let write = move || {
        let set = Searchset { page: &page, links: &links, ignored: &ignored, subset: &subset };
        Bytes::from(bundle_bytes::searchset(&base, &set))
    };
    Ok(Reply::json(StatusCode::OK, here_or_aside(small, write).await))
}

/// This page and the next one.
fn links_of(
    ask: &Ask,
    query: &Query,
    count: u32,
    page: &SearchPage,
    path: &str,
) -> Vec<(&'static str, String)> {
    let link = |cursor: Option<&str>| {
        let mut parts: Vec<String> = Vec::new();
        if !query.canonical.is_empty() {
            parts.push(query.canonical.clone());
        }
        if query.count.is_some() || cursor.is_some() {
            parts.push(format!("_count={count}"));
        }
        parts.extend(cursor.map(|cursor| format!("_cursor={}", encode(cursor))));
        let slash = if path.is_empty() { "" } else { "/" };
        let mark = if parts.is_empty() { "" } else { "?" };
        format!("{}{slash}{path}{mark}{}", ask.app.base(), parts.join("&"))
    };
    let mut links = vec![("self", link(query.cursor.as_deref()))];
    links.extend(page.next.as_deref().map(|next| ("next", link(Some(next)))));
    links
}

fn subset_of(query: &Query) -> Subset {
    match query.summary {
        Summary::True => Subset::Summary,
        Summary::Text => Subset::Text,
        Summary::Data => Subset::Data,
        Summary::False | Summary::Count if query.elements.is_empty() => Subset::Full,
        Summary::False | Summary::Count => Subset::Elements(query.elements.clone()),
    }
}
