//! Pipelines as people see them: what there is, what ran, what became of every row, how good it was, what was set aside.

mod facts;
mod list;
mod quality;
mod quarantine;
mod run;
mod runs;
mod source;
mod trend;

pub use facts::{
    Fault, Flow, Gate, Listed, Progress, RunFacts, RunRow, Schedule, Source, Step, Sums, Target, Unit,
};
pub use list::{View as ListView, page as list_page, unconfigured_page};
pub use quality::{Advice, Point, Rule, Sample, SourceTrend, View as QualityView, page as quality_page};
pub use quarantine::{
    Count, Filter as RowFilter, Opened, Row, View as QuarantineView, page as quarantine_page,
};
pub use run::{View as RunView, page as run_page};
pub use runs::{View as RunsView, page as runs_page};

use maud::{Markup, html};

use crate::parts::chip::{Tone, chip};
use crate::url;

/// How a run or a source stands.
pub(crate) fn status(word: &str) -> Markup {
    let tone = match word {
        "completed" | "committed" => Tone::Good,
        "running" => Tone::Low,
        "completed_with_errors" | "interrupted" | "aborted" => Tone::Medium,
        "failed" => Tone::Critical,
        _ => Tone::Info,
    };
    chip(tone, &word.replace('_', " "))
}

/// A level of quality.
pub(crate) fn level(word: &str) -> Markup {
    let tone = match word {
        "excellent" | "good" => Tone::Good,
        "acceptable" => Tone::Low,
        "poor" => Tone::High,
        "unacceptable" => Tone::Critical,
        _ => Tone::Info,
    };
    chip(tone, word)
}

/// A score as people compare it, or the words "not assessed".
pub(crate) fn score(score: Option<f64>) -> Markup {
    html! { @match score { Some(score) => (format!("{score:.3}")), None => span.unknown { "not assessed" } } }
}

/// The first letters of a run's id tell it apart.
pub(crate) fn short(run: &str) -> &str {
    run.get(run.len().saturating_sub(12)..).unwrap_or(run)
}

/// Links between the pages about pipelines.
pub(crate) fn tabs(here: &str) -> Markup {
    let pages = [("Pipelines", url::PIPELINES), ("Runs", url::RUNS), ("Quarantine", url::QUARANTINE)];
    html! {
        nav.tabs aria-label="About pipelines" {
            ul { @for (name, path) in pages { li { a href=(path) aria-current=[(name == here).then_some("page")] { (name) } } } }
        }
    }
}

/// Seconds for people.
pub(crate) fn secs(secs: f64) -> String {
    match secs {
        secs if secs < 60.0 => format!("{secs:.1} s"),
        secs if secs < 3_600.0 => format!("{:.0} min {:.0} s", (secs / 60.0).floor(), secs % 60.0),
        secs => format!("{:.0} h {:.0} min", (secs / 3_600.0).floor(), (secs % 3_600.0 / 60.0).floor()),
    }
}

/// Something that asks before it happens, without script: the second button is behind the first.
pub(crate) fn confirmed(word: &str, asks: &str, form: &Markup) -> Markup {
    html! {
        details.menu.confirm {
            summary.button { (word) }
            div.sheet { p { (asks) } (form) }
        }
    }
}
