//! Pipelines: what there is, what it is for, when it runs, how it went last.

use fhir::Instant;
use maud::{Markup, html};

use super::facts::{Listed, RunRow};
use super::{level, status, tabs};
use crate::frame::{Frame, Place, csrf, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::{Notice, empty, notice};
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped};
use crate::parts::time::ago;
use crate::parts::{head, how, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The folder that the configuration names.
    pub folder: String,
    /// Pipelines, by name.
    pub pipelines: Vec<Listed>,
    /// May they start a run.
    pub may_run: bool,
    /// Something that just happened.
    pub notice: Option<Notice>,
}

const ANSWERS: &str = "What flows from where to where, when it runs, and how its last run went.";

/// The page.
pub fn page(view: &View) -> Markup {
    let (broken, fine): (Vec<&Listed>, Vec<&Listed>) =
        view.pipelines.iter().partition(|listed| !listed.faults.is_empty());
    let body = html! {
        (head("Pipelines", ANSWERS))
        (tabs("Pipelines"))
        @if let Some(told) = &view.notice { (notice(told)) }
        @for listed in broken { (faults(listed)) }
        section.panel aria-label="Pipelines" {
            @if fine.is_empty() {
                (empty(Icon::Flow, "No pipelines yet", &format!("Put a pipeline file into {}, or run one from anywhere; it then appears here:", view.folder), Some("salus etl run pipeline.yaml")))
            } @else {
                (table(view, &fine))
            }
            (how("the list of pipelines", &[
                ("Pipelines", format!("files ending in .yaml or .yml in {}, and every pipeline that ever ran on this data folder", view.folder)),
                ("Quality", "the level of the last run whose sources were assessed; the lowest of its sources".into()),
                ("Next run", "by the schedule in the file; a server that was down runs a missed time once".into()),
            ]))
        }
    };
    framed(&view.frame, Some(Place::Pipelines), "Pipelines", &body)
}

/// The page of a server that was given no pipelines.
pub fn unconfigured_page(frame: &Frame) -> Markup {
    let body = html! {
        (head("Pipelines", ANSWERS))
        section.panel aria-label="Pipelines" {
            (empty(Icon::Flow, "Pipelines are not configured", "This server was started without them. Runs are recorded by the command line, and shown by a server on the same data folder:", Some("salus serve --data-dir DIR")))
        }
    };
    framed(frame, Some(Place::Pipelines), "Pipelines", &body)
}

fn faults(listed: &Listed) -> Markup {
    html! {
        div.notice.critical role="alert" {
            span.shape aria-hidden="true" { (Tone::Critical.shape()) }
            div {
                p { strong { "The pipeline file " code { (listed.file.as_deref().unwrap_or(&listed.name)) } " cannot be read, and does not run" } }
                ul.faults {
                    @for fault in &listed.faults {
                        li { @if fault.line > 0 { span.mono { (fault.line) ":" (fault.column) } " " } (ticked(&fault.message)) }
                    }
                }
                p.muted { "What was loaded before stays as it is. Correct the file; " code { "salus etl check " (listed.file.as_deref().unwrap_or(&listed.name)) } " says the same." }
            }
        }
    }
}

fn table(view: &View, pipelines: &[&Listed]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of pipelines" {
            table.stacks {
                caption.sr { "Pipelines" }
                thead { tr {
                    th scope="col" { "Pipeline" } th scope="col" { "Flows" } th scope="col" { "Last run" } th.number scope="col" { "Read" } th.number scope="col" { "Loaded" }
                    th.number scope="col" { "Quarantined" } th scope="col" { "Quality" } th scope="col" { "Schedule" } th scope="col" { span.sr { "Action" } }
                } }
                tbody { @for listed in pipelines { (row(view, listed)) } }
            }
        }
    }
}

fn row(view: &View, listed: &Listed) -> Markup {
    let now = view.frame.now;
    let sums = listed.last.as_ref().and_then(|run| run.sums);
    let number =
        |of: Option<u64>| html! { @match of { Some(n) => (grouped(n)), None => span.muted { "–" } } };
    html! {
        tr data-row {
            th scope="row" {
                a.main href=(url::runs_of(&listed.name, "")) { (listed.name) }
                @if let Some(text) = &listed.description { div.sub.words { (text) } }
                @if listed.file.is_none() { div.sub { "its file is not in the folder" } }
                @if let Some(trouble) = &listed.trouble { div.sub.words { (chip(Tone::High, "not run")) " " (ticked(trouble)) } }
            }
            td data-label="Flows" { div.flows { @for flow in &listed.flows { div { span title=(flow.kind) { (flow.source) } " → "
                @for (at, (name, kind)) in flow.targets.iter().enumerate() { @if at > 0 { ", " } span title=(kind) { (name) } }
                @if flow.targets.is_empty() { span.muted { "nothing" } }
            } } } @if listed.flows.is_empty() { span.unknown { "unknown" } } }
            td.nowrap data-label="Last run" { (last(listed.last.as_ref(), now)) }
            td.number data-label="Read" { (number(sums.map(|sums| sums.read))) }
            td.number data-label="Loaded" { (number(sums.map(|sums| sums.loaded + sums.already))) }
            td.number data-label="Quarantined" { (number(sums.map(|sums| sums.quarantined))) }
            td.nowrap data-label="Quality" {
                @match &listed.quality {
                    Some((word, _)) => a href=(url::quality(&listed.name)) { (level(word)) },
                    None => span.unknown { "not assessed" },
                }
            }
            td.nowrap data-label="Schedule" {
                @match &listed.schedule {
                    Some(schedule) => { code { (schedule.written) } @if let Some(next) = schedule.next { div.sub { "next " (ago(next, now)) } } },
                    None => span.muted { "by hand" },
                }
            }
            td.number { @if view.may_run && listed.file.is_some() && !is_at_work(listed) { form method="post" action=(url::start(&listed.name)) { (csrf(&view.frame)) button.small { "Run now" span.sr { " " (listed.name) } } } } }
        }
    }
}

fn is_at_work(listed: &Listed) -> bool {
    listed.last.as_ref().is_some_and(|run| run.status == "running")
}

fn last(run: Option<&RunRow>, now: Instant) -> Markup {
    html! {
        @match run {
            Some(run) => { a href=(url::run(&run.run)) { (status(&run.status)) } div.sub { (ago(run.started_at, now)) @if run.attempts > 1 { ", " (counted(u64::from(run.attempts), "attempt", "attempts")) } } },
            None => span.muted { "never" },
        }
    }
}
