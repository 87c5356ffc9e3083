//! Audit: who did what, when, why, and how it ended.

use fhir::Instant;
use maud::{Markup, html};

use crate::frame::{Frame, Place, csrf, framed, purpose_text};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::number::grouped;
use crate::parts::pager::{Paging, pager};
use crate::parts::time::ago;
use crate::parts::{head, how, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// What was filtered by.
    pub filter: Filter,
    /// The records of this page, newest first.
    pub rows: Vec<Row>,
    /// Where in the ledger this is.
    pub paging: Paging,
}

/// What the ledger is filtered by; empty parts filter nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Id of a patient whom an answer named.
    pub patient: String,
    /// Who asked.
    pub principal: String,
}

/// One record.
#[derive(Clone)]
pub struct Row {
    /// Position in the ledger.
    pub seq: u64,
    /// When.
    pub at: Instant,
    /// Who.
    pub who: String,
    /// For whom, when a machine asks for a person.
    pub on_behalf_of: Option<String>,
    /// Why, a v3 code; empty when none was stated.
    pub purpose: String,
    /// What, `read`, `search`.
    pub action: String,
    /// Resource type.
    pub kind: Option<String>,
    /// Names of parameters, or why it was refused.
    pub detail: Option<String>,
    /// How many resources were released.
    pub count: u64,
    /// How it ended: `done`, `denied`, `not-found`, `gone`, `failed`.
    pub outcome: String,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Audit", "Who asked for what, when and why, and how it ended. Records are written before an answer leaves, and are never changed."))
        (filter(view))
        section.panel aria-label="Records" {
            @if view.rows.is_empty() {
                @if view.filter == Filter::default() { (empty(Icon::Ledger, "No records yet", "Every access appears here.", None)) }
                @else { (empty(Icon::Ledger, "No record matches", "Nobody was told of this patient, or this principal asked for nothing. Check the spelling.", None)) }
            } @else {
                (table(view))
                (pager(&view.paging, "record", "records"))
            }
            (how("the audit ledger", &[
                ("Recorded", "reads, searches, histories, counts, refusals, sign-ins and changes of tokens; a write is recorded by its entry in the change log".into()),
                ("Not recorded", "values of search parameters and content of resources".into()),
            ]))
        }
    };
    framed(&view.frame, Some(Place::Audit), "Audit", &body)
}

fn filter(view: &View) -> Markup {
    html! {
        form.panel method="post" action=(url::AUDIT) aria-label="Filter" {
            (csrf(&view.frame))
            div.body.padded {
                div.fields {
                    div.wide { label for="patient" { "Patient id" } input id="patient" name="patient" value=(view.filter.patient) maxlength="64" autocomplete="off" placeholder="records whose answer named this patient"; }
                    div.wide { label for="principal" { "Who" } input id="principal" name="principal" value=(view.filter.principal) maxlength="200" autocomplete="off" placeholder="token:…, session:…, service:…"; }
                    div.actions {
                        button.primary { "Filter" }
                        @if view.filter != Filter::default() { a.button href=(url::AUDIT) { "Clear" } }
                    }
                }
            }
        }
    }
}

fn table(view: &View) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of records" {
            table.stacks {
                caption.sr { "Records of the ledger" }
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Purpose" } th scope="col" { "Action" }
                    th scope="col" { "Type" } th.number scope="col" { "Released" } th scope="col" { "Outcome" } th scope="col" { "Detail" }
                } }
                tbody { @for row in &view.rows { (record(row, view.frame.now)) } }
            }
        }
    }
}

fn record(row: &Row, now: Instant) -> Markup {
    html! {
        tr data-row {
            td.nowrap data-label="When" { (ago(row.at, now)) }
            td data-label="Who" { span.mono.who-id title=(row.who) { (short(&row.who)) } @if let Some(person) = &row.on_behalf_of { div.sub { "for " (person) } } }
            td.nowrap data-label="Purpose" { @if row.purpose.is_empty() { span.unknown { "none stated" } } @else { span title=(row.purpose) { (purpose_text(&row.purpose)) } } }
            td.nowrap data-label="Action" { (row.action) }
            td.nowrap data-label="Type" { @match &row.kind { Some(kind) => (kind), None => span.muted { "–" } } }
            td.number data-label="Released" { (grouped(row.count)) }
            td data-label="Outcome" { (outcome(&row.outcome)) }
            td.muted data-label="Detail" { (ticked(row.detail.as_deref().unwrap_or("–"))) }
        }
    }
}

/// `session:0192f3a1-…` is long; its start tells it apart, and the whole is in the title.
fn short(who: &str) -> String {
    match who.split_once(':') {
        Some((kind, id)) if id.len() > 12 && id.is_ascii() => format!("{kind}:{}…", &id[..8]),
        _ => who.to_string(),
    }
}

fn outcome(word: &str) -> Markup {
    let tone = match word {
        "done" => Tone::Good,
        "denied" => Tone::Critical,
        "failed" => Tone::High,
        "not-found" | "gone" => Tone::Low,
        _ => Tone::Info,
    };
    chip(tone, &word.replace('-', " "))
}
