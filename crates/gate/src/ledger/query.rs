//! Reading the ledger: by patient, principal and time, in order, in pages.

use fhir::{Instant, Kind};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::record::{Action, Outcome, Record};

/// The most records of one page.
pub const AUDIT_PAGE_MAX: usize = 1_000;

/// Which records are wanted; every part that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Records whose answer named this patient.
    pub patient: Option<String>,
    /// Records of this principal.
    pub principal: Option<String>,
    /// Records of this request.
    pub request: Option<String>,
    /// Records at or after this instant.
    pub since: Option<Instant>,
    /// Records behind this position.
    pub after: u64,
    /// Records before this position, newest first: for people, who read the ledger from its end.
    pub before: Option<u64>,
    /// At most so many, and never more than [`AUDIT_PAGE_MAX`].
    pub max: usize,
}

/// A record and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Position in the ledger.
    pub seq: u64,
    /// The record.
    pub record: Record,
}

pub(crate) fn select(
    conn: &Connection,
    tenant: &str,
    query: &AuditQuery,
) -> rusqlite::Result<Vec<AuditEntry>> {
    let order = if query.before.is_some() { "DESC" } else { "ASC" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT seq, at, tenant, principal, on_behalf_of, purpose, action, kind, ids, detail, count, outcome, request, patients
         FROM audit
         WHERE tenant = ?1 AND seq > ?2 AND seq < ?8 AND at >= ?3
           AND (?4 IS NULL OR principal = ?4)
           AND (?5 IS NULL OR request = ?5)
           AND (?6 IS NULL OR seq IN (
               SELECT seq FROM audit_patient WHERE patient = ?6
               UNION ALL
               SELECT seq FROM audit
               WHERE seq > (SELECT seq FROM audit_indexed) AND instr(' ' || patients || ' ', ' ' || ?6 || ' ') > 0))
         ORDER BY seq {order} LIMIT ?7",
    ))?;
    let max = query.max.min(AUDIT_PAGE_MAX);
    let rows = statement.query_map(
        params![
            tenant,
            i64::try_from(query.after).unwrap_or(i64::MAX),
            query.since.map_or(i64::MIN, |at| at.0),
            query.principal,
            query.request,
            query.patient,
            i64::try_from(max).unwrap_or(i64::MAX),
            query.before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX)),
        ],
        entry_of,
    )?;
    rows.collect()
}

fn entry_of(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let unreadable = |column| rusqlite::Error::InvalidColumnType(column, "audit".into(), Type::Text);
    let kind = match row.get::<_, Option<String>>(7)? {
        None => None,
        Some(name) => Some(Kind::parse(&name).ok_or_else(|| unreadable(7))?),
    };
    let record = Record {
        at: Instant(row.get(1)?),
        tenant: row.get(2)?,
        principal: row.get(3)?,
        on_behalf_of: row.get(4)?,
        purpose: row.get(5)?,
        action: Action::parse(&row.get::<_, String>(6)?).ok_or_else(|| unreadable(6))?,
        kind,
        ids: row.get(8)?,
        detail: row.get(9)?,
        count: u64::try_from(row.get::<_, i64>(10)?).unwrap_or(0),
        outcome: Outcome::parse(&row.get::<_, String>(11)?).ok_or_else(|| unreadable(11))?,
        request: row.get(12)?,
        patients: row.get::<_, String>(13)?.split_whitespace().map(String::from).collect(),
    };
    Ok(AuditEntry { seq: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0), record })
}
