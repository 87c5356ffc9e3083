//! Runs of pipelines, the newest first.

use maud::{Markup, html};

use super::facts::RunRow;
use super::{secs, short, status, tabs};
use crate::frame::{Frame, Place, framed};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped};
use crate::parts::time::ago;
use crate::parts::{head, how};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Only of this pipeline; empty: of all.
    pub pipeline: String,
    /// Only with this status; empty: with any.
    pub status: String,
    /// Names that can be chosen.
    pub pipelines: Vec<String>,
    /// The newest first.
    pub rows: Vec<RunRow>,
    /// The most that a page shows.
    pub rows_max: usize,
}

const STATUSES: [&str; 6] =
    ["running", "completed", "completed_with_errors", "failed", "cancelled", "interrupted"];

/// The page.
pub fn page(view: &View) -> Markup {
    let is_filtered = !view.pipeline.is_empty() || !view.status.is_empty();
    let body = html! {
        (head("Runs", "Each run of a pipeline: when, by whom, how it ended, and where its rows went."))
        (tabs("Runs"))
        (filter(view, is_filtered))
        section.panel aria-label="Runs" {
            @if view.rows.is_empty() {
                @if is_filtered { (empty(Icon::Flow, "No run matches", "Choose another pipeline or status, or clear the filter.", None)) }
                @else { (empty(Icon::Flow, "Nothing has run yet", "Run a pipeline:", Some("salus etl run pipeline.yaml"))) }
            } @else {
                (table(view))
                p.pager { (counted(view.rows.len() as u64, "run", "runs")) @if view.rows.len() >= view.rows_max { ", the newest; the rest by " code { "salus etl runs" } } }
            }
            (how("the list of runs", &[
                ("Runs", "by the command line, by schedule, and from these pages: all that were recorded in this data folder".into()),
                ("Interrupted", "its process died; nothing of it is loaded twice when it is resumed".into()),
            ]))
        }
    };
    framed(&view.frame, Some(Place::Pipelines), "Runs", &body)
}

fn filter(view: &View, is_filtered: bool) -> Markup {
    html! {
        form.panel method="get" action=(url::RUNS) aria-label="Filter" {
            div.body.padded {
                div.fields {
                    div { label for="pipeline" { "Pipeline" } select id="pipeline" name="pipeline" {
                        option value="" { "any" }
                        @for name in &view.pipelines { option value=(name) selected[*name == view.pipeline] { (name) } }
                    } }
                    div { label for="status" { "Status" } select id="status" name="status" {
                        option value="" { "any" }
                        @for word in STATUSES { option value=(word) selected[word == view.status] { (word.replace('_', " ")) } }
                    } }
                    div.actions { button.primary { "Filter" } @if is_filtered { a.button href=(url::RUNS) { "Clear" } } }
                }
            }
        }
    }
}

fn table(view: &View) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of runs" {
            table.stacks {
                caption.sr { "Runs" }
                thead { tr {
                    th scope="col" { "Run" } th scope="col" { "Pipeline" } th scope="col" { "Status" } th scope="col" { "Started" } th.number scope="col" { "Took" }
                    th.number scope="col" { "Read" } th.number scope="col" { "Loaded" } th.number scope="col" { "Quarantined" } th.number scope="col" { "Filtered" } th.number scope="col" { "Deduplicated" } th scope="col" { "By" }
                } }
                tbody { @for run in &view.rows { (row(view, run)) } }
            }
        }
    }
}

fn row(view: &View, run: &RunRow) -> Markup {
    let cell = |label: &str, of: fn(&super::Sums) -> u64| {
        html! {
            td.number data-label=(label) { @match &run.sums { Some(sums) => (grouped(of(sums))), None => span.muted { "–" } } }
        }
    };
    html! {
        tr data-row {
            th scope="row" { a.main.mono href=(url::run(&run.run)) title=(run.run) { (short(&run.run)) } @if run.is_dry { div.sub { "dry run" } } }
            td data-label="Pipeline" { (run.pipeline) }
            td.nowrap data-label="Status" { (status(&run.status)) }
            td.nowrap data-label="Started" { (ago(run.started_at, view.frame.now)) }
            td.number data-label="Took" { @match run.duration_secs { Some(took) => (secs(took)), None => span.muted { "–" } } }
            (cell("Read", |sums| sums.read))
            (cell("Loaded", |sums| sums.loaded + sums.already))
            (cell("Quarantined", |sums| sums.quarantined))
            (cell("Filtered", |sums| sums.filtered))
            (cell("Deduplicated", |sums| sums.deduplicated))
            td.nowrap.muted data-label="By" { (by(&run.by)) }
        }
    }
}

/// `session:0192f3a1-…` is long; its start tells it apart.
pub(super) fn by(who: &str) -> Markup {
    let short = match who.split_once(':') {
        Some((kind, id)) if id.len() > 12 && id.is_ascii() => format!("{kind}:{}…", &id[..8]),
        _ => who.to_string(),
    };
    html! { span title=(who) { (short) } }
}
