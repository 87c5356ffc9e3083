//! Quality of a pipeline over its runs: scores per dimension, failing rules with masked rows, what to do.

use fhir::Instant;
use maud::{Markup, html};

use super::facts::Gate;
use super::trend::{self, Scores};
use super::{level, score, short, tabs};
use crate::frame::{Frame, Place, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped, share};
use crate::parts::time::ago;
use crate::parts::{head, how, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The pipeline.
    pub pipeline: String,
    /// Each source.
    pub sources: Vec<SourceTrend>,
}

/// A source over runs.
#[derive(Clone, Debug, Default)]
pub struct SourceTrend {
    /// Its name.
    pub source: String,
    /// Names of the dimensions.
    pub dimensions: Vec<String>,
    /// Runs that assessed it, the oldest first.
    pub points: Vec<Point>,
    /// Gates of the newest run.
    pub gates: Vec<Gate>,
    /// Why the newest run did not load it.
    pub refused: Vec<String>,
    /// Rules that failed in the newest run.
    pub rules: Vec<Rule>,
    /// What to do.
    pub advice: Vec<Advice>,
}

/// One run of it.
#[derive(Clone, Debug)]
pub struct Point {
    /// The run.
    pub run: String,
    /// When.
    pub at: Instant,
    /// Rows assessed.
    pub n_rows: u64,
    /// The mean of the assessed dimensions.
    pub overall: Option<f64>,
    /// In a word.
    pub level: Option<String>,
    /// One per dimension.
    pub scores: Vec<Option<f64>>,
}

/// A rule that failed.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Its id in the file.
    pub id: String,
    /// The columns it looks at.
    pub columns: Vec<String>,
    /// What must hold.
    pub must: String,
    /// The dimension it counts to.
    pub dimension: String,
    /// What happens to rows that fail.
    pub on_fail: String,
    /// Rows judged.
    pub n_assessed: u64,
    /// Rows that fail.
    pub n_failed: u64,
    /// Places of some of them, with the shape of the value.
    pub samples: Vec<Sample>,
}

/// The place of a row that fails. The value is masked: letters are `A` or `a`, digits `9`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// File or window.
    pub unit: String,
    /// Line, or number of the row.
    pub line: u64,
    /// Byte offset.
    pub byte: Option<u64>,
    /// The shape of the value; `None`: missing, or not shown.
    pub shape: Option<String>,
}

/// What to do about a rule.
#[derive(Clone, Debug)]
pub struct Advice {
    /// The rule.
    pub rule: String,
    /// What was found.
    pub found: String,
    /// What to do.
    pub hint: String,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head(&format!("Quality of {}", view.pipeline), "How good what was read is, over runs; which rules fail, where, and what to do."))
        (tabs("Pipelines"))
        div.stack {
            @if view.sources.is_empty() {
                section.panel aria-label="Quality" { (empty(Icon::Gauge, "Nothing was assessed yet", "Quality is assessed by the checks of a run that reads a source to its end:", Some("salus etl run pipeline.yaml"))) }
            }
            @for (at, source) in view.sources.iter().enumerate() { (panel(view, source, at)) }
        }
    };
    framed(&view.frame, Some(Place::Pipelines), "Quality", &body)
}

fn panel(view: &View, source: &SourceTrend, at: usize) -> Markup {
    let (id, newest) = (format!("quality-{at}"), source.points.last());
    let of = |dimension: usize| {
        source.points.iter().map(|point| point.scores.get(dimension).copied().flatten()).collect()
    };
    let gate = |name: &str| {
        source.gates.iter().find(|gate| gate.dimension.eq_ignore_ascii_case(name)).map(|gate| gate.threshold)
    };
    let overall = source.points.iter().map(|point| point.overall).collect();
    let mut rows = vec![Scores { name: "overall", scores: overall, gate: gate("overall") }];
    let own = source.dimensions.iter().enumerate();
    rows.extend(own.map(|(at, name)| Scores { name, scores: of(at), gate: gate(name) }));
    html! {
        section.panel aria-labelledby=(id) {
            header {
                h2 id=(id) { (source.source) }
                @if let Some(newest) = newest { p { (counted(newest.n_rows, "row", "rows")) " assessed in the newest run, " (ago(newest.at, view.frame.now)) } div.end { @if let Some(word) = &newest.level { (level(word)) } } }
            }
            @for why in &source.refused { div.notice.critical role="alert" { span.shape aria-hidden="true" { (Tone::Critical.shape()) } div { p { strong { (ticked(why)) } } p.muted { "The newest run did not load this source; what was loaded before stays." } } } }
            div.body {
                (trend::drawing(source, &rows))
                details.fold { summary { "As a table" } (table(source, &rows)) }
                @if source.advice.is_empty() { p { (chip(Tone::Good, "no rule fails")) " in the newest run" } }
                @else { h3 { "What to do" } ol.advice { @for advice in &source.advice { li { strong { (advice.rule) } " " (ticked(&advice.found)) ". " span.muted { (ticked(&advice.hint)) } } } } }
                @if !source.rules.is_empty() { h3 { "Failing rules" } (rules(view, source)) }
            }
            (how(&format!("quality of {}", source.source), &[
                ("Dimension", "the mean of the shares of rows that pass each of its rules; a dimension without an assessed rule is not assessed, never 1".into()),
                ("Overall", "the mean of the assessed dimensions; one failed gate makes the source unacceptable, whatever the mean".into()),
                ("Levels", "excellent from 0.95, good from 0.85, acceptable from 0.75, poor from 0.60".into()),
                ("Dashed line", "the gate of the newest run".into()),
                ("Masked values", "letters as A or a, digits as 9; the values themselves are in no report".into()),
                ("n", newest.map_or_else(|| "0".into(), |newest| grouped(newest.n_rows))),
            ]))
        }
    }
}

fn table(source: &SourceTrend, rows: &[Scores<'_>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Table of scores of " (source.source) } {
            table {
                caption.sr { "Scores of " (source.source) " by run" }
                thead { tr { th scope="col" { "Run" } th.number scope="col" { "Rows" } @for one in rows { th.number scope="col" { (one.name) } } } }
                tbody { @for (at, point) in source.points.iter().enumerate().rev() { tr {
                    th scope="row" { a.mono href=(url::run(&point.run)) title=(point.run) { (short(&point.run)) } }
                    td.number { (grouped(point.n_rows)) }
                    @for one in rows { td.number { (score(one.scores.get(at).copied().flatten())) } }
                } } }
            }
        }
    }
}

fn rules(view: &View, source: &SourceTrend) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Table of failing rules of " (source.source) } {
            table.stacks {
                caption.sr { "Failing rules of " (source.source) }
                thead { tr { th scope="col" { "Rule" } th scope="col" { "What must hold" } th scope="col" { "Dimension" } th.number scope="col" { "Fail" } th.number scope="col" { "Of" } th.number scope="col" { "Share" } th scope="col" { "Then" } th scope="col" { "Where" } } }
                tbody { @for rule in &source.rules { tr data-row {
                    th scope="row" { a.main href=(url::with_query(url::QUARANTINE, &[("pipeline", &view.pipeline), ("source", &source.source), ("rule", &rule.id)])) { (rule.id) } }
                    td data-label="Must" { span.mono { (rule.columns.join(", ")) } " " (rule.must) }
                    td data-label="Dimension" { (rule.dimension) }
                    td.number data-label="Fail" { (grouped(rule.n_failed)) } td.number data-label="Of" { (grouped(rule.n_assessed)) } td.number data-label="Share" { (share(rule.n_failed, rule.n_assessed).unwrap_or_default()) }
                    td.nowrap data-label="Then" { (rule.on_fail) }
                    td data-label="Where" { (places(rule)) }
                } } }
            }
        }
    }
}

fn places(rule: &Rule) -> Markup {
    html! {
        @if rule.samples.is_empty() { span.muted { "–" } } @else {
            details.fold {
                summary { (counted(rule.samples.len() as u64, "row", "rows")) span.sr { " that fail " (rule.id) } }
                ul.places { @for sample in &rule.samples { li { span.mono { (sample.unit) ":" (sample.line) } @if let Some(byte) = sample.byte { span.muted { " byte " (grouped(byte)) } } " " @match &sample.shape { Some(shape) => code { (shape) }, None => span.unknown { "missing" } } } } }
            }
        }
    }
}
