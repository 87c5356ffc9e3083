//! A patient: who they are, what holds now, and what happened, by date. What the record does not say is "unknown".

mod timeline;

use fhir::Instant;
use maud::{Markup, html};

use crate::facts::{Category, Event, Person, age_text, initials_of};
use crate::frame::{Frame, Place, framed};
use crate::parts::chip::{flag, status};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::or_unknown;
use crate::parts::time::ago;
use crate::search::measure;
use crate::url;

pub use timeline::{Day, days_of};

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Resource id.
    pub id: String,
    /// Demographics.
    pub person: Person,
    /// When the Patient resource changed last.
    pub updated: Instant,
    /// How many resources of each group there are.
    pub counts: Vec<(Category, u64)>,
    /// The group that is shown; `None` for all.
    pub shown: Option<Category>,
    /// The days of this page, newest first.
    pub days: Vec<Day>,
    /// Address of the days before these.
    pub older: Option<String>,
    /// A day of which not everything is shown, because it holds more than a page may.
    pub cut: Option<String>,
    /// Problems that hold now.
    pub problems: Vec<Event>,
    /// Prescriptions that hold now.
    pub medications: Vec<Event>,
    /// The last value of each measurement.
    pub latest: Vec<Event>,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        nav.crumbs aria-label="Where this is" { a href=(url::PATIENTS) { "Patients" } span aria-hidden="true" { "/" } span { "Patient" } }
        (header(view))
        (tabs(view))
        div.columns.side {
            (timeline::panel(view))
            div {
                (side("Active problems", "problems", &view.problems, "None recorded as active"))
                (side("Current prescriptions", "prescriptions", &view.medications, "None recorded as active"))
                (latest(&view.latest))
            }
        }
    };
    framed(&view.frame, Some(Place::Patients), "Patient", &body)
}

fn header(view: &View) -> Markup {
    let person = &view.person;
    let now = view.frame.now;
    let age = person.born.as_deref().and_then(|born| age_text(born, now));
    html! {
        section.panel.person aria-label="Demographics" {
            div.top {
                span.big-avatar aria-hidden="true" { (person.name.as_deref().map_or("?".into(), initials_of)) }
                div.who {
                    h1 { (person.name.as_deref().unwrap_or("Name unknown")) }
                    p.line {
                        span { "sex " (or_unknown(person.sex.as_deref())) }
                        @match &person.died {
                            None => span { "age " (or_unknown(age.as_deref())) },
                            Some(None) => span { "deceased, date " span.unknown { "unknown" } },
                            Some(Some(date)) => span { "deceased " (date) },
                        }
                        span { "born " (or_unknown(person.born.as_deref())) }
                    }
                }
                div.actions {
                    a.button href=(url::resource("Patient", &view.id)) { "Open resource" }
                }
            }
            dl.facts {
                div { dt { "Lives in" } dd { (or_unknown(person.region.as_deref())) } }
                div { dt { "Race" } dd { (or_unknown(person.race.as_deref())) } }
                div { dt { "Ethnicity" } dd { (or_unknown(person.ethnicity.as_deref())) } }
                div { dt { "Language" } dd { (or_unknown(person.language.as_deref())) } }
                div { dt { "Marital status" } dd { (or_unknown(person.marital.as_deref())) } }
                div { dt { "Record changed" } dd { (ago(view.updated, now)) } }
            }
            (identifiers(view))
        }
    }
}

fn identifiers(view: &View) -> Markup {
    html! {
        details.fold.ids {
            summary { "Identifiers (" (view.person.identifiers.len() + 1) ")" }
            dl.facts {
                div { dt { "Resource id" } dd.mono { (view.id) } }
                @for (label, value) in &view.person.identifiers { div { dt { (label) } dd.mono { (value) } } }
            }
        }
    }
}

fn tabs(view: &View) -> Markup {
    let all: u64 = view.counts.iter().map(|(_, n)| n).sum();
    let tab = |href: String, title: &str, n: u64, here: bool| {
        html! { li { a href=(href) aria-current=[here.then_some("page")] { (title) span.count { (crate::parts::number::grouped(n)) } } } }
    };
    html! {
        nav.tabs aria-label="Groups of the timeline" {
            ul {
                (tab(url::patient(&view.id), "All", all, view.shown.is_none()))
                @for (category, n) in view.counts.iter().filter(|(category, n)| *n > 0 || view.shown == Some(*category)) {
                    (tab(format!("{}?show={}", url::patient(&view.id), category.slug()), category.title(), *n, view.shown == Some(*category)))
                }
            }
        }
    }
}

fn side(title: &str, id: &str, events: &[Event], none: &str) -> Markup {
    html! {
        section.panel aria-labelledby=(id) {
            header { h2 id=(id) { (title) } p.end.muted { (events.len()) } }
            @if events.is_empty() { p.body.muted { (none) } } @else {
                ul.side-list {
                    @for event in events {
                        li {
                            a href=(url::resource(&event.kind, &event.id)) { (event.title.as_deref().unwrap_or("unknown")) }
                            span.end { "since " (or_unknown(event.day.as_deref())) }
                        }
                    }
                }
            }
        }
    }
}

fn latest(events: &[Event]) -> Markup {
    html! {
        section.panel aria-labelledby="latest" {
            header { h2 id="latest" { "Last measurements" } }
            @if events.is_empty() { p.body.muted { "None recorded" } } @else {
                ul.side-list {
                    @for event in events {
                        li {
                            div.name-and-date {
                                a href=(url::resource(&event.kind, &event.id)) { (event.title.as_deref().unwrap_or("unknown")) }
                                span { (or_unknown(event.day.as_deref())) }
                            }
                            div.result {
                                @match &event.measured { Some(measured) => (measure(measured)), None => span.unknown { "no value" } }
                                @if let Some(word) = event.flag { (flag(word)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The status of an entry, when it says more than that it is there.
fn telling_status(event: &Event) -> Markup {
    html! {
        @if let Some(word) = event.status.as_deref().filter(|word| !matches!(*word, "final" | "finished" | "completed")) { " " (status(word)) }
    }
}

fn nothing(view: &View) -> Markup {
    match view.shown {
        None => empty(
            Icon::Visit,
            "Nothing recorded",
            "Encounters, conditions, observations and medications of this patient appear here once they are written or imported.",
            None,
        ),
        Some(category) => {
            empty(category.icon(), "Nothing of this kind recorded", "Look at all groups.", None)
        }
    }
}
