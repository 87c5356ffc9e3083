//! `GET /patients/{}/vitals`: what was measured over time, with the alerts it raised.

use std::collections::BTreeMap;

use axum::response::Response;
use fhir::{Instant, Kind, is_id};
use gate::{GateError, Matter, Permit, Subject};
use http::StatusCode;
use stream::Platform;
use stream::alert::Query;
use stream::ward::Measured;
use ui::alerts::{Person, Seen, list_row};
use ui::frame::{Frame, Place};
use ui::vitals::{HOURS, Line, Point, View, lines, page};
use ui::ward::tile;

use super::facts::alert_of;
use super::ward::{bed_of, order_of, rounded, unit_of};
use super::{People, absent, refused};
use crate::dashboard::PageAsk;
use crate::dashboard::answer::html;
use crate::dashboard::frame::frame_of;
use crate::error::ServerError;
use crate::live;

/// Events that are looked at for one page.
const EVENTS_MAX: usize = 5_000;
/// Spans of a line: of each the lowest and the highest value are drawn, so that no peak is lost.
const SPANS: usize = 200;
/// Alerts beside the lines.
const ALERTS_MAX: usize = 50;

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let id = ask.parts[0].clone();
    if !is_id(&id) {
        return Err(GateError::NotFound { kind: Kind::PATIENT, id }.into());
    }
    let subject = Subject::new(Matter::Alerts, format!("Patient/{id}")).of_patients(vec![id.clone()]);
    let permit = ask.app.gate().permit(&ask.access, subject).await?;
    let Ok(platform) = ask.app.stream().cloned() else { return Ok(absent(&ask, Place::Ward, "Vitals")) };
    let cursor = live::end(&platform).await?;
    let hours = ask.asked("hours").and_then(|hours| hours.parse().ok()).unwrap_or(24);
    let people = People::default().of(&ask.app, &ask.access, &[&format!("Patient/{id}")]).await?;
    let person = people.into_iter().next().unwrap_or_default();
    if person.id.is_none() {
        return Err(GateError::NotFound { kind: Kind::PATIENT, id }.into());
    }
    let mut view = view_of(&platform, &permit, frame_of(&ask), person, hours).await?;
    view.cursor = cursor.to_string();
    view.may_open = ask.access.principal.may(Matter::OpenDeadLetter);
    Ok(html(StatusCode::OK, page(&view)))
}

/// The pieces of the page that change.
pub(crate) async fn vitals_piece(
    platform: &Platform,
    permit: &Permit,
    frame: Frame,
    person: Person,
    hours: u32,
) -> Result<Vec<String>, ServerError> {
    let view = view_of(platform, permit, frame, person, hours).await?;
    let mut pieces = vec![lines(&view).into_string()];
    pieces.extend(view.bed.iter().map(|bed| tile(bed, view.frame.now).into_string()));
    pieces.extend(view.alerts.iter().map(|alert| list_row(&view.frame, alert, false, "").into_string()));
    Ok(pieces)
}

async fn view_of(
    platform: &Platform,
    permit: &Permit,
    frame: Frame,
    person: Person,
    hours: u32,
) -> Result<View, ServerError> {
    let hours = if HOURS.contains(&hours) { hours } else { 24 };
    let since = Instant(frame.now.0 - i64::from(hours) * 3_600_000_000);
    let subject = person.subject.clone();
    let (measured, is_cut) = platform.measured(permit, &subject, since, EVENTS_MAX).await?;
    let query =
        Query { subject: Some(subject.clone()), since: Some(since), max: ALERTS_MAX, ..Query::default() };
    let found = platform.alerts().list(permit, query).await.map_err(refused)?.alerts;
    let n_rules = platform.alerts().n_parts(permit, &found).await.map_err(refused)?;
    let policy = platform.alerts().policy();
    let alerts =
        found.iter().zip(n_rules).map(|(alert, n)| alert_of(alert, person.clone(), policy, permit, n));
    let alerts = alerts.collect();
    let history = platform.score_history(permit, &subject).await?;
    let bed = match platform.beds_of(permit, &[subject]).await?.first() {
        Some(bed) => Some(bed_of(platform, permit, bed, person.clone(), history).await?),
        None => None,
    };
    Ok(View {
        frame,
        person,
        hours,
        bed,
        lines: lines_of(&platform.rules().measures(), measured),
        alerts,
        is_cut,
        may_act: false,
        may_open: false,
        cursor: String::new(),
    })
}

/// Name, label, unit and codes of a measure, as rules know it.
type Known = (String, String, Option<String>, Vec<String>);

fn lines_of(known: &[Known], measured: Vec<Measured>) -> Vec<Line> {
    let mut by_name: BTreeMap<String, Vec<Measured>> = BTreeMap::new();
    for one in measured {
        by_name.entry(one.name.clone()).or_default().push(one);
    }
    let names = by_name.keys().map(|name| (name.clone(), ())).collect();
    let line = |name: String| {
        let points = thinned(by_name.get(&name)?.iter().map(point_of).collect());
        let unit = by_name.get(&name)?.iter().find_map(|one| one.unit.clone());
        let label = known.iter().find(|(known, ..)| *known == name).map(|(_, label, ..)| label.clone());
        Some(Line {
            title: capital(&label.unwrap_or_else(|| name.replace('_', " "))),
            unit: unit_of(unit.as_deref()),
            usual: usual(&name),
            name,
            points,
        })
    };
    order_of(&names).into_iter().filter_map(line).collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), chars.as_str()))
}

/// Values without points in NEWS2 (Royal College of Physicians, 2017).
fn usual(name: &str) -> Option<(f64, f64)> {
    match name {
        "respiratory_rate" => Some((12.0, 20.0)),
        "spo2" => Some((96.0, 100.0)),
        "systolic" => Some((111.0, 219.0)),
        "heart_rate" => Some((51.0, 90.0)),
        "temperature" => Some((36.1, 38.0)),
        _ => None,
    }
}

fn point_of(one: &Measured) -> Point {
    let digits = one.value.trim_start_matches(['<', '>', '=']).trim();
    Point {
        number: digits.parse().ok().filter(|number: &f64| number.is_finite()),
        seen: Seen {
            name: one.name.clone(),
            value: rounded(&one.value),
            unit: one.unit.clone(),
            at: one.at,
            event: one.event.clone(),
            source: one.source.clone(),
            position: Some(one.position.clone()),
        },
        flags: one.flags.clone(),
    }
}

/// Of many points, the lowest and the highest of each span, and the last.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() <= SPANS * 2 {
        return points;
    }
    let size = points.len().div_ceil(SPANS);
    let number = |point: &Point| point.number.unwrap_or(0.0);
    let mut kept: Vec<Point> = Vec::with_capacity(SPANS * 2 + 1);
    for span in points.chunks(size) {
        let low = (0..span.len()).min_by(|a, b| number(&span[*a]).total_cmp(&number(&span[*b]))).unwrap_or(0);
        let high =
            (0..span.len()).max_by(|a, b| number(&span[*a]).total_cmp(&number(&span[*b]))).unwrap_or(0);
        kept.push(span[low.min(high)].clone());
        if low != high {
            kept.push(span[low.max(high)].clone());
        }
    }
    if let Some(last) = points.last()
        && kept.last().is_none_or(|kept| kept.seen.at != last.seen.at)
    {
        kept.push(last.clone());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(at: i64, value: &str) -> Measured {
        Measured {
            name: "heart_rate".into(),
            value: value.into(),
            unit: Some("/min".into()),
            flags: Vec::new(),
            at: Instant(at),
            event: format!("e{at}"),
            source: "m".into(),
            position: format!("vital_signs:0:{at}"),
        }
    }

    #[test]
    fn a_peak_is_never_thinned_away() {
        let value = |at: i64| {
            if at == 1_234 {
                "212"
            } else if at == 3_001 {
                "31"
            } else {
                "80"
            }
        };
        let points = lines_of(&[], (0..5_000).map(|at| measured(at, value(at))).collect()).remove(0).points;
        assert!(points.len() <= SPANS * 2 + 1, "{}", points.len());
        let numbers: Vec<f64> = points.iter().filter_map(|point| point.number).collect();
        assert!(numbers.contains(&212.0) && numbers.contains(&31.0));
        assert!(points.windows(2).all(|pair| pair[0].seen.at.0 < pair[1].seen.at.0), "in order");
        assert_eq!(points.last().unwrap().seen.at, Instant(4_999));
    }

    #[test]
    fn bounds_are_drawn_at_their_number() {
        let line = lines_of(&[], vec![measured(1, ">131"), measured(2, "x")]).remove(0);
        assert_eq!((line.points[0].number, line.points[1].number), (Some(131.0), None));
        assert_eq!((line.title.as_str(), line.points[0].seen.value.as_str()), ("Heart rate", ">131"));
    }
}
