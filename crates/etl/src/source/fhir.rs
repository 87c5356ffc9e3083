//! Resources of a search on a FHIR server as rows: one per resource, with columns by FHIRPath.

pub(super) mod bulk;
mod columns;

use std::sync::Arc;
use std::time::Duration;

use ::fhir::json::{Limits as JsonLimits, parse};
use ::fhir::{Instant, Value};
use egress::Url;
use futures_util::future::BoxFuture;
use table::{Columns, Place};

use super::api::auth::Auth;
use super::api::blocking;
use super::api::caller::{Caller, Limits, decode_url, shown, url_of};
use super::api::rows::{Made, Rows};
use super::api::window::Window;
use super::rest::{dataset_of, same_server};
use super::sql::{need_cursor, snapshot_unit};
use super::{Backfill, Dataset, Division, Out, Source, SourceSpec, Unit};
use crate::world::World;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Secret, Word};

use columns::{Cells, PathColumns};

/// A source of type `fhir`.
#[derive(Clone, Debug)]
struct Fhir {
    name: String,
    /// The base URL of the server.
    url: Secret,
    /// The search below it, with its parameters.
    search: String,
    auth: Auth,
    /// Only what changed since the watermark, less this span.
    lookback: Option<Duration>,
    columns: Arc<PathColumns>,
    limits: Limits,
}

/// Decodes the options of a source of type `fhir`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let url = decode_url(fields, problems);
    let search = fields.required_text("search", problems);
    let auth = Auth::decode(fields, problems);
    let lookback = fields.node("cursor").map(|node| {
        let mut inner = node.fields("`cursor`", problems);
        let lookback = inner.span("lookback", problems).unwrap_or_default();
        inner.end(problems);
        lookback
    });
    let limits = Limits::decode(fields, problems);
    let columns = PathColumns::decode(fields, problems);
    let search = search?;
    check_search(&search, lookback.is_some(), problems);
    Some(Box::new(Fhir {
        name: name.text.clone(),
        url,
        search: search.text,
        auth,
        lookback,
        columns: Arc::new(columns),
        limits,
    }))
}

fn check_search(search: &Word, has_cursor: bool, problems: &mut Problems) {
    let path = search.split('?').next().unwrap_or_default();
    if path.starts_with('/') || path.contains(':') || search.contains('#') {
        problems.add(search.at, "`search` stands below `url`: write it as `Patient?_count=200`");
    }
    let query = search.split_once('?').map_or("", |(_, query)| query);
    for parameter in query.split('&') {
        let key = parameter.split(['=', ':']).next().unwrap_or_default();
        if matches!(key, "_include" | "_revinclude") {
            let why = format!(
                "`{key}` is not supported: a page may repeat such resources, so read them as a source of their own"
            );
            problems.add(search.at, why);
        }
        if matches!(key, "_summary" | "_elements") {
            problems.add(search.at, format!("`{key}` is not supported: it gives parts of resources"));
        }
        if has_cursor && key == "_lastUpdated" {
            problems.add(search.at, "`_lastUpdated` is set by `cursor`: write only one of them");
        }
    }
}

impl SourceSpec for Fhir {
    fn open<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<Box<dyn Source>, EtlError>> {
        Box::pin(async move {
            let mut base = url_of(&self.url, &self.name, world)?;
            if !base.path().ends_with('/') {
                let path = format!("{}/", base.path());
                base.set_path(&path);
            }
            let accept = "application/fhir+json";
            let mut caller = Caller::new(&self.name, &base, &self.auth, &self.limits, accept, world)?;
            let first = base
                .join(&self.search)
                .map_err(|_| caller.fails("`search` cannot be joined to `url`".to_owned(), false))?;
            let now = world.now();
            let answer = caller.get(&first).await?;
            // `meta.lastUpdated` is the server's time. What is stamped after this second belongs to the next window.
            let at = answer.at().map_or(now, |at| at.min(now));
            let open = Open { spec: self.clone(), base, first, caller, at, chosen: None, window: None };
            let page = blocking(move || Ok(page_of(&answer.body))).await?;
            page.map_err(|why| open.fails(&open.first, &why))?;
            Ok(Box::new(open) as Box<dyn Source>)
        })
    }

    fn columns(&self) -> Option<Columns> {
        Some(self.columns.columns().clone())
    }

    fn division(&self) -> Division {
        if self.lookback.is_some() { Division::Window } else { Division::Snapshot }
    }

    fn dataset(&self) -> Dataset {
        let server = dataset_of(&self.url);
        let kind = self.search.split('?').next().unwrap_or_default();
        Dataset { namespace: server.namespace, name: format!("{}/{kind}", server.name.trim_end_matches('/')) }
    }
}

/// A page of a search: the resources that match, and the link to the next page.
struct Page {
    resources: Vec<Value>,
    next: Option<String>,
}

fn page_of(body: &[u8]) -> Result<Page, String> {
    let mut bundle = parse(body, &JsonLimits::default())
        .map_err(|error| format!("the answer is not JSON: {}:{}", error.line, error.column))?;
    if bundle.text("resourceType") != Some("Bundle") || bundle.text("type") != Some("searchset") {
        return Err("the answer is not a searchset bundle: check `url` and `search`".to_owned());
    }
    let links = bundle.get("link").map(Value::items).unwrap_or_default();
    let next = links.iter().find(|link| link.text("relation") == Some("next"));
    let next = next.and_then(|link| link.text("url")).map(str::to_owned);
    let mut resources = Vec::new();
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        let mode = entry.get("search").and_then(|search| search.text("mode"));
        if mode.is_none_or(|mode| mode == "match") {
            let resource = entry.get_mut("resource").map(Value::take);
            resources.push(resource.unwrap_or(Value::Null));
        }
    }
    Ok(Page { resources, next })
}

/// An open server.
struct Open {
    spec: Fhir,
    base: Url,
    first: Url,
    caller: Caller,
    /// The server's time when it was opened.
    at: Instant,
    /// A window that somebody chose.
    chosen: Option<Window>,
    window: Option<Window>,
}

impl Source for Open {
    fn columns(&self) -> &Columns {
        self.spec.columns.columns()
    }

    fn choose(&mut self, window: &Backfill) -> Result<(), String> {
        need_cursor(self.spec.lookback.is_some())?;
        self.chosen = Some(Window::chosen(window, self.at)?);
        Ok(())
    }

    fn units<'a>(&'a mut self, since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        Box::pin(async move {
            let Some(lookback) = self.spec.lookback else { return Ok(vec![snapshot_unit(self.at)]) };
            let window = match self.chosen {
                Some(chosen) => chosen,
                None => Window::after(since, lookback, self.at)
                    .map_err(|why| self.caller.fails(why.to_owned(), false))?,
            };
            self.window = Some(window);
            Ok(window.units())
        })
    }

    fn read<'a>(&'a mut self, _unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        Box::pin(async move { self.read_pages(number, &out).await })
    }
}

/// What pages are made into, moved to a blocking thread and back.
struct Making {
    cells: Cells,
    rows: Rows,
    number: u32,
    n_before: u64,
}

impl Making {
    fn page(mut self, page: &Page) -> Result<(Making, Made), EtlError> {
        for resource in &page.resources {
            self.n_before += 1;
            let place = Place { unit: self.number, line: self.n_before, offset: None };
            self.cells.push(resource, place, &mut self.rows);
        }
        let made = self.rows.take()?;
        Ok((self, made))
    }
}

impl Open {
    fn fails(&self, url: &Url, why: &str) -> EtlError {
        self.caller.fails(format!("`{}`: {why}", shown(url)), false)
    }

    /// The first page of the window.
    fn first_page(&self) -> Url {
        let mut url = self.first.clone();
        if let Some(window) = self.window {
            let mut pairs = url.query_pairs_mut();
            if let Some(since) = window.since {
                pairs.append_pair("_lastUpdated", &format!("ge{since}"));
            }
            pairs.append_pair("_lastUpdated", &format!("lt{}", window.until));
        }
        url
    }

    async fn read_pages(&mut self, number: u32, out: &Out) -> Result<(), EtlError> {
        let (cells, rows) = (Cells::new(self.spec.columns.clone(), self.at), self.spec.columns.rows());
        let mut making = Making { cells, rows, number, n_before: 0 };
        let (mut n_pages, mut next) = (0, Some(self.first_page()));
        while let Some(asked) = next {
            let answer = self.caller.get(&asked).await?;
            let n_bytes = answer.body.len();
            let page = blocking(move || Ok(page_of(&answer.body))).await?;
            let page = page.map_err(|why| self.fails(&asked, &why))?;
            next = match &page.next {
                None => None,
                Some(link) => {
                    let link = same_server(&self.base, &asked, link);
                    Some(link.map_err(|why| self.fails(&asked, &why))?)
                }
            };
            if next.as_ref() == Some(&asked) {
                return Err(self.fails(&asked, "the link to the next page leads to the same page"));
            }
            let (back, made) = blocking(move || making.page(&page)).await?;
            making = back;
            made.send(out, n_bytes).await?;
            n_pages += 1;
            self.check_limits(n_pages, making.n_before)?;
        }
        Ok(())
    }

    fn check_limits(&self, n_pages: u64, n_records: u64) -> Result<(), EtlError> {
        let (limits, source) = (&self.spec.limits, &self.spec.name);
        if n_pages > limits.pages_max {
            let max = limits.pages_max;
            return Err(EtlError::Limit(format!("source `{source}`: more than `pages_max`, {max} pages")));
        }
        if n_records > limits.records_max {
            let max = limits.records_max;
            return Err(EtlError::Limit(format!(
                "source `{source}`: more than `records_max`, {max} resources"
            )));
        }
        Ok(())
    }
}
