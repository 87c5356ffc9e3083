//! The audit ledger: an append-only table in `govern.db`. A record is durable before the answer it describes is released.

pub(crate) mod patients;
pub(crate) mod query;
pub(crate) mod record;
pub(crate) mod schema;

use db::DbError;
use rusqlite::{Connection, params};

use crate::govern::Govern;
use record::Record;

/// Appends one record and waits until it is on disk; records that wait together share one commit.
pub(crate) async fn append(govern: &Govern, record: Record) -> Result<(), DbError> {
    govern.write(move |conn| insert(conn, &record)).await
}

fn insert(conn: &Connection, r: &Record) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO audit (at, tenant, principal, on_behalf_of, purpose, action, kind, ids, detail, count, outcome, request, patients)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let seq = statement.insert(params![
        r.at.0,
        r.tenant,
        r.principal,
        r.on_behalf_of,
        r.purpose,
        r.action.name(),
        r.kind.map(fhir::Kind::name),
        r.ids,
        r.detail,
        i64::try_from(r.count).unwrap_or(i64::MAX),
        r.outcome.name(),
        r.request,
        r.patients.join(" "),
    ])?;
    if r.patients.is_empty() {
        return Ok(());
    }
    let mut statement = conn.prepare_cached("INSERT OR IGNORE INTO audit_patient (patient, seq) VALUES (?1, ?2)")?;
    for patient in &r.patients {
        statement.execute(params![patient, seq])?;
    }
    Ok(())
}
