//! A resource: as a tree, as JSON, its versions with times and who, and what changed between two of them.

mod versions;

use fhir::{Instant, Value};
use maud::{Markup, html};

pub use versions::{Compared, Version};

use crate::facts::Summary;
use crate::frame::{Frame, Place, framed};
use crate::json::{raw, tree};
use crate::parts::chip::{Tone, chip, status};
use crate::parts::time::{ago, exact};
use crate::search::measure;
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// The version that is shown.
    pub version: u64,
    /// When it was written.
    pub updated: Instant,
    /// Is it the current one.
    pub is_current: bool,
    /// Its line.
    pub summary: Summary,
    /// The part that is shown.
    pub part: Part,
    /// Address of the FHIR interface, for the example command.
    pub fhir_base: String,
}

/// The parts of the page, one at a time.
#[derive(Clone)]
pub enum Part {
    /// The resource as a tree.
    Tree(Value),
    /// The resource as JSON.
    Json(Value),
    /// Its versions, newest first, and where older ones are.
    Versions(Vec<Version>, Option<String>),
    /// Two versions.
    Compared(Compared),
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        nav.crumbs aria-label="Where this is" {
            a href=(url::SEARCH) { "Search" } span aria-hidden="true" { "/" }
            a href=(url::search_of(&view.kind)) { (view.kind) } span aria-hidden="true" { "/" }
            span.mono { (view.id) }
        }
        (header(view))
        (tabs(view))
        @match &view.part {
            Part::Tree(value) => section.panel aria-label="Tree" { (tree(value)) (command(view)) },
            Part::Json(value) => section.panel aria-label="JSON" {
                header { h2 { "JSON" } p { "as FHIR R4 sends it" } div.end { button.small type="button" data-script hidden data-do="copy" data-from="raw" { "Copy" } } }
                (raw(value)) (command(view))
            },
            Part::Versions(versions, older) => (versions::list(view, versions, older.as_deref())),
            Part::Compared(compared) => (versions::compared(view, compared)),
        }
    };
    framed(&view.frame, Some(Place::Search), &view.kind, &body)
}

fn header(view: &View) -> Markup {
    let summary = &view.summary;
    html! {
        div.head {
            div {
                h1 { (summary.title.as_deref().unwrap_or(&view.kind)) @if let Some(measured) = &summary.measured { ": " (measure(measured)) } }
                p {
                    (view.kind) ", version " (view.version)
                    @if !view.is_current { " " (chip(Tone::Medium, "not the current version")) }
                    ", written " (ago(view.updated, view.frame.now))
                    @if let Some(word) = &summary.status { " " (status(word)) }
                }
            }
            div.actions {
                @if !view.is_current { a.button href=(url::resource(&view.kind, &view.id)) { "Current version" } }
                @if let Some(id) = patient_of(view) { a.button href=(url::patient(id)) { "Patient" } }
            }
        }
    }
}

fn patient_of(view: &View) -> Option<&str> {
    if view.kind == "Patient" {
        return Some(&view.id);
    }
    view.summary.subject.as_ref()?.0.strip_prefix("Patient/").filter(|id| fhir::is_id(id))
}

fn tabs(view: &View) -> Markup {
    let base = url::resource(&view.kind, &view.id);
    let version = if view.is_current { String::new() } else { format!("&version={}", view.version) };
    let tab = |word: &str, title: &str, here: bool| {
        html! { li { a href={ (base) "?view=" (word) (version) } aria-current=[here.then_some("page")] { (title) } } }
    };
    html! {
        nav.tabs aria-label="Parts of the resource" {
            ul {
                (tab("tree", "Tree", matches!(view.part, Part::Tree(_))))
                (tab("json", "JSON", matches!(view.part, Part::Json(_))))
                (tab("versions", "Versions", matches!(view.part, Part::Versions(..) | Part::Compared(_))))
            }
        }
    }
}

fn command(view: &View) -> Markup {
    let history = if view.is_current { String::new() } else { format!("/_history/{}", view.version) };
    html! {
        div.how {
            details {
                summary { "The same from the FHIR interface" }
                p.command { "curl -H \"Authorization: Bearer $TOKEN\" " (view.fhir_base) "/" (view.kind) "/" (view.id) (history) }
                p.muted { "Written " (exact(view.updated)) "." }
            }
        }
    }
}
