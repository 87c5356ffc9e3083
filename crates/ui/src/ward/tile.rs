//! One patient on the board: score with band, trend, age of the data, what is missing, the last values, active alerts.

use fhir::Instant;
use maud::{Markup, html};

use super::{Bed, Reading, Score, Trend};
use crate::alerts::severity_tone;
use crate::parts::chip::{Tone, chip};
use crate::parts::plot::{Plane, sparkline};
use crate::parts::time::ago;
use crate::url;

/// Hours that the small line shows.
const SPARK_HOURS: i64 = 24;

/// The tile; the live stream swaps it by its id.
pub fn tile(bed: &Bed, now: Instant) -> Markup {
    let tone = tone(&bed.score);
    html! {
        li class={ "panel bed " (tone.class()) } id={ "bed-" (bed.key) } data-row data-rank=(bed.rank()) {
            div.bed-top {
                div.bed-who {
                    h3 { @match &bed.person.id { Some(id) => a.main href=(url::vitals(id)) { (name(bed)) }, None => (name(bed)) } }
                    p.sub { @match &bed.unit { Some(unit) => (unit), None => span.unknown { "ward unknown" } } " · " (age(bed, now)) }
                }
                (score(bed, tone))
            }
            (verdict(bed, tone))
            @if !bed.values.is_empty() { (values(&bed.values, now)) }
            (history(bed, now))
            @if let Some((severity, n)) = &bed.alert {
                p.bed-alert { (chip(severity_tone(severity), severity)) " " a href=(url::ALERTS) { (n) @if *n == 1 { " active alert" } @else { " active alerts" } } }
            }
        }
    }
}

fn name(bed: &Bed) -> &str {
    bed.person.name.as_deref().unwrap_or(if bed.person.id.is_some() { "Name unknown" } else { "No record" })
}

fn age(bed: &Bed, now: Instant) -> Markup {
    html! { @match bed.last { Some(last) => (ago(last, now)), None => "no reading yet" } }
}

fn tone(score: &Score) -> Tone {
    match score {
        Score::Total { band, .. } => tone_of_band(band),
        Score::Partial { band: Some(band), .. } => tone_of_band(band),
        Score::Partial { .. } | Score::NotEvaluated(_) | Score::NoData => Tone::Info,
    }
}

fn tone_of_band(band: &str) -> Tone {
    match band {
        "high" => Tone::Critical,
        "medium" => Tone::High,
        "low-medium" => Tone::Medium,
        _ => Tone::Good,
    }
}

/// The number, with the arrow of its trend. What is no total does not look like one.
fn score(bed: &Bed, tone: Tone) -> Markup {
    let (arrow, words) = match bed.trend {
        Some(Trend::Worse) => ("↑", "worse than before"),
        Some(Trend::Better) => ("↓", "better than before"),
        Some(Trend::Same) => ("→", "as before"),
        None => ("", "no score before"),
    };
    html! {
        p class={ "score " (tone.class()) } {
            span.sr { "NEWS2 " }
            @match &bed.score {
                Score::Total { points, .. } => { strong { (points) } },
                Score::Partial { at_least, .. } => { strong.partial { "≥ " (at_least) } },
                Score::NotEvaluated(_) | Score::NoData => { strong.none aria-hidden="true" { "–" } span.sr { "no score" } },
            }
            @if !arrow.is_empty() && !matches!(bed.score, Score::NotEvaluated(_) | Score::NoData) { span.trend-arrow title=(words) aria-hidden="true" { (arrow) } span.sr { ", " (words) } }
        }
    }
}

/// The band and what it asks for, in words beside the shape.
fn verdict(bed: &Bed, tone: Tone) -> Markup {
    html! {
        p.verdict {
            @match &bed.score {
                Score::Total { band, .. } => { (chip(tone, &band_word(band))) " " span.muted { (response(band)) } },
                Score::Partial { band, missing, .. } => {
                    @if let Some(band) = band { (chip(tone, &format!("at least {}", band_word(band)))) " " span.muted { (response(band)) } br; }
                    @else { (chip(Tone::Info, "not evaluated")) " " }
                    span.missing { "missing: " (missing.join(", ")) }
                },
                Score::NotEvaluated(why) => { (chip(Tone::Info, "not evaluated")) " " span.muted { (why) } },
                Score::NoData => { (chip(Tone::Info, "no data")) " " span.muted { "check patient and sensor" } },
            }
        }
    }
}

fn band_word(band: &str) -> String {
    format!("{} risk", band.replace('-', " to "))
}

/// Responses of the Royal College of Physicians (NEWS2, 2017).
fn response(band: &str) -> &'static str {
    match band {
        "high" => "emergency assessment",
        "medium" => "urgent review",
        "low-medium" => "one parameter is red: urgent ward review",
        _ => "ward monitoring",
    }
}

fn values(values: &[Reading], now: Instant) -> Markup {
    html! {
        dl.readings {
            @for reading in values {
                div class=[points_class(reading)] title={ "measured " (crate::parts::time::relative(reading.at, now)) } {
                    dt { (reading.label) }
                    dd { (reading.value) @if !reading.unit.is_empty() { " " span.unit { (reading.unit) } }
                        @if let Some(points) = reading.points.filter(|points| *points > 0) { " " span.points { "+" (points) } }
                        @if reading.is_stale { " " span.old { "old" } }
                    }
                }
            }
        }
    }
}

fn points_class(reading: &Reading) -> Option<&'static str> {
    match reading.points {
        _ if reading.is_stale => Some("stale"),
        Some(3) => Some("red"),
        Some(1 | 2) => Some("raised"),
        _ => None,
    }
}

fn history(bed: &Bed, now: Instant) -> Markup {
    let from = Instant(now.0 - SPARK_HOURS * 3_600_000_000);
    let points: Vec<(Instant, f64)> = bed
        .history
        .iter()
        .filter(|(at, _)| at.0 >= from.0)
        .map(|(at, points)| (*at, f64::from(*points)))
        .collect();
    let plane = Plane { from, to: now, low: 0.0, high: 12.0, height: 28.0 };
    html! { @if points.len() > 1 { (sparkline(plane, &points, &[(5.0, "limit medium"), (7.0, "limit high")])) } }
}
