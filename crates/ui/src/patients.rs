//! Patients: who is here, found by name, birth date and sex. The filter identifies people, so it is sent in a body, never in an address.

use fhir::Instant;
use maud::{Markup, html};

use crate::facts::{Person, age_text, initials_of};
use crate::frame::{Frame, Place, csrf, framed};
use crate::parts::empty::{Notice, empty, notice};
use crate::parts::icon::Icon;
use crate::parts::pager::{Paging, pager};
use crate::parts::time::ago;
use crate::parts::{head, or_unknown};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// What was filtered by.
    pub filter: Filter,
    /// What was wrong with the filter.
    pub problem: Option<Notice>,
    /// The people of this page.
    pub rows: Vec<Row>,
    /// Where in the list this is.
    pub paging: Paging,
}

/// What the list is filtered by; empty parts filter nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Start of any part of the name.
    pub name: String,
    /// Birth date as FHIR writes it, `1960`, `ge1960-01`.
    pub born: String,
    /// `female`, `male`, `other`, `unknown`.
    pub sex: String,
}

impl Filter {
    /// Does it filter nothing.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }
}

/// One person.
#[derive(Clone)]
pub struct Row {
    /// Resource id.
    pub id: String,
    /// Demographics.
    pub person: Person,
    /// When the record changed last.
    pub updated: Instant,
}

const SEXES: [(&str, &str); 5] =
    [("", "any"), ("female", "female"), ("male", "male"), ("other", "other"), ("unknown", "unknown")];

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Patients", "Who is in this system. What you filter by stays out of addresses and logs."))
        @if let Some(problem) = &view.problem { (notice(problem)) }
        (filter(view))
        section.panel aria-label="Patients" {
            @if view.rows.is_empty() { (nobody(view)) } @else {
                (table(view))
                (pager(&view.paging, "patient", "patients"))
            }
        }
    };
    framed(&view.frame, Some(Place::Patients), "Patients", &body)
}

fn filter(view: &View) -> Markup {
    let filter = &view.filter;
    html! {
        form.panel method="post" action=(url::PATIENTS) aria-label="Filter" {
            (csrf(&view.frame))
            div.body.padded {
                div.fields {
                    div.wide {
                        label for="name" { "Name" }
                        input id="name" name="name" value=(filter.name) maxlength="200" autocomplete="off" placeholder="start of any part of the name";
                    }
                    div {
                        label for="born" { "Born" }
                        input id="born" name="born" value=(filter.born) maxlength="40" autocomplete="off" placeholder="1960, ge1960-05, lt2000";
                    }
                    div {
                        label for="sex" { "Sex" }
                        select id="sex" name="sex" {
                            @for (value, word) in SEXES { option value=(value) selected[filter.sex == value] { (word) } }
                        }
                    }
                    div.actions {
                        button.primary { "Filter" }
                        @if !filter.is_empty() { a.button href=(url::PATIENTS) { "Clear" } }
                    }
                }
            }
        }
    }
}

fn nobody(view: &View) -> Markup {
    if view.filter.is_empty() && view.problem.is_none() {
        return empty(
            Icon::People,
            "No patients yet",
            "Load some, or make a synthetic population:",
            Some("salus import ./bundles   or   salus demo"),
        );
    }
    empty(
        Icon::People,
        "Nobody matches",
        "Try the start of the family name alone, or clear the filter.",
        None,
    )
}

fn table(view: &View) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of patients" {
            table.stacks.people {
                caption.sr { "Patients" }
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "Sex" } th scope="col" { "Age" } th scope="col" { "Born" }
                    th scope="col" { "Region" } th scope="col" { "Race" } th scope="col" { "Updated" }
                } }
                tbody { @for row in &view.rows { (person(row, view.frame.now)) } }
            }
        }
    }
}

fn person(row: &Row, now: Instant) -> Markup {
    let person = &row.person;
    let age = person.born.as_deref().and_then(|born| age_text(born, now));
    html! {
        tr data-row {
            th scope="row" {
                a.main.with-avatar href=(url::patient(&row.id)) {
                    span.avatar aria-hidden="true" { (person.name.as_deref().map_or("?".into(), initials_of)) }
                    (person.name.as_deref().unwrap_or("name unknown"))
                }
            }
            td data-label="Sex" { (or_unknown(person.sex.as_deref())) }
            td.nowrap data-label="Age" {
                @if person.died.is_some() { span.muted { "deceased" } } @else { (or_unknown(age.as_deref())) }
            }
            td.nowrap data-label="Born" { (or_unknown(person.born.as_deref())) }
            td data-label="Region" { (or_unknown(person.region.as_deref())) }
            td data-label="Race" { (or_unknown(person.race.as_deref())) }
            td.nowrap.muted data-label="Updated" { (ago(row.updated, now)) }
        }
    }
}
