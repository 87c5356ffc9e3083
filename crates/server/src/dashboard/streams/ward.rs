//! `GET /ward`: one tile per patient with readings, the worst first.

use std::collections::BTreeMap;

use axum::response::Response;
use fhir::Instant;
use gate::{Matter, Permit, Subject};
use http::StatusCode;
use sha2::{Digest, Sha256};
use stream::Platform;
use stream::alert::{Order, Query};
use stream::ward::{Bed, Outcome, Parameter};
use ui::alerts::Person;
use ui::frame::Place;
use ui::ward::{Reading, Score, Trend, View, page};

use super::facts::person_id;
use super::{People, absent, refused};
use crate::dashboard::PageAsk;
use crate::dashboard::answer::html;
use crate::dashboard::frame::frame_of;
use crate::error::ServerError;
use crate::live;

/// Patients of one page.
const BEDS_MAX: usize = 200;
/// Against how old a score a trend is told.
const TREND_MICROS: i64 = 3_600_000_000;
/// Live alerts of one patient that are counted.
const ALERTS_MAX: usize = 50;

pub(crate) async fn board(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, platform)) = ask.streams(Matter::Alerts, "ward").await? else {
        return Ok(absent(&ask, Place::Ward, "Ward"));
    };
    let cursor = live::end(&platform).await?;
    let unit = ask.asked("unit").map(String::from);
    let mut found = platform.beds(&permit, unit.clone(), BEDS_MAX + 1).await?;
    let has_more = found.len() > BEDS_MAX;
    found.truncate(BEDS_MAX);
    found.retain(|bed| !bed.is_discharged && !bed.subject.starts_with("population:"));
    let patients: Vec<String> =
        found.iter().filter_map(|bed| person_id(&bed.subject).map(String::from)).collect();
    let subject = Subject::new(Matter::Alerts, "ward").of_rows(patients.len() as u64).of_patients(patients);
    ask.app.gate().permit(&ask.access, subject).await?;
    let subjects: Vec<&str> = found.iter().map(|bed| bed.subject.as_str()).collect();
    let people = People::default().of(&ask.app, &ask.access, &subjects).await?;
    let mut beds = Vec::with_capacity(found.len());
    for (bed, person) in found.iter().zip(people) {
        let history = platform.score_history(&permit, &bed.subject).await?;
        beds.push(bed_of(&platform, &permit, bed, person, history).await?);
    }
    beds.sort_by_key(|bed| std::cmp::Reverse(bed.rank()));
    let units = platform.units(&permit).await?;
    let unit = unit.unwrap_or_default();
    let view = View { frame: frame_of(&ask), unit, units, beds, has_more, cursor: cursor.to_string() };
    Ok(html(StatusCode::OK, page(&view)))
}

/// A patient as the board shows them, with the scores of the hours before.
pub(crate) async fn bed_of(
    platform: &Platform,
    permit: &Permit,
    bed: &Bed,
    person: Person,
    mut history: Vec<(Instant, u8)>,
) -> Result<ui::ward::Bed, ServerError> {
    let scored = platform.scored(permit, bed).await?;
    let now = platform.now();
    let trend = trend(&scored.outcome, &history, now);
    if let Outcome::Total { points, .. } = scored.outcome {
        history.push((now, points));
    }
    let query = Query {
        live: true,
        subject: Some(bed.subject.clone()),
        order: Order::Worst,
        max: ALERTS_MAX,
        ..Query::default()
    };
    let alerts = platform.alerts().list(permit, query).await.map_err(refused)?.alerts;
    Ok(ui::ward::Bed {
        key: key_of(&bed.subject),
        person,
        unit: place_of(bed),
        score: score_of(scored.outcome),
        trend,
        history,
        last: Some(bed.at).filter(|at| at.0 > 0),
        values: scored.parameters.iter().filter_map(reading_of).collect(),
        alert: alerts.first().map(|worst| (worst.severity.name().to_owned(), alerts.len() as u64)),
    })
}

/// A name for the tile that is the same every time, and tells nothing of who it is.
fn key_of(subject: &str) -> String {
    Sha256::digest(subject).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn place_of(bed: &Bed) -> Option<String> {
    match (&bed.unit, &bed.place) {
        (Some(unit), Some(place)) => Some(format!("{unit}, {place}")),
        (unit, place) => unit.clone().or_else(|| place.clone()),
    }
}

fn trend(outcome: &Outcome, history: &[(Instant, u8)], now: Instant) -> Option<Trend> {
    let Outcome::Total { points, .. } = outcome else { return None };
    let (at, before) = history.last()?;
    if now.0 - at.0 > 2 * TREND_MICROS {
        return None;
    }
    Some(match points.cmp(before) {
        std::cmp::Ordering::Greater => Trend::Worse,
        std::cmp::Ordering::Equal => Trend::Same,
        std::cmp::Ordering::Less => Trend::Better,
    })
}

fn score_of(outcome: Outcome) -> Score {
    match outcome {
        Outcome::Total { points, band } => Score::Total { points, band: band.to_owned() },
        Outcome::Partial { at_least, band, missing } => Score::Partial {
            at_least,
            band: band.map(String::from),
            missing: missing.into_iter().map(|name| name.replace('_', " ")).collect(),
        },
        Outcome::NotEvaluated(why) => Score::NotEvaluated(why),
        Outcome::NoData => Score::NoData,
    }
}

fn reading_of(parameter: &Parameter) -> Option<Reading> {
    let latest = parameter.latest.as_ref()?;
    Some(Reading {
        label: parameter.label.to_owned(),
        // Why there is no value is on the page of the patient; a tile has no room for it.
        value: if latest.is_absent { "no value".to_owned() } else { rounded(&latest.value) },
        unit: if latest.is_absent { String::new() } else { unit_of(latest.unit.as_deref()) },
        at: Instant(latest.at),
        points: parameter.points,
        is_stale: parameter.is_stale,
    })
}

/// Zeros that conversion added say nothing.
pub(super) fn rounded(value: &str) -> String {
    match value.split_once('.') {
        Some((whole, fraction))
            if value.bytes().all(|byte| byte.is_ascii_digit() || b".<>=-".contains(&byte)) =>
        {
            let fraction: String = fraction.chars().take(2).collect();
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        _ => value.to_owned(),
    }
}

/// A unit as people write it.
pub(super) fn unit_of(ucum: Option<&str>) -> String {
    match ucum {
        Some("mm[Hg]") => "mmHg".to_owned(),
        Some("Cel") => "°C".to_owned(),
        Some(other) => other.replace("umol", "µmol"),
        None => String::new(),
    }
}

/// Labels of measures, in the order in which they are drawn.
pub(super) fn order_of(names: &BTreeMap<String, ()>) -> Vec<String> {
    const FIRST: [&str; 8] = [
        "respiratory_rate",
        "spo2",
        "breathing",
        "systolic",
        "diastolic",
        "heart_rate",
        "consciousness",
        "temperature",
    ];
    let first = FIRST.into_iter().filter(|name| names.contains_key(*name)).map(String::from);
    let others = names.keys().filter(|name| !FIRST.contains(&name.as_str())).cloned();
    first.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_people_write_them() {
        let check = |value: &str, expected: &str| assert_eq!(rounded(value), expected, "{value}");
        check("38.5000", "38.5");
        check("38.0", "38");
        check(">41.25", ">41.25");
        check("120", "120");
        check("A", "A");
        check("v1.0 beta", "v1.0 beta");
        assert_eq!((unit_of(Some("mm[Hg]")), unit_of(None)), ("mmHg".into(), String::new()));
    }

    #[test]
    fn a_trend_needs_a_score_of_the_last_hours() {
        let now = Instant(100 * TREND_MICROS);
        let total = Outcome::Total { points: 5, band: "medium" };
        let of = |hours: i64, points| trend(&total, &[(Instant(now.0 - hours * TREND_MICROS), points)], now);
        assert_eq!(
            (of(1, 3), of(1, 5), of(1, 7)),
            (Some(Trend::Worse), Some(Trend::Same), Some(Trend::Better))
        );
        assert_eq!(of(3, 3), None);
        assert_eq!(trend(&Outcome::NoData, &[(now, 3)], now), None);
    }
}
