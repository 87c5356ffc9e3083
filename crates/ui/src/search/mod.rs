//! Search over any type: parameters with hints, what is wrong with them, results in rows. Values can identify people and are sent in a body.

mod hints;

use fhir::Instant;
use maud::{Markup, html};

pub use hints::Param;

use crate::facts::{Measured, Summary};
use crate::frame::{Frame, Place, csrf, framed};
use crate::json::page_of;
use crate::parts::chip::{Tone, chip, status};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::pager::{Paging, pager};
use crate::parts::time::ago;
use crate::parts::{head, or_unknown, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The chosen type; `None` before one is chosen.
    pub kind: Option<String>,
    /// Types that hold data, with their numbers, then all others.
    pub kinds: Vec<(String, u64)>,
    /// Search parameters of the chosen type.
    pub params: Vec<Param>,
    /// Names, with modifiers, and values that were asked for.
    pub pairs: Vec<(String, String)>,
    /// What is wrong, when the search could not be done.
    pub problems: Vec<Problem>,
    /// What was found; `None` when nothing was searched yet.
    pub results: Option<Results>,
    /// The same question as a FHIR request, for engineers.
    pub request: Option<String>,
}

/// What is wrong with a search.
#[derive(Clone)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do, when it is known.
    pub todo: String,
}

/// One page of results.
#[derive(Clone)]
pub struct Results {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where in the list this is.
    pub paging: Paging,
    /// How long the search took.
    pub took_millis: u64,
}

/// One resource.
#[derive(Clone)]
pub struct Row {
    /// Resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// Its line.
    pub summary: Summary,
    /// When it changed last.
    pub updated: Instant,
    /// It was not matched but comes along, by `_include` or `_revinclude`.
    pub is_included: bool,
}

/// Rows of parameters that are shown empty, below those that are filled.
const EMPTY_PAIRS: usize = 2;

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Search", "Find resources of any type by any search parameter of FHIR R4."))
        div.stack {
            (form(view))
            @if !view.problems.is_empty() { (problems(&view.problems)) }
            @match &view.results {
                Some(results) => (found(view, results)),
                None if view.problems.is_empty() => (not_yet(view)),
                None => "",
            }
            @if let Some(kind) = &view.kind { (hints::panel(kind, &view.params)) }
        }
    };
    framed(&view.frame, Some(Place::Search), "Search", &body)
}

fn form(view: &View) -> Markup {
    html! {
        form.panel method="post" action=(url::SEARCH) aria-label="Search" {
            (csrf(&view.frame))
            div.body.padded.query {
                div.top {
                    div.field {
                        label for="type" { "Type" }
                        select id="type" name="type" data-reload { (kinds(view)) }
                    }
                }
                @let filled = view.pairs.len();
                @for at in 0..filled + EMPTY_PAIRS {
                    @let (name, value) = view.pairs.get(at).map_or(("", ""), |(name, value)| (name, value));
                    (pair(at, name, value, at == filled))
                }
                div.last {
                    p.hint { "Names may carry a modifier, " code { "name:exact" } ", and chain: " code { "patient.birthdate" } ". Empty rows are left out." }
                    button.primary { "Search" }
                }
                datalist id="params" {
                    @for param in &view.params { option value=(param.name) { (param.kind) } }
                }
            }
        }
    }
}

fn pair(at: usize, name: &str, value: &str, is_first_empty: bool) -> Markup {
    html! {
        div.pair {
            input name="name" value=(name) list="params" maxlength="200" autocomplete="off" spellcheck="false" aria-label={ "Parameter " (at + 1) } placeholder=[is_first_empty.then_some("parameter")];
            input name="value" value=(value) maxlength="2000" autocomplete="off" spellcheck="false" aria-label={ "Value of parameter " (at + 1) } placeholder=[is_first_empty.then_some("value")];
        }
    }
}

fn kinds(view: &View) -> Markup {
    let option = |name: &str, n: u64| {
        html! { option value=(name) selected[view.kind.as_deref() == Some(name)] { (name) @if n > 0 { " (" (crate::parts::number::grouped(n)) ")" } } }
    };
    let (with, without): (Vec<_>, Vec<_>) = view.kinds.iter().partition(|(_, n)| *n > 0);
    html! {
        @if view.kind.is_none() { option value="" selected { "choose a type" } }
        @if !with.is_empty() { optgroup label="With data" { @for (name, n) in with { (option(name, *n)) } } }
        @if !without.is_empty() { optgroup label="Without data" { @for (name, n) in without { (option(name, *n)) } } }
    }
}

fn problems(problems: &[Problem]) -> Markup {
    html! {
        div.notice.critical role="alert" {
            span.shape aria-hidden="true" { "●" }
            div {
                p { strong { "Nothing was searched" } }
                ul { @for problem in problems { li { p { (ticked(&problem.what)) } @if !problem.todo.is_empty() { p.muted { (ticked(&problem.todo)) } } } } }
            }
        }
    }
}

fn not_yet(view: &View) -> Markup {
    let (title, next) = match &view.kind {
        None => ("Choose a type to begin", "Its search parameters are listed then, with how to write them."),
        Some(_) => (
            "Nothing searched yet",
            "Fill in a parameter, or search with none to list everything of this type.",
        ),
    };
    html! { div.panel { (empty(Icon::Search, title, next, None)) } }
}

fn found(view: &View, results: &Results) -> Markup {
    html! {
        section.panel aria-labelledby="results" {
            header {
                h2 id="results" { "Results" }
                p { "in " (results.took_millis) " ms" }
            }
            @if results.rows.is_empty() {
                (empty(Icon::Search, "Nothing matches", "Take a parameter away, or check its value against the hints below.", None))
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Table of results" {
                    table.stacks {
                        caption.sr { "Results of the search" }
                        thead { tr {
                            th scope="col" { "Resource" } th scope="col" { "Status" } th scope="col" { "Date" }
                            th scope="col" { "About" } th scope="col" { "Updated" }
                        } }
                        tbody { @for row in &results.rows { (result(row, view.frame.now)) } }
                    }
                }
                (pager(&results.paging, "match", "matches"))
            }
            @if let Some(request) = &view.request {
                div.how { details { summary { "The same question to the FHIR interface" } p.command { (request) } } }
            }
        }
    }
}

fn result(row: &Row, now: Instant) -> Markup {
    let summary = &row.summary;
    html! {
        tr data-row {
            td.clip {
                a.main href=(url::resource(&row.kind, &row.id)) { (summary.title.as_deref().unwrap_or(&row.kind)) }
                @if let Some(measured) = &summary.measured { " " (measure(measured)) }
                @if row.is_included { " " (chip(Tone::Info, "included")) }
                div.sub { (row.kind) " " span.mono { (row.id) } }
            }
            td data-label="Status" { @match &summary.status { Some(word) => (status(word)), None => span.muted { "–" } } }
            td.nowrap data-label="Date" { (or_unknown(summary.when.as_deref().map(crate::facts::day_of))) }
            td data-label="About" { (subject(summary)) }
            td.nowrap.muted data-label="Updated" { (ago(row.updated, now)) }
        }
    }
}

/// A value and its unit.
pub(crate) fn measure(measured: &Measured) -> Markup {
    html! { span.value { (measured.value) @if !measured.unit.is_empty() { " " span.unit { (measured.unit) } } } }
}

/// Whom a resource is about: a link when it leads to a page here.
fn subject(summary: &Summary) -> Markup {
    html! {
        @match &summary.subject {
            None => span.muted { "–" },
            Some((reference, words)) => {
                @let text = html! { @match words { Some(words) => (words), None => span.mono { (reference) } } };
                @match page_of(reference) {
                    Some(href) => {
                        @let href = reference.strip_prefix("Patient/").filter(|id| fhir::is_id(id)).map_or(href, url::patient);
                        a href=(href) { (text) }
                    }
                    None => (text),
                }
            }
        }
    }
}
