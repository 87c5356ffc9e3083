//! Scores over runs: one small drawing per dimension, from 0 to 1, with the gate as a line.

use maud::{Markup, html};

use super::quality::SourceTrend;
use crate::parts::chart::share;

const HEIGHT: f64 = 44.0;
const ROW: usize = 64;

/// A dimension over runs.
pub(super) struct Scores<'s> {
    /// Its name.
    pub(super) name: &'s str,
    /// One per run, the oldest first.
    pub(super) scores: Vec<Option<f64>>,
    /// What it must reach.
    pub(super) gate: Option<f64>,
}

/// The six dimensions and the whole, one row each. Runs that did not assess a dimension leave a gap.
pub(super) fn drawing(trend: &SourceTrend, dimensions: &[Scores<'_>]) -> Markup {
    let label = format!(
        "Quality of {} over {} runs, the oldest on the left, each dimension from 0 to 1. The numbers are in the table below.",
        trend.source,
        trend.points.len()
    );
    html! {
        svg.chart.trend width="100%" height=(dimensions.len() * ROW) role="img" aria-label=(label) {
            @for (at, one) in dimensions.iter().enumerate() { (row(at * ROW, one.name, &one.scores, one.gate)) }
        }
    }
}

fn row(top: usize, name: &str, scores: &[Option<f64>], gate: Option<f64>) -> Markup {
    let y = |score: f64| format!("{:.1}", top as f64 + 8.0 + (1.0 - score.clamp(0.0, 1.0)) * HEIGHT);
    // The drawing takes the middle: names on the left, the newest score on the right.
    let x = |at: usize| {
        let span = scores.len().saturating_sub(1).max(1) as f64;
        share(if scores.len() < 2 { 55.0 } else { 30.0 + at as f64 / span * 50.0 })
    };
    let newest = scores.last().copied().flatten();
    html! {
        g {
            title { (name) @if let Some(newest) = newest { ": " (format!("{newest:.3}")) " in the newest run" } @else { ": not assessed in the newest run" } }
            text.strong x="0" y=(top + 34) { (name) }
            line.grid x1="30%" x2="80%" y1=(y(1.0)) y2=(y(1.0)) {}
            line.axis x1="30%" x2="80%" y1=(y(0.0)) y2=(y(0.0)) {}
            text x="29%" y=(top + 12) text-anchor="end" { "1" }
            text x="29%" y=(top + 56) text-anchor="end" { "0" }
            @if let Some(gate) = gate { line.gate x1="30%" x2="80%" y1=(y(gate)) y2=(y(gate)) {} }
            @for (at, pair) in scores.windows(2).enumerate() {
                @if let (Some(before), Some(after)) = (pair[0], pair[1]) { line.a x1=(x(at)) x2=(x(at + 1)) y1=(y(before)) y2=(y(after)) {} }
            }
            @for (at, score) in scores.iter().enumerate() { @if let Some(score) = score { circle.a cx=(x(at)) cy=(y(*score)) r="3" {} } }
            @match newest { Some(newest) => text.strong x="82%" y=(top + 34) { (format!("{newest:.3}")) }, None => text x="82%" y=(top + 34) { "not assessed" } }
        }
    }
}
