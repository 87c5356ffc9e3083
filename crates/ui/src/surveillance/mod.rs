//! Surveillance: counts of a measure over time with what was expected, the bound, and the days that were flagged.

mod chart;

use maud::{Markup, html};

use crate::frame::{Frame, Place, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped};
use crate::parts::{head, how, or_unknown};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Series there are.
    pub series: Vec<Series>,
    /// The one that is shown.
    pub shown: Option<Shown>,
    /// Detectors that can be chosen: code and name.
    pub algorithms: Vec<(String, String)>,
}

/// A series of counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What is counted.
    pub measure: String,
    /// Where.
    pub region: Option<String>,
    /// Group of the population.
    pub stratum: Option<String>,
    /// Days or weeks there are.
    pub n_points: u64,
    /// The last day with a count.
    pub last: String,
    /// The newest day is flagged by a detector.
    pub is_flagged: bool,
}

/// A series as one detector sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Which series.
    pub series: Series,
    /// The detector.
    pub algorithm: String,
    /// What it does, its parameters, its source.
    pub definition: Vec<(String, String)>,
    /// The points, the oldest first.
    pub points: Vec<Point>,
    /// Counts below this are not shown; 0 when nothing is suppressed.
    pub suppressed_below: u64,
}

/// A day or a week.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its first day.
    pub day: String,
    /// What was counted; `None` when nobody said, or when it is too small to be shown.
    pub observed: Option<u64>,
    /// What was expected; `None` while there is no baseline.
    pub expected: Option<f64>,
    /// The bound.
    pub bound: Option<f64>,
    /// The detector's statistic.
    pub statistic: Option<f64>,
    /// Flagged.
    pub is_flagged: bool,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Surveillance", "Which counts are higher than was to be expected, and since when."))
        @if view.series.is_empty() {
            div.panel { (empty(Icon::Chart, "No counts yet", "Send events of the kind population_health, with measure, day and count:", Some("salus stream publish counts.ndjson"))) }
        } @else {
            (choose(view))
            @if let Some(shown) = &view.shown { (series(shown)) }
            (list(view))
        }
    };
    framed(&view.frame, Some(Place::Surveillance), "Surveillance", &body)
}

fn choose(view: &View) -> Markup {
    let shown = view.shown.as_ref();
    let key = |series: &Series| (series.measure.clone(), series.region.clone(), series.stratum.clone());
    html! {
        form.panel method="get" action=(url::SURVEILLANCE) aria-label="What is shown" {
            div.body.padded {
                div.fields {
                    div.wide { label for="series" { "Series" } select id="series" name="series" {
                        @for one in &view.series { option value=(series_code(one)) selected[shown.is_some_and(|shown| key(&shown.series) == key(one))] { (series_name(one)) } }
                    } }
                    div { label for="algorithm" { "Detector" } select id="algorithm" name="algorithm" {
                        @for (code, name) in &view.algorithms { option value=(code) selected[shown.is_some_and(|shown| shown.algorithm == *code)] { (name) } }
                    } }
                    div.actions { button.primary { "Show" } }
                }
            }
        }
    }
}

/// How a series is named in an address: measure, region and stratum between bars.
pub fn series_code(series: &Series) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}|{}|{}", series.measure, part(&series.region), part(&series.stratum))
}

fn series_name(series: &Series) -> String {
    let place = series.region.as_deref().unwrap_or("everywhere");
    match &series.stratum {
        Some(stratum) => format!("{}, {place}, {stratum}", series.measure),
        None => format!("{}, {place}", series.measure),
    }
}

fn series(shown: &Shown) -> Markup {
    let flagged: Vec<&Point> = shown.points.iter().filter(|point| point.is_flagged).collect();
    html! {
        section.panel aria-labelledby="curve" {
            header {
                h2 id="curve" { (series_name(&shown.series)) }
                p { @match flagged.last() { Some(last) => { (chip(Tone::High, "flagged")) " " (counted(flagged.len() as u64, "time", "times")) ", last on " (last.day) }, None => { (chip(Tone::Good, "no flag")) } } }
                div.end.legend {
                    span { svg aria-hidden="true" viewBox="0 0 10 10" { rect.a width="10" height="10" rx="2" {} } "observed" }
                    span { svg aria-hidden="true" viewBox="0 0 10 10" { rect.expected y="4" width="10" height="2" {} } "expected" }
                    span { svg aria-hidden="true" viewBox="0 0 10 10" { rect.bound y="4" width="10" height="2" {} } "bound" }
                    span { span.flag-mark aria-hidden="true" { "▲" } " flag" }
                }
            }
            div.body {
                (chart::drawing(shown))
                details.fold { summary { "As a table" } (table(shown)) }
            }
            (definition(shown))
        }
    }
}

fn definition(shown: &Shown) -> Markup {
    let mut facts: Vec<(&str, String)> =
        shown.definition.iter().map(|(what, how)| (what.as_str(), how.clone())).collect();
    facts.push(("n", counted(shown.points.len() as u64, "point", "points")));
    if shown.suppressed_below > 0 {
        facts.push((
            "Suppressed",
            format!("counts from 1 to {} are not shown; the detector used them", shown.suppressed_below - 1),
        ));
    }
    how("the curve", &facts)
}

fn table(shown: &Shown) -> Markup {
    let number = |value: Option<f64>| html! { @match value { Some(value) => (format!("{value:.2}")), None => span.muted { "no baseline" } } };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of counts" {
            table {
                caption.sr { "Counts with expected value and bound" }
                thead { tr { th scope="col" { "From" } th.number scope="col" { "Observed" } th.number scope="col" { "Expected" } th.number scope="col" { "Bound" } th.number scope="col" { "Statistic" } th scope="col" { "Flag" } } }
                tbody { @for point in shown.points.iter().rev() { tr data-row {
                    th scope="row" { (point.day) }
                    td.number { @match point.observed { Some(n) => (grouped(n)), None => span.unknown { "unknown or suppressed" } } }
                    td.number { (number(point.expected)) } td.number { (number(point.bound)) }
                    td.number { @match point.statistic { Some(value) => (format!("{value:.2}")), None => span.muted { "–" } } }
                    td { @if point.is_flagged { (chip(Tone::High, "flagged")) } @else { span.muted { "–" } } }
                } } }
            }
        }
    }
}

fn list(view: &View) -> Markup {
    let algorithm = view.shown.as_ref().map_or("", |shown| shown.algorithm.as_str());
    html! {
        section.panel.below aria-labelledby="all-series" {
            header { h2 id="all-series" { "All series" } p { (counted(view.series.len() as u64, "series", "series")) } }
            div.scroll tabindex="0" role="region" aria-label="Table of series" {
                table.stacks {
                    caption.sr { "Series of counts" }
                    thead { tr { th scope="col" { "Measure" } th scope="col" { "Where" } th scope="col" { "Group" } th.number scope="col" { "Points" } th scope="col" { "Last" } th scope="col" { "Now" } } }
                    tbody { @for one in &view.series { tr data-row {
                        th scope="row" { a.main href=(url::with_query(url::SURVEILLANCE, &[("series", &series_code(one)), ("algorithm", algorithm)])) { (one.measure) } }
                        td data-label="Where" { @match &one.region { Some(region) => (region), None => "everywhere" } }
                        td data-label="Group" { @match &one.stratum { Some(stratum) => (stratum), None => "all people" } }
                        td.number data-label="Points" { (grouped(one.n_points)) }
                        td.nowrap data-label="Last" { (or_unknown(Some(&one.last))) }
                        td data-label="Now" { @if one.is_flagged { (chip(Tone::High, "flagged")) } @else { (chip(Tone::Good, "no flag")) } }
                    } } }
                }
            }
        }
    }
}
