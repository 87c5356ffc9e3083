//! Dead letters: what could not be processed, why, and where it stood; opened one at a time, sent again when the cause is gone.

use fhir::Instant;
use maud::{Markup, html};

use super::{cause, tabs};
use crate::frame::{Frame, Place, csrf, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::{Notice, empty, notice};
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped};
use crate::parts::pager::{Paging, pager};
use crate::parts::time::ago;
use crate::parts::{head, how};
use crate::pipelines::confirmed;
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// `open`, `replayed`; empty for all.
    pub state: String,
    /// How many there are by cause.
    pub causes: Vec<Cause>,
    /// The letters of this page, the oldest first.
    pub letters: Vec<Letter>,
    /// Where in the list this is.
    pub paging: Paging,
    /// The letter whose content was asked for.
    pub opened: Option<Opened>,
    /// May they open letters.
    pub may_open: bool,
    /// May they send them again.
    pub may_replay: bool,
    /// Something that just happened.
    pub notice: Option<Notice>,
}

/// How many letters have a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// A word for machines, `unit-missing`.
    pub reason: String,
    /// Letters that wait.
    pub open: u64,
    /// Letters in all.
    pub all: u64,
}

/// A dead letter without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number.
    pub id: u64,
    /// When it was set aside.
    pub at: Instant,
    /// The kind of event, when it came so far.
    pub kind: Option<String>,
    /// Who sent it.
    pub source: String,
    /// A word for machines.
    pub reason: String,
    /// A sentence, without values.
    pub message: String,
    /// Where it stood in the log; `None` when it was refused at the door.
    pub position: Option<String>,
    /// `open`, `queued`, `replayed`, `waived`.
    pub state: String,
}

/// What stands in a letter.
#[derive(Clone)]
pub struct Opened {
    /// Its number.
    pub id: u64,
    /// The original bytes, as text.
    pub text: String,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Dead letters", "Which events could not be processed, why, and where they stood. Nothing in the lists is a value."))
        (tabs("Dead letters"))
        @if let Some(told) = &view.notice { (notice(told)) }
        @if let Some(opened) = &view.opened { (content(opened)) }
        div.stack {
            @if !view.causes.is_empty() { (causes(view)) }
            section.panel aria-labelledby="letters" {
                header { h2 id="letters" { "Letters" } p { @if view.state.is_empty() { "All, the oldest first." } @else { (view.state) ", the oldest first." } } p.end { (states(view)) } }
                @if view.letters.is_empty() { (empty(Icon::Stream, "No dead letter", "Every event that was received could be processed.", None)) }
                @else { (table(view)) (pager(&view.paging, "letter", "letters")) }
                (how("dead letters", &[
                    ("Kept", "the original bytes, the cause, and the place in the log; nothing is lost by being here".into()),
                    ("Send again", "the bytes go through the door once more, as it is now; what was processed before is not processed twice".into()),
                    ("Opening", "is recorded in the audit ledger".into()),
                ]))
            }
        }
    };
    framed(&view.frame, Some(Place::Streams), "Dead letters", &body)
}

fn content(opened: &Opened) -> Markup {
    html! {
        section.panel.opened aria-labelledby="opened" {
            header { h2 id="opened" { "Letter " (opened.id) } p { "As it came. That it was opened is in the audit ledger." } }
            pre.raw tabindex="0" role="region" aria-label="Content of the letter" { (opened.text) }
        }
    }
}

fn states(view: &View) -> Markup {
    html! {
        @for (at, (code, word)) in [("open", "open"), ("replayed", "sent again"), ("", "all")].into_iter().enumerate() {
            @if at > 0 { " · " }
            @if view.state == code { strong { (word) } } @else { a href=(url::with_query(url::DEAD_LETTERS, &[("state", if code.is_empty() { "all" } else { code })])) { (word) } }
        }
    }
}

fn causes(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="causes" {
            header { h2 id="causes" { "Causes" } }
            div.scroll tabindex="0" role="region" aria-label="Table of causes" {
                table.stacks {
                    caption.sr { "Causes of dead letters" }
                    thead { tr { th scope="col" { "Cause" } th.number scope="col" { "Open" } th.number scope="col" { "All" } th scope="col" { span.sr { "Action" } } } }
                    tbody { @for one in &view.causes { tr data-row {
                        th scope="row" { code { (one.reason) } }
                        td.number data-label="Open" { (grouped(one.open)) }
                        td.number data-label="All" { (grouped(one.all)) }
                        td.number { @if view.may_replay && one.open > 0 { (confirmed("Send again", &format!("Send {} through the door again? Correct the cause first.", counted(one.open, "letter", "letters")), &replay(view, "reason", &one.reason))) } }
                    } } }
                }
            }
        }
    }
}

fn replay(view: &View, name: &str, value: &str) -> Markup {
    html! {
        form method="post" action=(url::DEAD_REPLAY) { (csrf(&view.frame)) input type="hidden" name=(name) value=(value); button { "Send again" } }
    }
}

fn table(view: &View) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of letters" {
            table.stacks {
                caption.sr { "Dead letters" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Cause" } th scope="col" { "Kind" } th scope="col" { "Source" } th scope="col" { "Place" } th scope="col" { "State" } th scope="col" { span.sr { "Actions" } } } }
                tbody { @for letter in &view.letters { (row(view, letter)) } }
            }
        }
    }
}

fn row(view: &View, letter: &Letter) -> Markup {
    let tone = if letter.state == "open" { Tone::Medium } else { Tone::Info };
    html! {
        tr data-row {
            td.nowrap data-label="When" { (ago(letter.at, view.frame.now)) }
            th scope="row" { code { (letter.reason) } div.sub.words { (cause(&letter.message)) } }
            td data-label="Kind" { @match &letter.kind { Some(kind) => (kind), None => span.unknown { "unknown" } } }
            td data-label="Source" { (letter.source) }
            td.mono data-label="Place" { @match &letter.position { Some(position) => (position), None => span.muted { "refused at the door" } } }
            td data-label="State" { (chip(tone, &letter.state)) }
            td {
                div.actions.right {
                    @if view.may_open { form method="post" action=(url::open_letter(letter.id)) { (csrf(&view.frame)) button.small { "Open" span.sr { " letter " (letter.id) } } } }
                    @if view.may_replay && letter.state == "open" { form method="post" action=(url::DEAD_REPLAY) { (csrf(&view.frame)) input type="hidden" name="id" value=(letter.id); button.small { "Send again" span.sr { " letter " (letter.id) } } } }
                }
            }
        }
    }
}
