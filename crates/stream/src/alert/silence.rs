//! Silences: until when alerts that match tell nobody. They expire, survive a restart, and never cover critical or high alerts.

use fhir::Instant;
use notify::outbox;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::apply::Ground;
use super::change::{Record, record};
use super::model::{Alert, State, Step, Transition};
use super::policy::{Policy, later};
use super::refusal::Refusal;
use super::{row, timer};

/// Silences of one tenant that have not ended.
const SILENCES_MAX: usize = 1_000;

/// What shall be silent, and how long. What is not said matches everything; something must be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SilenceRequest {
    /// Of this patient or population.
    pub subject: Option<String>,
    /// Of this topic.
    pub topic: Option<String>,
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this unit.
    pub unit: Option<String>,
    /// How long.
    pub mins: u32,
    /// Why.
    pub reason: String,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its identifier.
    pub id: String,
    /// Of this patient or population.
    pub subject: Option<String>,
    /// Of this topic.
    pub topic: Option<String>,
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this unit.
    pub unit: Option<String>,
    /// From when.
    pub begins_at: Instant,
    /// Until when.
    pub ends_at: Instant,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was lifted before its end.
    pub lifted_at: Option<Instant>,
}

const COLUMNS: &str = "id, subject, topic, rule, unit, begins_at, ends_at, by, reason, lifted_at";

fn silence_of(row: &Row<'_>) -> rusqlite::Result<Silence> {
    Ok(Silence {
        id: row.get(0)?,
        subject: row.get(1)?,
        topic: row.get(2)?,
        rule: row.get(3)?,
        unit: row.get(4)?,
        begins_at: Instant(row.get(5)?),
        ends_at: Instant(row.get(6)?),
        by: row.get(7)?,
        reason: row.get(8)?,
        lifted_at: row.get::<_, Option<i64>>(9)?.map(Instant),
    })
}

/// Silences that have not ended, the last made first.
///
/// # Errors
/// The database fails.
pub fn silences(conn: &Connection, tenant: &str, now: Instant) -> rusqlite::Result<Vec<Silence>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM silence WHERE tenant = ?1 AND ends_at > ?2 AND lifted_at IS NULL ORDER BY begins_at DESC, id LIMIT ?3"
    );
    conn.prepare_cached(&sql)?.query_map(params![tenant, now.0, SILENCES_MAX as i64], silence_of)?.collect()
}

/// Makes a silence, which also covers what is live and matches. The inner error says why it may not be.
///
/// # Errors
/// The database fails.
pub fn silence(
    conn: &Connection,
    policy: &Policy,
    tenant: &str,
    request: &SilenceRequest,
    by: &str,
    now: Instant,
) -> rusqlite::Result<Result<(Silence, Vec<Transition>), Refusal>> {
    if let Some(refusal) = refused(policy, request) {
        return Ok(Err(refusal));
    }
    if silences(conn, tenant, now)?.len() >= SILENCES_MAX {
        return Ok(Err(Refusal::TooManySilences));
    }
    let made = Silence {
        id: uuid::Uuid::new_v4().to_string(),
        subject: request.subject.clone(),
        topic: request.topic.clone(),
        rule: request.rule.clone(),
        unit: request.unit.clone(),
        begins_at: now,
        ends_at: later(now, request.mins),
        by: by.to_owned(),
        reason: request.reason.trim().to_owned(),
        lifted_at: None,
    };
    conn.prepare_cached(
        "INSERT INTO silence (id, tenant, subject, topic, rule, unit, begins_at, ends_at, by, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        made.id,
        tenant,
        made.subject,
        made.topic,
        made.rule,
        made.unit,
        made.begins_at.0,
        made.ends_at.0,
        made.by,
        made.reason
    ])?;
    let mut done = Vec::new();
    for key in live(conn, tenant, &made)? {
        let mut alert = row::by_key(conn, key)?;
        if !alert.is_urgent() && alert.state.is_waiting() {
            done.push(put_under(conn, &mut alert, &made, now)?);
            outbox::cancel(conn, tenant, &alert.id, now)?;
        }
    }
    Ok(Ok((made, done)))
}

fn refused(policy: &Policy, request: &SilenceRequest) -> Option<Refusal> {
    if request.reason.trim().is_empty() {
        return Some(Refusal::ReasonMissing);
    }
    let is_everything = [&request.subject, &request.topic, &request.rule, &request.unit]
        .iter()
        .all(|one| one.as_deref().is_none_or(str::is_empty));
    if is_everything {
        return Some(Refusal::SilenceOfEverything);
    }
    if request.mins == 0 || request.mins > policy.silence_max_mins {
        return Some(Refusal::TooLong { asked_mins: request.mins, max_mins: policy.silence_max_mins });
    }
    None
}

/// Ends a silence before its time; what it covered and still holds is told.
///
/// # Errors
/// The database fails.
pub fn lift(
    conn: &Connection,
    policy: &Policy,
    tenant: &str,
    id: &str,
    by: &str,
    now: Instant,
) -> rusqlite::Result<Result<Vec<Transition>, Refusal>> {
    let rows = conn
        .prepare_cached(
            "UPDATE silence SET lifted_at = ?3, lifted_by = ?4 WHERE tenant = ?1 AND id = ?2 AND lifted_at IS NULL AND ends_at > ?3",
        )?
        .execute(params![tenant, id, now.0, by])?;
    if rows == 0 {
        return Ok(Err(Refusal::NoSilence));
    }
    let keys: Vec<i64> = conn
        .prepare_cached(
            "SELECT key FROM alert WHERE tenant = ?1 AND silence = ?2 AND ended_at IS NULL ORDER BY key",
        )?
        .query_map(params![tenant, id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let ground = Ground { conn, policy, now };
    let mut done = Vec::new();
    for key in keys {
        done.extend(timer::unsilence(&ground, row::by_key(conn, key)?, by)?);
    }
    Ok(Ok(done))
}

fn live(conn: &Connection, tenant: &str, silence: &Silence) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached(
        "SELECT key FROM alert WHERE tenant = ?1 AND ended_at IS NULL AND (?2 IS NULL OR subject = ?2) AND (?3 IS NULL OR topic = ?3)
           AND (?4 IS NULL OR rule = ?4) AND (?5 IS NULL OR unit = ?5) ORDER BY key",
    )?
    .query_map(params![tenant, silence.subject, silence.topic, silence.rule, silence.unit], |row| row.get(0))?
    .collect()
}

/// Is the alert under a silence; then it is marked and tells nobody.
pub(crate) fn cover(ground: &Ground<'_>, alert: &mut Alert) -> rusqlite::Result<Option<Transition>> {
    if alert.is_urgent() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM silence WHERE tenant = ?1 AND begins_at <= ?2 AND ends_at > ?2 AND lifted_at IS NULL
           AND (subject IS NULL OR subject = ?3) AND (topic IS NULL OR topic = ?4) AND (rule IS NULL OR rule = ?5)
           AND (unit IS NULL OR unit = ?6) ORDER BY ends_at DESC, id LIMIT 1"
    );
    let found = ground
        .conn
        .prepare_cached(&sql)?
        .query_row(
            params![alert.tenant, ground.now.0, alert.subject, alert.topic, alert.rule, alert.about.unit],
            silence_of,
        )
        .optional()?;
    let Some(found) = found else { return Ok(None) };
    put_under(ground.conn, alert, &found, ground.now).map(Some)
}

fn put_under(
    conn: &Connection,
    alert: &mut Alert,
    silence: &Silence,
    now: Instant,
) -> rusqlite::Result<Transition> {
    let before = alert.state;
    alert.state = State::Silenced;
    alert.silence = Some(silence.id.clone());
    alert.timer_at = Some(silence.ends_at);
    let covered =
        Record { what: Step::Silenced, before: Some(before), by: &silence.by, reason: Some(&silence.reason) };
    record(conn, alert, &covered, now)
}
