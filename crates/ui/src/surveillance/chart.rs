//! The curve: bars of what was counted, lines of expectation and bound, a mark above what was flagged.

use maud::{Markup, html};

use super::{Point, Shown};
use crate::parts::chart::{share, ticks};
use crate::parts::number::grouped;

const HEIGHT: f64 = 220.0;
/// Left of the plot stand the numbers of the axis.
const LEFT_PERCENT: f64 = 5.0;
const WIDTH: f64 = 1_000.0;

pub(super) fn drawing(shown: &Shown) -> Markup {
    let points = &shown.points;
    let most = points
        .iter()
        .flat_map(|point| {
            [
                point.observed.map_or(0.0, |n| n as f64),
                point.bound.unwrap_or(0.0),
                point.expected.unwrap_or(0.0),
            ]
        })
        .fold(1.0, f64::max);
    let ticks = ticks(most.ceil() as u64);
    let top = ticks.last().copied().unwrap_or(1) as f64;
    let y = |value: f64| 14.0 + (1.0 - (value / top).clamp(0.0, 1.0)) * HEIGHT;
    let step = (100.0 - LEFT_PERCENT) / points.len().max(1) as f64;
    let left = |at: usize| LEFT_PERCENT + at as f64 * step;
    html! {
        svg.chart.epidemic width="100%" height=(HEIGHT + 40.0) role="img" aria-label="Counts over time with expected value, bound and flags. The numbers are in the table below." {
            @for tick in &ticks {
                line class=(if *tick == 0 { "axis" } else { "grid" }) x1=(share(LEFT_PERCENT)) x2="100%" y1=(px(y(*tick as f64))) y2=(px(y(*tick as f64))) {}
                text x=(share(LEFT_PERCENT - 0.8)) y=(px(y(*tick as f64) + 4.0)) text-anchor="end" { (grouped(*tick)) }
            }
            @for (at, point) in points.iter().enumerate() {
                g.row {
                    title { (words(point)) }
                    rect.ground x=(share(left(at))) width=(share(step)) y="14" height=(HEIGHT) {}
                    @if let Some(n) = point.observed { rect class=(if point.is_flagged { "a flagged" } else { "a" }) x=(share(left(at) + step * 0.12)) width=(share(step * 0.76)) y=(px(y(n as f64))) height=(px(HEIGHT + 14.0 - y(n as f64))) {} }
                    @if point.is_flagged { text.flag-mark x=(share(left(at) + step / 2.0)) y=(px(y(point.observed.unwrap_or(0) as f64) - 4.0)) text-anchor="middle" { "▲" } }
                }
            }
            svg.plane x=(share(LEFT_PERCENT)) y="0" width=(share(100.0 - LEFT_PERCENT)) height=(HEIGHT + 14.0) viewBox={ "0 0 " (WIDTH) " " (HEIGHT + 14.0) } preserveAspectRatio="none" {
                (line("expected", points, |point| point.expected, y))
                (line("bound", points, |point| point.bound, y))
            }
            @for at in labelled(points.len()) { text x=(share(left(at) + step / 2.0)) y=(px(HEIGHT + 34.0)) text-anchor=(anchor(at, points.len())) { (points[at].day) } }
        }
    }
}

fn line(class: &str, points: &[Point], of: fn(&Point) -> Option<f64>, y: impl Fn(f64) -> f64) -> Markup {
    let step = WIDTH / points.len().max(1) as f64;
    let mut runs: Vec<Vec<String>> = vec![Vec::new()];
    for (at, point) in points.iter().enumerate() {
        match of(point) {
            Some(value) => runs
                .last_mut()
                .into_iter()
                .for_each(|run| run.push(format!("{:.1},{:.1}", (at as f64 + 0.5) * step, y(value)))),
            None => runs.push(Vec::new()),
        }
    }
    html! { @for run in runs.iter().filter(|run| run.len() > 1) { polyline class=(class) points=(run.join(" ")) {} } }
}

fn words(point: &Point) -> String {
    let observed = point.observed.map_or_else(|| "unknown or suppressed".to_owned(), |n| n.to_string());
    let of =
        |value: Option<f64>| value.map_or_else(|| "no baseline".to_owned(), |value| format!("{value:.1}"));
    format!(
        "{}: observed {observed}, expected {}, bound {}{}",
        point.day,
        of(point.expected),
        of(point.bound),
        if point.is_flagged { ", flagged" } else { "" }
    )
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// The first, the middle and the last.
fn labelled(n: usize) -> Vec<usize> {
    match n {
        0 => Vec::new(),
        1 | 2 => vec![0],
        _ => vec![0, n / 2, n - 1],
    }
}

fn anchor(at: usize, n: usize) -> &'static str {
    match at {
        0 => "start",
        at if at + 1 == n => "end",
        _ => "middle",
    }
}
