//! One run: how it stands, how far it is, and what became of every row.

use maud::{Markup, html};

use super::facts::RunFacts;
use super::source::{equation, panel};
use super::{confirmed, runs, secs, status, tabs};
use crate::frame::{Frame, Place, csrf, framed};
use crate::parts::chip::Tone;
use crate::parts::empty::{Notice, notice};
use crate::parts::number::counted;
use crate::parts::time::{ago, exact};
use crate::parts::{head, how, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The run.
    pub run: RunFacts,
    /// May they stop it.
    pub may_run: bool,
    /// Rows set aside in it that wait.
    pub waiting: u64,
    /// Something that just happened.
    pub notice: Option<Notice>,
}

/// The page. The part with an address in `data-refresh` is fetched again by the module while the run is at work.
pub fn page(view: &View) -> Markup {
    let run = &view.run;
    let address = url::run(&run.row.run);
    let is_live = run.row.status == "running";
    let body = html! {
        (head(&format!("Run of {}", run.row.pipeline), "How it stands, and what became of every row that was read."))
        (tabs("Runs"))
        @if let Some(told) = &view.notice { (notice(told)) }
        div.stack id="run" data-refresh=[is_live.then_some(&address)] {
            (summary(view, is_live, &address))
            @for (at, source) in run.sources.iter().enumerate() { (panel(source, at, &run.row.run)) }
        }
    };
    framed(&view.frame, Some(Place::Pipelines), "Run", &body)
}

fn summary(view: &View, is_live: bool, address: &str) -> Markup {
    let (run, row) = (&view.run, &view.run.row);
    html! {
        section.panel aria-labelledby="summary" {
            header {
                h2 id="summary" { (status(&row.status)) }
                p { "started " (ago(row.started_at, view.frame.now)) @if let Some(took) = row.duration_secs { ", took " (secs(took)) } }
                @if is_live { div.end.live { span data-live { a href=(address) { "Reload" } } } }
            }
            @for told in told(view) { (notice(&told)) }
            div.body {
                @if let Some(sums) = &row.sums { (equation(sums, "all sources")) }
                dl.facts.first {
                    div { dt { "Run" } dd.mono { (row.run) } }
                    div { dt { "Pipeline" } dd { a href=(url::runs_of(&row.pipeline, "")) { (row.pipeline) } } }
                    div { dt { "Asked for by" } dd { (runs::by(&row.by)) } }
                    div { dt { "Started" } dd { (exact(row.started_at)) } }
                    div { dt { "Ended" } dd { @match row.ended_at { Some(at) => (exact(at)), None => span.muted { "not yet" } } } }
                    div { dt { "Attempts" } dd { (row.attempts) } }
                    div { dt { "File" } dd.mono { (run.file) } }
                    div { dt { "Hash of the file" } dd.mono title=(run.hash) { (run.hash.get(..12).unwrap_or(&run.hash)) } }
                }
                div.actions.below {
                    @if run.sources.iter().any(|source| source.quality.is_some()) { a.button href=(url::quality(&row.pipeline)) { "Quality over time" } a.button href=(url::report(&row.run)) { "Quality report" } }
                    @if view.waiting > 0 || run.sources.iter().any(|source| source.sums.quarantined > 0) {
                        a.button href=(url::with_query(url::QUARANTINE, &[("run", &row.run)])) { "Quarantine: " (counted(view.waiting, "row waits", "rows wait")) }
                    }
                    @if is_live && view.may_run {
                        (confirmed("Stop", "The run ends before the next rows are committed. What its finished sources loaded stays; nothing else is loaded.", &html! {
                            form method="post" action=(url::cancel(&row.run)) { (csrf(&view.frame)) button.danger { "Stop this run" } }
                        }))
                    }
                }
            }
            (how("a run", &[
                ("The sum", "rows read, and made by steps, equal the rows under the terms on the right; the program refuses to commit a source whose sums do not hold".into()),
                ("Loaded", "new, replaced and unchanged rows of the first target of each source".into()),
                ("Source", "the run's record, written with the commit of each source".into()),
            ]))
        }
    }
}

/// What one should know: what happened, what was not lost, what to do.
fn told(view: &View) -> Vec<Notice> {
    let (run, row) = (&view.run, &view.run.row);
    let mut told = Vec::new();
    let mut add = |tone, title: String, text: String| told.push(Notice { tone, title, text });
    match row.status.as_str() {
        "interrupted" => add(
            Tone::High,
            "The process of this run died".into(),
            format!("Sources that had committed are loaded, the others are not, and nothing is loaded twice. Continue: `salus etl resume {}`", row.run),
        ),
        "cancelled" => add(Tone::Medium, "The run was stopped".into(), "Sources that had committed are loaded, the others are not. Run the pipeline again: what is loaded is not loaded twice.".into()),
        _ => {}
    }
    if let Some(error) = &run.error {
        let next = format!(
            "No source was read and nothing was changed in any target. Correct what is named, then `salus etl run {}`",
            run.file
        );
        add(Tone::Critical, error.clone(), next);
    }
    for warning in &run.warnings {
        add(Tone::Medium, warning.clone(), "The rows are loaded all the same.".into());
    }
    if row.is_dry {
        add(
            Tone::Info,
            "This was a dry run".into(),
            "Everything was read, checked and counted; nothing was written.".into(),
        );
    }
    told
}

/// What to do about a source that was not loaded, by what failed.
pub(super) fn advice(failure: Option<&str>) -> &'static [(&'static str, &'static str)] {
    match failure {
        Some("source") => &[
            ("Not lost", "what earlier runs loaded stays; the other sources go on"),
            (
                "To do",
                "correct the source, or wait until it answers, and run the pipeline again: it starts where it stood",
            ),
        ],
        Some("gate") => &[
            (
                "Not lost",
                "nothing of this source was written, what earlier runs loaded stays, and quarantined rows are kept",
            ),
            (
                "To do",
                "look at the failing rules below, correct the data at its origin or the threshold in the file, and run again",
            ),
        ],
        Some("target") => &[
            ("Not lost", "the load was undone as a whole: the target is as it was before"),
            ("To do", "make the target answer, and run again: what is committed is not loaded twice"),
        ],
        Some("cancelled") => {
            &[("Not lost", "nothing of this source was written"), ("To do", "run the pipeline again")]
        }
        _ => &[],
    }
}

pub(super) fn failed(error: &str, failure: Option<&str>) -> Markup {
    html! {
        div.notice.critical role="alert" {
            span.shape aria-hidden="true" { (Tone::Critical.shape()) }
            div {
                p { strong { (ticked(error)) } }
                @for (what, text) in advice(failure) { p.muted { (what) ": " (text) "." } }
            }
        }
    }
}
