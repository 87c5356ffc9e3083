//! One measure over time: its line, the band of usual values, and a marker per alert that it raised.

use fhir::Instant;
use maud::{Markup, html};

use super::Line;
use crate::alerts::{Alert, severity_tone};
use crate::parts::plot::Plane;
use crate::parts::time::exact;

const HEIGHT: f64 = 72.0;
/// Values farther apart than this share of the whole time are not joined.
const GAP_SHARE: i64 = 8;

pub(super) fn drawing(line: &Line, from: Instant, to: Instant, alerts: &[Alert]) -> Markup {
    let points: Vec<(Instant, f64)> = line
        .points
        .iter()
        .filter_map(|point| Some((point.seen.at, point.number?)))
        .filter(|(at, _)| at.0 >= from.0)
        .collect();
    let (low, high) = range_of(&points, line.usual);
    let plane = Plane { from, to, low, high, height: HEIGHT };
    let newest = line.points.last();
    let label = format!("{} over time; the numbers are in the table below", line.title);
    html! {
        figure.vital {
            figcaption { (line.title) @if let Some(point) = newest { strong { (point.seen.value) " " span.unit { (line.unit) } } } }
            div.vital-plot {
                svg.chart.vital-line width="100%" height=(HEIGHT) role="img" aria-label=(label) {
                    @if let Some((usual_low, usual_high)) = line.usual {
                        rect.usual x="0" width="100%" y=(plane.y(usual_high)) height=(format!("{:.1}", (plane.down(usual_low) - plane.down(usual_high)).max(0.0))) {}
                    }
                    (plane.stretched(&plane.line("line", &points, (to.0 - from.0) / GAP_SHARE)))
                    @if let Some((at, value)) = points.last() { circle.end cx=(plane.x(*at)) cy=(plane.y(*value)) r="3" {} }
                    @for alert in alerts.iter().filter(|alert| alert.measure.as_ref() == Some(&line.name) && alert.at.0 >= from.0) { (marker(&plane, &points, alert)) }
                }
                p.axis-ends aria-hidden="true" { span { (short(high)) } span { (short(low)) } }
            }
        }
    }
}

/// A marker at the value nearest in time. Shape, word and instant are in its title.
fn marker(plane: &Plane, points: &[(Instant, f64)], alert: &Alert) -> Markup {
    let tone = severity_tone(&alert.severity);
    let near = points.iter().min_by_key(|(at, _)| (at.0 - alert.at.0).abs());
    let height = near.map_or(HEIGHT / 2.0, |(_, value)| plane.down(*value));
    html! {
        g class={ "marker " (tone.class()) } {
            title { (alert.severity) ": " (alert.message) ", " (exact(alert.at)) }
            line x1=(plane.x(alert.at)) x2=(plane.x(alert.at)) y1="0" y2=(HEIGHT) {}
            text x=(plane.x(alert.at)) y=(format!("{:.1}", height.clamp(10.0, HEIGHT - 2.0))) text-anchor="middle" { (tone.shape()) }
        }
    }
}

fn range_of(points: &[(Instant, f64)], usual: Option<(f64, f64)>) -> (f64, f64) {
    let values =
        points.iter().map(|(_, value)| *value).chain(usual.into_iter().flat_map(|(low, high)| [low, high]));
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0);
    }
    let room = ((high - low) * 0.08).max(0.1);
    (low - room, high + room)
}

fn short(value: f64) -> String {
    if value.abs() >= 20.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}
