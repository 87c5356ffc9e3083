//! What is sent of news: JSON for scripts, and for a page those pieces of it that changed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stream::Platform;
use stream::alert::{Alert, Transition};
use stream::ward::Bed;
use ui::alerts::{Filter, Person, card, list_row};

use super::Cursor;
use super::feed::News;
use super::sight::Sight;
use crate::dashboard::{alert_of, bed_of, refused, vitals_piece};
use crate::error::ServerError;

/// Pages that have pieces.
pub(super) const PAGES: [&str; 4] = ["alerts", "alert", "ward", "vitals"];

/// One message.
pub(super) struct Piece {
    pub(super) name: &'static str,
    /// The place behind it.
    pub(super) at: Cursor,
    pub(super) data: String,
    /// Whom it is about.
    pub(super) subject: Option<String>,
}

/// The messages of some news, in order; the last one stands at the end of the news.
pub(super) async fn pieces(
    platform: &Platform,
    sight: &mut Sight,
    from: Cursor,
    news: News,
) -> Result<Vec<Piece>, ServerError> {
    let end = Cursor {
        alerts: news.alerts.last().map_or(from.alerts, |(change, _)| change.seq),
        beds: news.beds.last().map_or(from.beds, |bed| bed.seq),
    };
    let mut pieces = match sight.wanted.page.as_deref() {
        None => documents(from, &news),
        Some("alerts") => rows(platform, sight, from, news).await?,
        Some("alert") => one(platform, sight, from, news).await?,
        Some("ward") => tiles(platform, sight, from, news).await?,
        Some("vitals") => vitals(platform, sight, from, news).await?,
        Some(_) => Vec::new(),
    };
    // What was left out need not be looked at again.
    if end != from && pieces.last().is_none_or(|last| last.at != end) {
        pieces.push(Piece { name: "cursor", at: end, data: String::new(), subject: None });
    }
    Ok(pieces)
}

fn documents(from: Cursor, news: &News) -> Vec<Piece> {
    let mut at = from;
    let mut pieces = Vec::with_capacity(news.alerts.len() + news.beds.len());
    for (change, alert) in &news.alerts {
        at.alerts = change.seq;
        let data = alert_document(change, alert).to_string();
        pieces.push(Piece { name: "alert", at, data, subject: Some(alert.subject.clone()) });
    }
    for bed in &news.beds {
        at.beds = bed.seq;
        let data = bed_document(bed).to_string();
        pieces.push(Piece { name: "vitals", at, data, subject: Some(bed.subject.clone()) });
    }
    pieces
}

fn alert_document(change: &Transition, alert: &Alert) -> Value {
    json!({
        "seq": change.seq,
        "what": change.what.name(),
        "by": change.by,
        "reason": change.reason,
        "changed_at": change.at.to_rfc3339_millis(),
        "id": alert.id,
        "rule": alert.rule,
        "version": alert.version,
        "patient": alert.subject,
        "severity": alert.severity.name(),
        "state": change.after.name(),
        "message": alert.message,
        "at": alert.at.to_rfc3339_millis(),
        "raised_at": alert.raised_at.to_rfc3339_millis(),
        "event": alert.event,
        "unit": alert.about.unit,
    })
}

fn bed_document(bed: &Bed) -> Value {
    let values: BTreeMap<&str, Value> = bed
        .values
        .iter()
        .map(|(name, latest)| {
            let at = fhir::Instant(latest.at).to_rfc3339_millis();
            (
                name.as_str(),
                json!({"value": latest.value, "unit": latest.unit, "at": at, "event": latest.event}),
            )
        })
        .collect();
    json!({"seq": bed.seq, "patient": bed.subject, "unit": bed.unit, "at": bed.at.to_rfc3339_millis(), "values": values})
}

/// Rows of the queue. One that no longer passes the filter is changed where it stands, and not put into a page that has it not.
async fn rows(
    platform: &Platform,
    sight: &mut Sight,
    mut at: Cursor,
    news: News,
) -> Result<Vec<Piece>, ServerError> {
    let value = |name: &str| sight.wanted.value(name).to_owned();
    let filter = Filter { state: value("state"), severity: value("severity"), unit: value("unit") };
    let may_act = sight.access.principal.may(gate::Matter::ChangeAlert);
    let changed = newest(&news.alerts);
    let mut pieces = Vec::new();
    for (seq, alert, person, n) in known(platform, sight, changed).await? {
        let row = alert_of(&alert, person, platform.alerts().policy(), &sight.permit, n);
        at.alerts = seq;
        let name = if filter.passes(&row) { "fragment" } else { "swap" };
        let data = list_row(&sight.frame(), &row, may_act, &filter.address()).into_string();
        pieces.push(Piece { name, at, data, subject: Some(alert.subject) });
    }
    Ok(pieces)
}

/// Each alert once, as it is now, at the place of its last change.
fn newest(changes: &[(Transition, Alert)]) -> Vec<(i64, Alert)> {
    let mut newest: Vec<(i64, Alert)> = Vec::new();
    for (change, alert) in changes {
        newest.retain(|(_, known)| known.id != alert.id);
        newest.push((change.seq, alert.clone()));
    }
    newest
}

type Known = (i64, Alert, Person, u64);

async fn known(
    platform: &Platform,
    sight: &mut Sight,
    changed: Vec<(i64, Alert)>,
) -> Result<Vec<Known>, ServerError> {
    let alerts: Vec<Alert> = changed.iter().map(|(_, alert)| alert.clone()).collect();
    let subjects: Vec<&str> = alerts.iter().map(|alert| alert.subject.as_str()).collect();
    let (app, access) = (sight.app().clone(), sight.access.clone());
    let people = sight.people.of(&app, &access, &subjects).await?;
    let n_rules = platform.alerts().n_parts(&sight.permit, &alerts).await.map_err(refused)?;
    let all = changed.into_iter().zip(people).zip(n_rules);
    Ok(all.map(|(((seq, alert), person), n)| (seq, alert, person, n)).collect())
}

async fn one(
    platform: &Platform,
    sight: &mut Sight,
    mut at: Cursor,
    news: News,
) -> Result<Vec<Piece>, ServerError> {
    let id = sight.wanted.value("id").to_owned();
    let may_act = sight.access.principal.may(gate::Matter::ChangeAlert);
    let mut changed = newest(&news.alerts);
    changed.retain(|(_, alert)| alert.id == id);
    let mut pieces = Vec::new();
    for (seq, alert, person, n) in known(platform, sight, changed).await? {
        let facts = alert_of(&alert, person, platform.alerts().policy(), &sight.permit, n);
        at.alerts = seq;
        let data = card(&sight.frame(), &facts, may_act).into_string();
        pieces.push(Piece { name: "fragment", at, data, subject: Some(alert.subject) });
    }
    Ok(pieces)
}

/// Tiles of patients with new readings or with alerts that changed.
async fn tiles(
    platform: &Platform,
    sight: &mut Sight,
    mut at: Cursor,
    news: News,
) -> Result<Vec<Piece>, ServerError> {
    let unit = sight.wanted.value("unit").to_owned();
    let mut beds = news.beds;
    if let Some((change, _)) = news.alerts.last() {
        at.alerts = change.seq;
    }
    let mut touched: Vec<String> = news.alerts.iter().map(|(_, alert)| alert.subject.clone()).collect();
    touched.sort_unstable();
    touched.dedup();
    touched.retain(|subject| person_known(subject, &beds));
    let mut others = platform.beds_of(&sight.permit, &touched).await?;
    // They are shown at the place before the readings that follow.
    others.iter_mut().for_each(|bed| bed.seq = at.beds);
    others.append(&mut beds);
    others.retain(|bed| unit.is_empty() || bed.unit.as_deref() == Some(unit.as_str()));
    let frame = sight.frame();
    let mut pieces = Vec::new();
    let (app, access) = (sight.app().clone(), sight.access.clone());
    for bed in others {
        let person =
            sight.people.of(&app, &access, &[&bed.subject]).await?.into_iter().next().unwrap_or_default();
        let history = sight.history(platform, &bed.subject).await?;
        let shown = bed_of(platform, &sight.permit, &bed, person, history).await?;
        at.beds = at.beds.max(bed.seq);
        let data = ui::ward::tile(&shown, frame.now).into_string();
        // Who went out is not put on a board that has them not.
        let name = if bed.is_discharged { "swap" } else { "fragment" };
        pieces.push(Piece { name, at, data, subject: Some(bed.subject) });
    }
    Ok(pieces)
}

/// A patient whose readings are not among the new ones anyway.
fn person_known(subject: &str, beds: &[Bed]) -> bool {
    !subject.starts_with("population:") && beds.iter().all(|bed| bed.subject != subject)
}

/// The lines and the tile of one patient, and its alerts.
async fn vitals(
    platform: &Platform,
    sight: &mut Sight,
    mut at: Cursor,
    mut news: News,
) -> Result<Vec<Piece>, ServerError> {
    let subject = format!("Patient/{}", sight.wanted.value("patient"));
    let hours = sight.wanted.value("hours").parse().unwrap_or(24);
    news.alerts.retain(|(_, alert)| alert.subject == subject);
    news.beds.retain(|bed| bed.subject == subject);
    let mut pieces = Vec::new();
    if let Some((change, _)) = news.alerts.last() {
        at.alerts = change.seq;
    }
    if let Some(bed) = news.beds.last() {
        at.beds = bed.seq;
    }
    if news.alerts.is_empty() && news.beds.is_empty() {
        return Ok(pieces);
    }
    let (app, access, frame) = (sight.app().clone(), sight.access.clone(), sight.frame());
    let person = sight.people.of(&app, &access, &[&subject]).await?.into_iter().next().unwrap_or_default();
    for data in vitals_piece(platform, &sight.permit, frame, person, hours).await? {
        pieces.push(Piece { name: "fragment", at, data, subject: Some(subject.clone()) });
    }
    Ok(pieces)
}
