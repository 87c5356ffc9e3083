//! Records a step of an alert and saves the alert with it: the only way in which an alert changes.

use fhir::Instant;
use rusqlite::{Connection, params};

use super::model::{Alert, State, Step, Transition};
use super::row::{number_of, save};

/// What is recorded of a step.
pub(crate) struct Record<'a> {
    pub(crate) what: Step,
    pub(crate) before: Option<State>,
    pub(crate) by: &'a str,
    pub(crate) reason: Option<&'a str>,
}

/// Appends the step and saves the alert, which is in its new state already.
pub(crate) fn record(
    conn: &Connection,
    alert: &mut Alert,
    record: &Record<'_>,
    now: Instant,
) -> rusqlite::Result<Transition> {
    conn.prepare_cached(
        "INSERT INTO alert_change (alert, tenant, what, before, after, severity, at, by, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        alert.key,
        alert.tenant,
        record.what.name(),
        record.before.map(State::name),
        alert.state.name(),
        number_of(alert.severity),
        now.0,
        record.by,
        record.reason,
    ])?;
    alert.seq = conn.last_insert_rowid();
    alert.changed_at = now;
    save(conn, alert)?;
    Ok(Transition {
        seq: alert.seq,
        alert: alert.id.clone(),
        what: record.what,
        before: record.before,
        after: alert.state,
        severity: alert.severity,
        at: now,
        by: record.by.to_owned(),
        reason: record.reason.map(str::to_owned),
    })
}

/// The alert ends: nothing happens to it by itself any more.
pub(crate) fn end(alert: &mut Alert, state: State, now: Instant) {
    alert.state = state;
    alert.ended_at = Some(now);
    alert.timer_at = None;
    alert.silence = None;
    alert.inhibited_by = None;
}
