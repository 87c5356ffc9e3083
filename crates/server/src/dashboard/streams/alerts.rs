//! `GET /alerts`, the queue, and `GET /alerts/{}`, one alert with its trail.

use axum::response::Response;
use gate::{Matter, Permit, Subject};
use http::StatusCode;
use rules::Severity;
use stream::alert::{Alert, Order, Query, State};
use stream::{Platform, StreamError};
use ui::alerts::{Filter, ListView, OneView, list_page, one_page};
use ui::frame::Place;

use super::facts::{alert_of, person_id, whole_of};
use super::{People, absent, refused};
use crate::dashboard::PageAsk;
use crate::dashboard::answer::html;
use crate::dashboard::frame::frame_of;
use crate::error::ServerError;
use crate::live;

/// Alerts of one page.
const ROWS: usize = 100;
/// Live alerts that are looked through for the sums and for a filter.
const LIVE_MAX: usize = 1_000;

pub(crate) async fn list(ask: PageAsk) -> Result<Response, ServerError> {
    let text = |name: &str| ask.asked(name).unwrap_or_default().trim().to_string();
    let filter = Filter { state: text("state"), severity: text("severity"), unit: text("unit") };
    let Some((permit, platform)) = ask.streams(Matter::Alerts, "queue").await? else {
        return Ok(absent(&ask, Place::Alerts, "Alerts"));
    };
    // Before the alerts are read: what changes meanwhile comes by the stream.
    let cursor = live::end(&platform).await?;
    let live = Query { live: true, order: Order::Worst, max: LIVE_MAX, ..Query::default() };
    let live = platform.alerts().list(&permit, live).await.map_err(refused)?.alerts;
    let waiting = waiting(&live);
    let units = units(&live);
    let found = match filter.state.as_str() {
        "resolved" | "retracted" | "all" => ended(&platform, &permit, &filter).await?,
        _ => live,
    };
    let subjects: Vec<&str> = found.iter().map(|alert| alert.subject.as_str()).collect();
    let shown = rows(&ask, &platform, &permit, &found, &subjects).await?;
    let mut alerts: Vec<ui::alerts::Alert> = shown.into_iter().filter(|alert| filter.passes(alert)).collect();
    let has_more = alerts.len() > ROWS;
    alerts.truncate(ROWS);
    tell(&ask, alerts.iter().filter_map(|alert| alert.person.id.clone()).collect()).await?;
    let view = ListView {
        frame: frame_of(&ask),
        filter,
        units,
        alerts,
        has_more,
        waiting,
        may_act: ask.access.principal.may(Matter::ChangeAlert),
        cursor: cursor.to_string(),
        notice: None,
    };
    Ok(html(StatusCode::OK, list_page(&view)))
}

/// Records whose alerts the page names, before it leaves.
async fn tell(ask: &PageAsk, mut patients: Vec<String>) -> Result<(), ServerError> {
    patients.sort_unstable();
    patients.dedup();
    if !patients.is_empty() {
        let subject =
            Subject::new(Matter::Alerts, "queue").of_rows(patients.len() as u64).of_patients(patients);
        ask.app.gate().permit(&ask.access, subject).await?;
    }
    Ok(())
}

async fn rows(
    ask: &PageAsk,
    platform: &Platform,
    permit: &Permit,
    alerts: &[Alert],
    subjects: &[&str],
) -> Result<Vec<ui::alerts::Alert>, ServerError> {
    let people = People::default().of(&ask.app, &ask.access, subjects).await?;
    let n_rules = platform.alerts().n_parts(permit, alerts).await.map_err(refused)?;
    let policy = platform.alerts().policy();
    let row = |((alert, person), n)| alert_of(alert, person, policy, permit, n);
    Ok(alerts.iter().zip(people).zip(n_rules).map(row).collect())
}

async fn ended(platform: &Platform, permit: &Permit, filter: &Filter) -> Result<Vec<Alert>, ServerError> {
    let query = Query {
        states: State::named(&filter.state).into_iter().collect(),
        at_least: Severity::named(&filter.severity),
        unit: Some(filter.unit.clone()).filter(|unit| !unit.is_empty()),
        max: LIVE_MAX,
        ..Query::default()
    };
    Ok(platform.alerts().list(permit, query).await.map_err(refused)?.alerts)
}

fn waiting(live: &[Alert]) -> Vec<(String, u64)> {
    let count = |severity: Severity| {
        live.iter().filter(|alert| alert.state.is_waiting() && alert.severity == severity).count() as u64
    };
    let counted = Severity::ALL.into_iter().map(|severity| (severity.name().to_owned(), count(severity)));
    counted.filter(|(_, n)| *n > 0).collect()
}

fn units(live: &[Alert]) -> Vec<String> {
    let mut units: Vec<String> = live.iter().filter_map(|alert| alert.about.unit.clone()).collect();
    units.sort_unstable();
    units.dedup();
    units
}

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let id = ask.parts[0].clone();
    let Some((permit, platform)) = ask.streams(Matter::Alerts, &format!("alert/{id}")).await? else {
        return Ok(absent(&ask, Place::Alerts, "Alerts"));
    };
    let cursor = live::end(&platform).await?;
    let found = platform.alerts().whole(&permit, &id).await.map_err(refused)?;
    let whole = found.ok_or_else(|| StreamError::NotFound(format!("there is no alert `{id}`")))?;
    let subject = whole.alert.subject.clone();
    tell(&ask, person_id(&subject).map(String::from).into_iter().collect()).await?;
    let people = People::default().of(&ask.app, &ask.access, &[&subject]).await?;
    let person = people.into_iter().next().unwrap_or_default();
    let mut facts = whole_of(&whole, person, platform.alerts().policy(), &permit);
    for seen in &mut facts.seen {
        seen.position = platform.position_of(&permit, &subject, seen.at, &seen.source, &seen.event).await?;
    }
    let view = OneView {
        frame: frame_of(&ask),
        facts,
        may_act: ask.access.principal.may(Matter::ChangeAlert),
        may_open: ask.access.principal.may(Matter::OpenDeadLetter),
        cursor: cursor.to_string(),
        notice: None,
    };
    Ok(html(StatusCode::OK, one_page(&view)))
}
