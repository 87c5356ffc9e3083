//! Rows of alerts and their parts: read, insert, save. Knows no rule of the life of an alert.

use fhir::Instant;
use rules::{Finding, Seen, Severity};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value as Json, json};

use super::model::{About, Alert, Part, State};

/// The columns of an alert, in the order in which [`alert_of`] reads them.
pub(crate) const COLUMNS: &str = "alert.key, id, alert.tenant, alert.subject, topic, alert.rule, alert.version, alert.opening, alert.event,
 alert.severity, peak, alert.is_immediate, alert.state, alert.message, alert.seen, alert.at, raised_at, changed_at, ended_at, respond_by,
 acknowledged_at, owner, is_overridden, timer_at, level, repeats, silence, inhibited_by, unit, encounter, organization, region, population, alert.seq, alert.privacy";

pub(crate) fn number_of(severity: Severity) -> i64 {
    severity as i64
}

/// A number that is not known is taken as the worst.
pub(crate) fn severity_of(number: i64) -> Severity {
    let known = Severity::ALL.into_iter().find(|severity| number_of(*severity) == number);
    known.unwrap_or(Severity::Critical)
}

pub(crate) fn state_of(name: &str) -> State {
    State::named(name).unwrap_or(State::Open)
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Instant>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Instant))
}

fn json_of(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| json!([]))
}

pub(crate) fn alert_of(row: &Row<'_>) -> rusqlite::Result<Alert> {
    let (state, seen, population): (String, String, String) = (row.get(12)?, row.get(14)?, row.get(32)?);
    let privacy: String = row.get(34)?;
    Ok(Alert {
        key: row.get(0)?,
        id: row.get(1)?,
        tenant: row.get(2)?,
        subject: row.get(3)?,
        topic: row.get(4)?,
        rule: row.get(5)?,
        version: row.get(6)?,
        opening: row.get(7)?,
        event: row.get(8)?,
        severity: severity_of(row.get(9)?),
        peak: severity_of(row.get(10)?),
        is_immediate: row.get(11)?,
        state: state_of(&state),
        message: row.get(13)?,
        seen: json_of(&seen),
        at: Instant(row.get(15)?),
        raised_at: Instant(row.get(16)?),
        changed_at: Instant(row.get(17)?),
        ended_at: instant(row, 18)?,
        respond_by: instant(row, 19)?,
        acknowledged_at: instant(row, 20)?,
        owner: row.get(21)?,
        is_overridden: row.get(22)?,
        timer_at: instant(row, 23)?,
        level: row.get(24)?,
        repeats: row.get(25)?,
        silence: row.get(26)?,
        inhibited_by: row.get(27)?,
        about: About {
            unit: row.get(28)?,
            encounter: row.get(29)?,
            organization: row.get(30)?,
            region: row.get(31)?,
            population: serde_json::from_str(&population).unwrap_or_default(),
            privacy: serde_json::from_str(&privacy).unwrap_or_default(),
        },
        seq: row.get(33)?,
    })
}

/// What a finding rests on, as it is kept.
pub(crate) fn seen_of(seen: &[Seen]) -> Json {
    let entry = |seen: &Seen| {
        json!({"name": seen.name, "value": seen.value, "unit": seen.unit, "at": seen.at.to_rfc3339_millis(),
            "event": seen.event, "source": seen.source})
    };
    Json::Array(seen.iter().map(entry).collect())
}

/// The live alert of a topic.
pub(crate) fn live(
    conn: &Connection,
    tenant: &str,
    subject: &str,
    topic: &str,
) -> rusqlite::Result<Option<Alert>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alert WHERE tenant = ?1 AND subject = ?2 AND topic = ?3 AND ended_at IS NULL"
    );
    conn.prepare_cached(&sql)?.query_row(params![tenant, subject, topic], alert_of).optional()
}

/// An alert by its identifier.
pub(crate) fn by_id(conn: &Connection, tenant: &str, id: &str) -> rusqlite::Result<Option<Alert>> {
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE id = ?2 AND tenant = ?1");
    conn.prepare_cached(&sql)?.query_row(params![tenant, id], alert_of).optional()
}

/// An alert by its key.
pub(crate) fn by_key(conn: &Connection, key: i64) -> rusqlite::Result<Alert> {
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE alert.key = ?1");
    conn.prepare_cached(&sql)?.query_row([key], alert_of)
}

/// Inserts it and gives it its key; false when there is one with its identifier.
pub(crate) fn insert(conn: &Connection, alert: &mut Alert) -> rusqlite::Result<bool> {
    let rows = conn
        .prepare_cached(
            "INSERT INTO alert (id, tenant, subject, topic, rule, version, opening, event, severity, peak, is_immediate, state, message, seen,
               at, raised_at, changed_at, unit, encounter, organization, region, population, seq, privacy)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, 0, ?23)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            alert.id,
            alert.tenant,
            alert.subject,
            alert.topic,
            alert.rule,
            alert.version,
            alert.opening,
            alert.event,
            number_of(alert.severity),
            number_of(alert.peak),
            alert.is_immediate,
            alert.state.name(),
            alert.message,
            alert.seen.to_string(),
            alert.at.0,
            alert.raised_at.0,
            alert.changed_at.0,
            alert.about.unit,
            alert.about.encounter,
            alert.about.organization,
            alert.about.region,
            Json::from(alert.about.population.clone()).to_string(),
            Json::from(alert.about.privacy.clone()).to_string(),
        ])?;
    alert.key = conn.last_insert_rowid();
    Ok(rows == 1)
}

/// Writes all that can change.
pub(crate) fn save(conn: &Connection, alert: &Alert) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE alert SET subject = ?2, rule = ?3, version = ?4, event = ?5, severity = ?6, peak = ?7, is_immediate = ?8, state = ?9,
           message = ?10, seen = ?11, changed_at = ?12, ended_at = ?13, respond_by = ?14, acknowledged_at = ?15, owner = ?16,
           is_overridden = ?17, timer_at = ?18, level = ?19, repeats = ?20, silence = ?21, inhibited_by = ?22, unit = ?23, encounter = ?24,
           organization = ?25, region = ?26, population = ?27, seq = ?28, privacy = ?29
         WHERE key = ?1",
    )?
    .execute(params![
        alert.key,
        alert.subject,
        alert.rule,
        alert.version,
        alert.event,
        number_of(alert.severity),
        number_of(alert.peak),
        alert.is_immediate,
        alert.state.name(),
        alert.message,
        alert.seen.to_string(),
        alert.changed_at.0,
        alert.ended_at.map(|at| at.0),
        alert.respond_by.map(|at| at.0),
        alert.acknowledged_at.map(|at| at.0),
        alert.owner,
        alert.is_overridden,
        alert.timer_at.map(|at| at.0),
        alert.level,
        alert.repeats,
        alert.silence,
        alert.inhibited_by,
        alert.about.unit,
        alert.about.encounter,
        alert.about.organization,
        alert.about.region,
        Json::from(alert.about.population.clone()).to_string(),
        alert.seq,
        Json::from(alert.about.privacy.clone()).to_string(),
    ])?;
    Ok(())
}

const PART: &str = "rule, version, opening, severity, is_immediate, state, message, seen, at, event";

fn part_of(row: &Row<'_>) -> rusqlite::Result<Part> {
    let seen: String = row.get(7)?;
    Ok(Part {
        rule: row.get(0)?,
        version: row.get(1)?,
        opening: row.get(2)?,
        severity: severity_of(row.get(3)?),
        is_immediate: row.get(4)?,
        state: row.get(5)?,
        message: row.get(6)?,
        seen: json_of(&seen),
        at: Instant(row.get(8)?),
        event: row.get(9)?,
    })
}

/// The parts of an alert, the one that decides first.
pub(crate) fn parts_of(conn: &Connection, alert: i64) -> rusqlite::Result<Vec<Part>> {
    let sql = format!(
        "SELECT {PART} FROM alert_part WHERE alert = ?1
         ORDER BY state = 'active' DESC, severity DESC, is_immediate DESC, at, rule, opening LIMIT 100"
    );
    conn.prepare_cached(&sql)?.query_map([alert], part_of)?.collect()
}

/// The part of a rule's episode, and the key of its alert.
pub(crate) fn part(
    conn: &Connection,
    tenant: &str,
    finding: &Finding,
) -> rusqlite::Result<Option<(i64, Part)>> {
    let sql = format!(
        "SELECT {PART}, alert FROM alert_part WHERE tenant = ?1 AND subject = ?2 AND rule = ?3 AND opening = ?4"
    );
    conn.prepare_cached(&sql)?
        .query_row(params![tenant, finding.subject, finding.rule, finding.opening], |row| {
            Ok((row.get(10)?, part_of(row)?))
        })
        .optional()
}

/// Writes the part of a finding, new or not.
pub(crate) fn put_part(
    conn: &Connection,
    tenant: &str,
    subject: &str,
    alert: i64,
    part: &Part,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO alert_part (tenant, subject, rule, opening, version, alert, severity, is_immediate, state, message, seen, at, event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (tenant, subject, rule, opening) DO UPDATE SET version = excluded.version, alert = excluded.alert,
           severity = excluded.severity, is_immediate = excluded.is_immediate, state = excluded.state, message = excluded.message,
           seen = excluded.seen, at = excluded.at, event = excluded.event",
    )?
    .execute(params![
        tenant,
        subject,
        part.rule,
        part.opening,
        part.version,
        alert,
        number_of(part.severity),
        part.is_immediate,
        part.state,
        part.message,
        part.seen.to_string(),
        part.at.0,
        part.event,
    ])?;
    Ok(())
}
