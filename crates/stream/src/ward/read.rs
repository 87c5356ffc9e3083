//! Readings of patients out of `stream.db`: the last values, what was measured, and where each event stands in the log.

use std::collections::BTreeMap;

use fhir::Instant;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::process::board::{Board, Latest};

/// A patient with readings. Does not print.
#[derive(Clone, PartialEq)]
pub struct Bed {
    /// The canonical patient.
    pub subject: String,
    /// The place of its last change in the sequence of all patients' changes.
    pub seq: i64,
    /// When something was last heard.
    pub at: Instant,
    /// The ward.
    pub unit: Option<String>,
    /// Room and bed.
    pub place: Option<String>,
    /// Went out.
    pub is_discharged: bool,
    /// The last value of each measure.
    pub values: BTreeMap<String, Latest>,
}

impl std::fmt::Debug for Bed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bed({} values)", self.values.len())
    }
}

/// A value that was measured, with where it came from. Does not print.
#[derive(Clone, PartialEq)]
pub struct Measured {
    /// Short name of the measure.
    pub name: String,
    /// With its comparator.
    pub value: String,
    /// UCUM.
    pub unit: Option<String>,
    /// Of specimen and device.
    pub flags: Vec<String>,
    /// When.
    pub at: Instant,
    /// The event.
    pub event: String,
    /// Who sent it.
    pub source: String,
    /// Where the event stands, `vital_signs:3:1042`.
    pub position: String,
}

impl std::fmt::Debug for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measured({})", self.position)
    }
}

const COLUMNS: &str = "patient, changed, at, board";

fn bed_of(row: &Row<'_>) -> rusqlite::Result<Bed> {
    let board = Board::of_text(&row.get::<_, String>(3)?);
    Ok(Bed {
        subject: row.get(0)?,
        seq: row.get(1)?,
        at: Instant(board.at),
        unit: board.unit,
        place: board.bed,
        is_discharged: board.is_discharged,
        values: board.values.into_iter().collect(),
    })
}

/// Patients of a ward, or of all; those of whom was heard last first.
pub(crate) fn beds(
    conn: &Connection,
    tenant: &str,
    unit: Option<&str>,
    max: usize,
) -> rusqlite::Result<Vec<Bed>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM patient_state WHERE tenant = ?1 AND (?2 IS NULL OR unit = ?2) AND board <> '' ORDER BY at DESC LIMIT ?3"
    );
    conn.prepare_cached(&sql)?.query_map(params![tenant, unit, max as i64], bed_of)?.collect()
}

/// One patient.
pub(crate) fn bed(conn: &Connection, tenant: &str, subject: &str) -> rusqlite::Result<Option<Bed>> {
    let sql = format!("SELECT {COLUMNS} FROM patient_state WHERE tenant = ?1 AND patient = ?2");
    conn.prepare_cached(&sql)?.query_row(params![tenant, subject], bed_of).optional()
}

/// Patients whose last change is behind a place, in the order of those changes.
pub(crate) fn beds_after(
    conn: &Connection,
    tenant: &str,
    after: i64,
    max: usize,
) -> rusqlite::Result<Vec<Bed>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM patient_state WHERE changed > ?2 AND tenant = ?1 ORDER BY changed LIMIT ?3"
    );
    conn.prepare_cached(&sql)?.query_map(params![tenant, after, max as i64], bed_of)?.collect()
}

/// The end of the sequence of changes.
pub(crate) fn last(conn: &Connection) -> rusqlite::Result<i64> {
    let mut statement = conn.prepare_cached("SELECT seq FROM cursor WHERE name = 'board'")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Wards with patients.
pub(crate) fn units(conn: &Connection, tenant: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT unit FROM patient_state WHERE tenant = ?1 AND unit IS NOT NULL ORDER BY unit LIMIT 200";
    conn.prepare_cached(sql)?.query_map(params![tenant], |row| row.get(0))?.collect()
}

/// What was measured from an instant on, at most from so many events, the oldest first; and whether there was more.
pub(crate) fn measured(
    conn: &Connection,
    tenant: &str,
    subject: &str,
    (since, until): (Instant, Instant),
    events_max: usize,
) -> rusqlite::Result<(Vec<Measured>, bool)> {
    let sql = "SELECT at, source, event, kind, partition, \"offset\", body FROM measured
        WHERE tenant = ?1 AND patient = ?2 AND at >= ?3 AND at <= ?4 ORDER BY at DESC LIMIT ?5";
    let mut statement = conn.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![tenant, subject, since.0, until.0, events_max as i64 + 1], |row| {
            let place =
                format!("{}:{}:{}", row.get::<_, String>(3)?, row.get::<_, i64>(4)?, row.get::<_, i64>(5)?);
            Ok((
                Instant(row.get(0)?),
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                place,
                row.get::<_, String>(6)?,
            ))
        })?;
    let mut events = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_cut = events.len() > events_max;
    events.truncate(events_max);
    let mut found = Vec::new();
    for (at, source, event, position, body) in events.into_iter().rev() {
        let values: Vec<(String, String, Option<String>, Vec<String>)> =
            serde_json::from_str(&body).unwrap_or_default();
        found.extend(values.into_iter().map(|(name, value, unit, flags)| Measured {
            name,
            value,
            unit,
            flags,
            at,
            event: event.clone(),
            source: source.clone(),
            position: position.clone(),
        }));
    }
    Ok((found, is_cut))
}

/// Where the event of a value stands in the log.
pub(crate) fn position_of(
    conn: &Connection,
    tenant: &str,
    subject: &str,
    at: Instant,
    source: &str,
    event: &str,
) -> rusqlite::Result<Option<String>> {
    // Instants of findings are written with milliseconds.
    let sql = "SELECT kind, partition, \"offset\" FROM measured WHERE tenant = ?1 AND patient = ?2 AND at BETWEEN ?3 AND ?3 + 999 AND source = ?4 AND event = ?5";
    conn.prepare_cached(sql)?
        .query_row(params![tenant, subject, at.0, source, event], |row| {
            Ok(format!("{}:{}:{}", row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()
}
