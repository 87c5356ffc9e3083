//! Bundles as bytes: stored bodies are copied into place, never parsed and written again.

use fhir::{Issue, Value};
use gate::{Op, SearchPage, Stored};

use crate::fhir::subset::Subset;

/// What a bundle of search results is made of.
pub(crate) struct Searchset<'a> {
    /// Matches and what they include.
    pub(crate) page: &'a SearchPage,
    /// Relation and URL.
    pub(crate) links: &'a [(&'static str, String)],
    /// What lenient handling left out.
    pub(crate) ignored: &'a [Issue],
    /// What part of each resource is wanted.
    pub(crate) subset: &'a Subset,
}

/// A page of a search.
pub(crate) fn searchset(base: &str, set: &Searchset<'_>) -> Vec<u8> {
    let page = set.page;
    let mut out = head("searchset", page.total, set.links, page.matches.len() + page.included.len());
    let mut first = true;
    for (mode, stored) in
        page.matches.iter().map(|s| ("match", s)).chain(page.included.iter().map(|s| ("include", s)))
    {
        open_entry(&mut out, &mut first);
        full_url(&mut out, base, stored);
        resource(&mut out, stored, set.subset);
        text(&mut out, &[",\"search\":{\"mode\":\"", mode, "\"}}"]);
    }
    if !set.ignored.is_empty() {
        open_entry(&mut out, &mut first);
        text(&mut out, &["\"resource\":"]);
        fhir::outcome(set.ignored).write(&mut out);
        text(&mut out, &[",\"search\":{\"mode\":\"outcome\"}}"]);
    }
    close(out, first)
}

/// A page of a history.
pub(crate) fn history(
    base: &str,
    entries: &[Stored],
    total: Option<u64>,
    links: &[(&'static str, String)],
    subset: &Subset,
) -> Vec<u8> {
    let mut out = head("history", total, links, entries.len());
    let mut first = true;
    for (at, stored) in entries.iter().enumerate() {
        open_entry(&mut out, &mut first);
        full_url(&mut out, base, stored);
        // An update creates when nothing was there: at first, or after the deletion that stands behind it.
        let before = entries.get(at + 1).filter(|other| (other.kind, &other.id) == (stored.kind, &stored.id));
        let creates = stored.version == 1 || before.is_some_and(|before| before.op == Op::Delete);
        let (method, url, status) = match stored.op {
            Op::Create => ("POST", stored.kind.name().to_string(), "201 Created"),
            Op::Update if creates => ("PUT", format!("{}/{}", stored.kind, stored.id), "201 Created"),
            Op::Update => ("PUT", format!("{}/{}", stored.kind, stored.id), "200 OK"),
            Op::Delete => ("DELETE", format!("{}/{}", stored.kind, stored.id), "204 No Content"),
        };
        if stored.op != Op::Delete {
            resource(&mut out, stored, subset);
        }
        let version = stored.version.to_string();
        let at = stored.updated.to_rfc3339_millis();
        text(&mut out, &[",\"request\":{\"method\":\"", method, "\",\"url\":\"", &url, "\"}"]);
        text(&mut out, &[",\"response\":{\"status\":\"", status, "\",\"etag\":\"W/\\\"", &version]);
        text(&mut out, &["\\\"\",\"lastModified\":\"", &at, "\"}}"]);
    }
    close(out, first)
}

/// Everything of a bundle before its entries. Left open: [`close`] ends it.
pub(crate) fn head(kind: &str, total: Option<u64>, links: &[(&str, String)], n_entries: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + n_entries * 1536);
    text(&mut out, &["{\"resourceType\":\"Bundle\",\"type\":\"", kind, "\""]);
    if let Some(total) = total {
        text(&mut out, &[",\"total\":", &total.to_string()]);
    }
    for (i, (relation, url)) in links.iter().enumerate() {
        text(
            &mut out,
            &[if i == 0 { ",\"link\":[" } else { "," }, "{\"relation\":\"", relation, "\",\"url\":"],
        );
        Value::from(url.as_str()).write(&mut out);
        text(&mut out, &[if i + 1 == links.len() { "}]" } else { "}" }]);
    }
    out
}

/// Starts the list of entries or the next one of it.
pub(crate) fn open_entry(out: &mut Vec<u8>, first: &mut bool) {
    text(out, &[if *first { ",\"entry\":[{" } else { ",{" }]);
    *first = false;
}

/// Ends a bundle; R4 knows no empty lists, so without entries there is no list.
pub(crate) fn close(mut out: Vec<u8>, empty: bool) -> Vec<u8> {
    text(&mut out, &[if empty { "}" } else { "]}" }]);
    out
}

/// Appends texts.
pub(crate) fn text(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn full_url(out: &mut Vec<u8>, base: &str, stored: &Stored) {
    text(out, &["\"fullUrl\":\"", base, "/", stored.kind.name(), "/", &stored.id, "\""]);
}

fn resource(out: &mut Vec<u8>, stored: &Stored, subset: &Subset) {
    text(out, &[",\"resource\":"]);
    match subset.of(stored.kind, stored.body.bytes()) {
        Some(part) => out.extend_from_slice(&part),
        None => out.extend_from_slice(stored.body.bytes()),
    }
}
