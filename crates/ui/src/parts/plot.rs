//! Lines on a plane: positions are shares of the width, heights are pixels, so that charts need no script and text keeps its size.

use fhir::Instant;
use maud::{Markup, html};

/// The width that points are counted in; the drawing is stretched to what there is.
const WIDTH: f64 = 1_000.0;

/// The plane: what its edges mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane {
    /// The instant at the left edge.
    pub(crate) from: Instant,
    /// The instant at the right edge.
    pub(crate) to: Instant,
    /// The value at the lower edge.
    pub(crate) low: f64,
    /// The value at the upper edge.
    pub(crate) high: f64,
    /// In pixels.
    pub(crate) height: f64,
}

impl Plane {
    /// Where an instant is, from 0 to 1.
    pub(crate) fn across(&self, at: Instant) -> f64 {
        let span = (self.to.0 - self.from.0).max(1) as f64;
        ((at.0 - self.from.0) as f64 / span).clamp(0.0, 1.0)
    }

    /// How far from the top a value is, in pixels.
    pub(crate) fn down(&self, value: f64) -> f64 {
        let span = if self.high > self.low { self.high - self.low } else { 1.0 };
        (1.0 - ((value - self.low) / span).clamp(0.0, 1.0)) * self.height
    }

    /// A share of the width, for circles and texts.
    pub(crate) fn x(&self, at: Instant) -> String {
        super::chart::share(self.across(at) * 100.0)
    }

    /// Pixels, for circles and texts.
    pub(crate) fn y(&self, value: f64) -> String {
        format!("{:.1}", self.down(value))
    }

    fn point(&self, at: Instant, value: f64) -> String {
        format!("{:.1},{:.1}", self.across(at) * WIDTH, self.down(value))
    }

    /// A line through points. A gap longer than `gap_micros` is left open: nobody measured there.
    pub(crate) fn line(&self, class: &str, points: &[(Instant, f64)], gap_micros: i64) -> Markup {
        let mut runs: Vec<Vec<String>> = Vec::new();
        let mut before: Option<Instant> = None;
        for (at, value) in points {
            if before.is_none_or(|before| at.0 - before.0 > gap_micros) {
                runs.push(Vec::new());
            }
            before = Some(*at);
            if let Some(run) = runs.last_mut() {
                run.push(self.point(*at, *value));
            }
        }
        html! { @for run in runs.iter().filter(|run| run.len() > 1) { polyline class=(class) points=(run.join(" ")) {} } }
    }

    /// The stretched part of a drawing, to be placed inside an `svg` of the same height.
    pub(crate) fn stretched(&self, inside: &Markup) -> Markup {
        html! {
            svg.plane x="0" y="0" width="100%" height=(self.height) viewBox={ "0 0 " (WIDTH) " " (self.height) } preserveAspectRatio="none" { (inside) }
        }
    }
}

/// A small line beside a number. It repeats what the number says, so readers of the page pass over it.
pub(crate) fn sparkline(plane: Plane, points: &[(Instant, f64)], limits: &[(f64, &str)]) -> Markup {
    let hour = 3_600_000_000;
    html! {
        svg.spark aria-hidden="true" width="100%" height=(plane.height) {
            @for (value, class) in limits { line class=(class) x1="0" x2="100%" y1=(plane.y(*value)) y2=(plane.y(*value)) {} }
            (plane.stretched(&plane.line("line", points, 6 * hour)))
            @if let Some((at, value)) = points.last() { circle.end cx=(plane.x(*at)) cy=(plane.y(*value)) r="2.5" {} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANE: Plane = Plane { from: Instant(0), to: Instant(100), low: 0.0, high: 10.0, height: 50.0 };

    #[test]
    fn edges_are_where_they_are() {
        assert_eq!(
            (PLANE.x(Instant(0)), PLANE.x(Instant(25)), PLANE.x(Instant(900))),
            ("0%".into(), "25%".into(), "100%".into())
        );
        assert_eq!((PLANE.y(10.0), PLANE.y(0.0), PLANE.y(99.0)), ("0.0".into(), "50.0".into(), "0.0".into()));
    }

    #[test]
    fn where_nobody_measured_there_is_no_line() {
        let points = [
            (Instant(0), 1.0),
            (Instant(10), 2.0),
            (Instant(60), 3.0),
            (Instant(70), 4.0),
            (Instant(100), 5.0),
        ];
        let drawn = PLANE.line("line", &points, 20).into_string();
        assert_eq!(drawn.matches("<polyline").count(), 2, "{drawn}");
        assert!(drawn.contains("0.0,45.0 100.0,40.0"), "{drawn}");
    }
}
