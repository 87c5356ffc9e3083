//! Quarantine: rows that were set aside, with place, rule and reason. Their content is shown one row at a time, to those who may see it.

use fhir::Instant;
use maud::{Markup, html};

use super::{confirmed, short, tabs};
use crate::frame::{Frame, Place, csrf, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::{Notice, empty, notice};
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped};
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
    /// Rows by source, rule and state.
    pub counts: Vec<Count>,
    /// The rows of this page.
    pub rows: Vec<Row>,
    /// Where in the list this is.
    pub paging: Paging,
    /// The row whose content was asked for.
    pub opened: Option<Opened>,
    /// May they open rows.
    pub may_open: bool,
    /// May they replay and waive.
    pub may_change: bool,
    /// Something that just happened.
    pub notice: Option<Notice>,
}

/// Empty parts filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this pipeline.
    pub pipeline: String,
    /// Of this run.
    pub run: String,
    /// Of this source.
    pub source: String,
    /// Refused by this rule.
    pub rule: String,
    /// `open`, `replayed`, `waived`.
    pub state: String,
}

impl Filter {
    /// The address of the page with this filter.
    pub fn address(&self) -> String {
        url::with_query(url::QUARANTINE, &self.pairs())
    }

    fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            ("pipeline", self.pipeline.as_str()),
            ("run", self.run.as_str()),
            ("source", self.source.as_str()),
            ("rule", self.rule.as_str()),
            ("state", self.state.as_str()),
        ]
    }
}

/// How many rows a rule set aside.
#[derive(Clone, Debug)]
pub struct Count {
    /// The source.
    pub source: String,
    /// The rule.
    pub rule: String,
    /// The state.
    pub state: String,
    /// Rows.
    pub n: u64,
}

/// A row without its content.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number.
    pub id: u64,
    /// The run.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// The source.
    pub source: String,
    /// File or window.
    pub unit: String,
    /// Line, or number of the row.
    pub line: u64,
    /// Byte offset.
    pub byte: Option<u64>,
    /// The rule.
    pub rule: String,
    /// The column that was looked at.
    pub column: Option<String>,
    /// A word for machines.
    pub reason: String,
    /// A sentence, without values.
    pub message: String,
    /// `open`, `replayed`, `waived`.
    pub state: String,
    /// When that was decided.
    pub state_at: Option<Instant>,
}

/// The content of a row.
#[derive(Clone)]
pub struct Opened {
    /// Its number.
    pub id: u64,
    /// Where it stood.
    pub place: String,
    /// What stood there.
    pub text: String,
}

const STATES: [&str; 3] = ["open", "replayed", "waived"];

/// The page.
pub fn page(view: &View) -> Markup {
    let is_filtered = view.filter != Filter::default();
    let body = html! {
        (head("Quarantine", "Which rows were set aside, where they stood, and why. Nothing on this page is a value of a row."))
        (tabs("Quarantine"))
        @if let Some(told) = &view.notice { (notice(told)) }
        @if let Some(opened) = &view.opened { (content(opened)) }
        (filter(view, is_filtered))
        div.stack {
            @if !view.counts.is_empty() { (counts(view)) }
            section.panel aria-labelledby="rows" {
                header { h2 id="rows" { "Rows" } p { "By the order in which they were set aside." } }
                @if view.rows.is_empty() {
                    @if is_filtered { (empty(Icon::Shield, "No row matches", "Choose another rule or state, or clear the filter.", None)) }
                    @else { (empty(Icon::Shield, "Nothing is in quarantine", "Rows that cannot be read, and rows that a check with on_fail: quarantine refuses, appear here after a run:", Some("salus etl run pipeline.yaml"))) }
                } @else { (table(view)) (pager(&view.paging, "row", "rows")) }
                (how("quarantine", &[
                    ("Kept", "the row as it was read, sealed with the keys of this data folder".into()),
                    ("Opening a row", "asks the gate, and is recorded in the audit ledger with your name and purpose".into()),
                    ("Replay", "runs open rows through the pipeline as it is now; rows that pass are loaded, rows that fail are set aside again by the new run".into()),
                    ("Waive", "says that a row is not needed; it is kept and never runs again".into()),
                ]))
            }
        }
    };
    framed(&view.frame, Some(Place::Pipelines), "Quarantine", &body)
}

fn content(opened: &Opened) -> Markup {
    html! {
        section.panel.opened aria-labelledby="opened" {
            header { h2 id="opened" { "Content of row " (opened.id) } p { (opened.place) } div.end { (chip(Tone::Medium, "patient data")) } }
            pre.raw tabindex="0" { (opened.text) }
            p.hint.below { "That you opened it stands in the audit ledger." }
        }
    }
}

fn filter(view: &View, is_filtered: bool) -> Markup {
    let filter = &view.filter;
    let text = |name: &'static str, label: &str, value: &str, max: &str| {
        html! {
            div { label for=(name) { (label) } input id=(name) name=(name) value=(value) maxlength=(max) autocomplete="off" spellcheck="false"; }
        }
    };
    html! {
        form.panel method="get" action=(url::QUARANTINE) aria-label="Filter" {
            div.body.padded {
                div.fields {
                    (text("pipeline", "Pipeline", &filter.pipeline, "100"))
                    (text("run", "Run", &filter.run, "64"))
                    (text("source", "Source", &filter.source, "100"))
                    (text("rule", "Rule", &filter.rule, "100"))
                    div { label for="state" { "State" } select id="state" name="state" { option value="" { "any" } @for word in STATES { option value=(word) selected[word == filter.state] { (word) } } } }
                    div.actions { button.primary { "Filter" } @if is_filtered { a.button href=(url::QUARANTINE) { "Clear" } } }
                }
            }
        }
    }
}

fn counts(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="counts" {
            header { h2 id="counts" { "By rule" } p { (counted(view.counts.iter().map(|count| count.n).sum(), "row", "rows")) @if view.filter.run.is_empty() { ". Choose one run to replay or waive its rows." } } }
            div.scroll tabindex="0" role="region" aria-label="Table of rules" {
                table.stacks {
                    caption.sr { "Rows by source, rule and state" }
                    thead { tr { th scope="col" { "Rule" } th scope="col" { "Source" } th scope="col" { "State" } th.number scope="col" { "Rows" } th scope="col" { span.sr { "Action" } } } }
                    tbody { @for count in &view.counts { (count_row(view, count)) } }
                }
            }
        }
    }
}

fn count_row(view: &View, count: &Count) -> Markup {
    let here = Filter {
        source: count.source.clone(),
        rule: count.rule.clone(),
        state: count.state.clone(),
        ..view.filter.clone()
    };
    html! {
        tr data-row {
            th scope="row" { a.main href=(here.address()) { (count.rule) } }
            td data-label="Source" { (count.source) }
            td data-label="State" { (state(&count.state)) }
            td.number data-label="Rows" { (grouped(count.n)) }
            td.number { @if view.may_change && count.state == "open" && !view.filter.run.is_empty() { (actions(view, count)) } }
        }
    }
}

fn actions(view: &View, count: &Count) -> Markup {
    let rows = counted(count.n, "row", "rows");
    let form = |action: String, word: &str, class: &str| {
        html! {
            form method="post" action=(action) {
                (csrf(&view.frame))
                input type="hidden" name="source" value=(count.source);
                input type="hidden" name="rule" value=(count.rule);
                button class=(class) { (word) " " (rows) }
            }
        }
    };
    html! {
        div.actions.right {
            (confirmed("Replay", &format!("Runs {rows} that {} refused through the pipeline as it is now.", count.rule), &form(url::replay(&view.filter.run), "Replay", "")))
            (confirmed("Waive", &format!("Says that {rows} are not needed. They are kept, and never run again."), &form(url::waive(&view.filter.run), "Waive", "danger")))
        }
    }
}

fn table(view: &View) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of quarantined rows" {
            table.stacks {
                caption.sr { "Quarantined rows" }
                thead { tr {
                    th scope="col" { "Place" } th scope="col" { "Rule" } th scope="col" { "Why" } th scope="col" { "Source" } th scope="col" { "Run" } th scope="col" { "State" }
                    @if view.may_open { th scope="col" { span.sr { "Action" } } }
                } }
                tbody { @for row in &view.rows { (line(view, row)) } }
            }
        }
    }
}

fn line(view: &View, row: &Row) -> Markup {
    html! {
        tr data-row {
            th scope="row" { span.mono { (row.unit) } div.sub { "line " (grouped(row.line)) @if let Some(byte) = row.byte { ", byte " (grouped(byte)) } } }
            td data-label="Rule" { (row.rule) @if let Some(column) = &row.column { div.sub.mono { (column) } } }
            td data-label="Why" { (ticked(&row.message)) div.sub.mono { (row.reason) } }
            td data-label="Source" { (row.source) div.sub { (row.pipeline) } }
            td.nowrap data-label="Run" { a.mono href=(url::run(&row.run)) title=(row.run) { (short(&row.run)) } }
            td.nowrap data-label="State" { (state(&row.state)) @if let Some(at) = row.state_at { div.sub { (ago(at, view.frame.now)) } } }
            @if view.may_open { td.number { (confirmed("Open", "Shows what stands in this row. The audit ledger records that you did.", &html! { form method="post" action=(url::open_row(row.id)) { (csrf(&view.frame)) button { "Open row " (row.id) } } })) } }
        }
    }
}

fn state(word: &str) -> Markup {
    let tone = match word {
        "open" => Tone::Medium,
        "replayed" => Tone::Good,
        _ => Tone::Info,
    };
    chip(tone, word)
}
