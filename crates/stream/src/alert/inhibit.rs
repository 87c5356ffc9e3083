//! Inhibition: while an alert of one topic is live, alerts of others of the same patient tell nobody. Never critical or high ones.

use notify::Purpose;
use rusqlite::{Connection, params};

use super::apply::Ground;
use super::change::{Record, record};
use super::model::{Alert, Step, Transition};
use super::{row, tell};

const BY: &str = "service:alerts";

/// Is the alert covered by another; then it is marked and tells nobody.
pub(crate) fn cover(ground: &Ground<'_>, alert: &mut Alert) -> rusqlite::Result<Option<Transition>> {
    if alert.is_urgent() {
        return Ok(None);
    }
    let by = covering(ground, alert)?;
    let Some(by) = by else { return Ok(None) };
    mark(ground, alert, by).map(Some)
}

fn covering(ground: &Ground<'_>, alert: &Alert) -> rusqlite::Result<Option<String>> {
    for (topic, at_least) in ground.policy.covers_of(&alert.topic) {
        let found = row::live(ground.conn, &alert.tenant, &alert.subject, topic)?;
        if let Some(found) = found.filter(|found| found.severity >= at_least) {
            return Ok(Some(found.id));
        }
    }
    Ok(None)
}

fn mark(ground: &Ground<'_>, alert: &mut Alert, by: String) -> rusqlite::Result<Transition> {
    let reason = format!("alert {by} covers it");
    alert.inhibited_by = Some(by);
    // It escalates when nothing covers it any more.
    alert.timer_at = None;
    let inhibited =
        Record { what: Step::Inhibited, before: Some(alert.state), by: BY, reason: Some(&reason) };
    record(ground.conn, alert, &inhibited, ground.now)
}

/// An alert that covers others has begun: those that wait are covered, and what was not sent is taken back.
pub(crate) fn start(ground: &Ground<'_>, alert: &Alert) -> rusqlite::Result<Vec<Transition>> {
    let mut done = Vec::new();
    for topic in ground.policy.covered_by(&alert.topic, alert.severity) {
        let Some(mut other) = row::live(ground.conn, &alert.tenant, &alert.subject, topic)? else { continue };
        if other.is_urgent() || other.inhibited_by.is_some() || !other.state.is_waiting() {
            continue;
        }
        done.push(mark(ground, &mut other, alert.id.clone())?);
        notify::outbox::cancel(ground.conn, &other.tenant, &other.id, ground.now)?;
    }
    Ok(done)
}

/// An alert that covered others is over: those that still hold are told, unless another covers them too.
pub(crate) fn stop(ground: &Ground<'_>, alert: &Alert) -> rusqlite::Result<Vec<Transition>> {
    let mut done = Vec::new();
    for key in covered(ground.conn, &alert.id)? {
        let mut other = row::by_key(ground.conn, key)?;
        if let Some(by) = covering(ground, &other)? {
            other.inhibited_by = Some(by);
            row::save(ground.conn, &other)?;
            continue;
        }
        other.inhibited_by = None;
        other.respond_by = ground.policy.respond_by(other.severity, None, ground.now);
        other.timer_at = other.respond_by;
        let freed = Record { what: Step::Uninhibited, before: Some(other.state), by: BY, reason: None };
        done.push(record(ground.conn, &mut other, &freed, ground.now)?);
        tell::tell(ground.conn, ground.policy, &other, Purpose::Raised, ground.now)?;
    }
    Ok(done)
}

fn covered(conn: &Connection, id: &str) -> rusqlite::Result<Vec<i64>> {
    let mut statement = conn
        .prepare_cached("SELECT key FROM alert WHERE inhibited_by = ?1 AND ended_at IS NULL ORDER BY key")?;
    statement.query_map(params![id], |row| row.get(0))?.collect()
}
