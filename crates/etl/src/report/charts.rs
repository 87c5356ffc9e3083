//! Charts as SVG: positions are shares of the width, so that text keeps its size on every screen. Each has a text that says the same.

use maud::{Markup, html};

use crate::report::words::{percent, score};
use crate::report::{RuleQuality, SourceQuality, dimension_label};

/// Each row has its name and number on one line and the bar under it, so that names fit on small screens too.
const ROW: usize = 38;
const RULES_SHOWN_MAX: usize = 25;

fn at(share: f64) -> String {
    format!("{:.2}%", 100.0 * share.clamp(0.0, 1.0))
}

fn axis(rows: usize) -> Markup {
    let height = rows * ROW;
    html! {
        @for tick in 0..=4 {
            @let share = f64::from(tick) / 4.0;
            @let anchor = match tick { 0 => "start", 4 => "end", _ => "middle" };
            line class=(if tick == 0 { "axis" } else { "grid" }) x1=(at(share)) x2=(at(share)) y1="0" y2=(height) {}
            text x=(at(share)) y=(height + 16) text-anchor=(anchor) { (format!("{share:.2}")) }
        }
    }
}

fn row(
    at_row: usize,
    name: &str,
    number: &str,
    class: &str,
    share: Option<f64>,
    gate: Option<f64>,
) -> Markup {
    let y = at_row * ROW;
    html! {
        g.row {
            title { (name) ": " (number) }
            text.name x="4" y=(y + 15) { (name) }
            text.strong x="100%" y=(y + 15) text-anchor="end" { (number) }
            @if let Some(share) = share { rect class=(class) x="0" y=(y + 20) width=(at(share)) height="12" rx="2" {} }
            @if let Some(gate) = gate { line.gate x1=(at(gate)) x2=(at(gate)) y1=(y + 17) y2=(y + 35) {} }
        }
    }
}

/// Score per dimension, with the gate as a line.
pub(super) fn dimensions(quality: &SourceQuality) -> Markup {
    let n = quality.dimensions.len();
    html! {
        svg.chart width="100%" height=(n * ROW + 22) role="img" aria-label="Score per dimension from 0 to 1, with the gate of each as a line. The numbers are in the table below." {
            (axis(n))
            @for (index, own) in quality.dimensions.iter().enumerate() {
                @let gate = quality.gates.iter().find(|gate| gate.dimension == own.dimension.name());
                @let class = if gate.is_some_and(|gate| gate.passed == Some(false)) { "bad" } else { "a" };
                (row(index, dimension_label(own.dimension), &score(own.score), class, own.score, gate.map(|gate| gate.threshold)))
            }
        }
    }
}

/// Failing share per rule, the worst first.
pub(super) fn rules(rules: &[RuleQuality]) -> Markup {
    let mut failing: Vec<&RuleQuality> = rules.iter().filter(|rule| rule.n_failed > 0).collect();
    failing.sort_by(|a, b| b.share.unwrap_or(0.0).total_cmp(&a.share.unwrap_or(0.0)));
    let n_more = failing.len().saturating_sub(RULES_SHOWN_MAX);
    failing.truncate(RULES_SHOWN_MAX);
    let n = failing.len();
    html! {
        @if n > 0 {
            svg.chart width="100%" height=(n * ROW + 22) role="img" aria-label="Share of assessed rows that fail, per rule, the worst first. The numbers are in the table of rules." {
                (axis(n))
                @for (index, rule) in failing.iter().enumerate() {
                    // What there is a little of is still seen.
                    @let seen = rule.share.map(|share| share.max(0.004));
                    (row(index, &shortened(&rule.id), &percent(rule.share), "bad", seen, None))
                }
            }
            @if n_more > 0 { p.muted { (n_more) " more rules fail; they are in the table." } }
        } @else {
            p.muted { "No assessed row fails a rule." }
        }
    }
}

/// A name that fits beside its number.
fn shortened(name: &str) -> String {
    const CHARS_MAX: usize = 36;
    if name.chars().count() <= CHARS_MAX {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(CHARS_MAX - 1).collect();
    short.push('…');
    short
}

/// The overall score over the runs before and this one. Runs in which nothing was assessed leave a gap.
pub(super) fn trend(quality: &SourceQuality) -> Markup {
    let mut points: Vec<(Option<f64>, &str)> =
        quality.trend.iter().map(|point| (point.overall, point.at.as_str())).collect();
    points.push((quality.overall, &quality.at));
    let n = points.len();
    const HEIGHT: f64 = 120.0;
    let x = |at: usize| format!("{:.2}%", 8.0 + 88.0 * at as f64 / (n - 1).max(1) as f64);
    let y = |score: f64| format!("{:.1}", HEIGHT * (1.0 - score) + 8.0);
    html! {
        @if n > 1 {
            svg.chart width="100%" height="150" role="img" aria-label={ "Overall score of the last " (n) " runs, from 0 to 1. The numbers are in the table below." } {
                @for tick in 0..=4 {
                    @let share = f64::from(tick) / 4.0;
                    line class=(if tick == 0 { "axis" } else { "grid" }) x1="8%" x2="96%" y1=(y(share)) y2=(y(share)) {}
                    text x="6%" y=(y(share)) dy="4" text-anchor="end" { (format!("{share:.2}")) }
                }
                @for (index, pair) in points.windows(2).enumerate() {
                    @if let (Some(one), Some(other)) = (pair[0].0, pair[1].0) {
                        line.trend x1=(x(index)) x2=(x(index + 1)) y1=(y(one)) y2=(y(other)) {}
                    }
                }
                @for (index, (value, when)) in points.iter().enumerate() {
                    @if let Some(value) = value {
                        circle.a cx=(x(index)) cy=(y(*value)) r="4" { title { (when) ": " (score(Some(*value))) } }
                    }
                }
                text x="8%" y="146" { (day(points[0].1)) }
                text x="96%" y="146" text-anchor="end" { (day(points[n - 1].1)) }
            }
            (trend_table(&quality.source, &points))
        } @else {
            p.muted { "This is the first run: there is no trend yet." }
        }
    }
}

fn day(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}

fn trend_table(source: &str, points: &[(Option<f64>, &str)]) -> Markup {
    html! {
        details.fold {
            summary { "As a table" }
            div.scroll tabindex="0" role="region" aria-label={ "Table of runs of " (source) } { table {
                caption.sr { "Overall score per run" }
                thead { tr { th scope="col" { "Run" } th.number scope="col" { "Overall score" } } }
                tbody { @for (value, at) in points { tr { th scope="row" { time datetime=(at) { (at) } } td.number { (score(*value)) } } } }
            } }
        }
    }
}
