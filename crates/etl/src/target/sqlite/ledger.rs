//! The table `salus_etl`: which units a target has, from whom, up to which watermark.

use rusqlite::{Connection, params};

use crate::source::Unit;
use crate::sql::{Failure, calendar, sqlite};
use crate::target::sql::{Forgets, LEDGER};
use crate::target::{Committed, Load};

/// The row with this unit holds the watermark.
const WATERMARK_UNIT: &str = "";

/// Whether a table is there.
fn exists(connection: &Connection, table: &str) -> Result<bool, Failure> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE)";
    connection.query_row(sql, [table], |row| row.get(0)).map_err(|error| sqlite::failure(&error))
}

/// What was committed. Nothing, when the ledger or the target table is not there.
pub(super) fn read(connection: &Connection, load: &Load, table: &str) -> Result<Committed, Failure> {
    if !exists(connection, LEDGER)? || !exists(connection, table)? {
        return Ok(Committed::default());
    }
    let failed = |error: rusqlite::Error| sqlite::failure(&error);
    let sql = format!(
        "SELECT unit, watermark FROM main.{LEDGER} WHERE pipeline = ?1 AND source = ?2 AND target_table = ?3 ORDER BY at, unit"
    );
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query(params![load.pipeline, load.source, table]).map_err(failed)?;
    let mut committed = Committed::default();
    while let Some(row) = rows.next().map_err(failed)? {
        let unit: String = row.get(0).map_err(failed)?;
        if unit == WATERMARK_UNIT {
            committed.watermark = row.get(1).map_err(failed)?;
        } else {
            committed.units.push(unit);
        }
    }
    Ok(committed)
}

/// Writes the units and the watermark. Inside the transaction of the rows.
pub(super) fn write(
    connection: &Connection,
    load: &Load,
    table: &str,
    (units, watermark): (&[Unit], Option<&str>),
    n_rows: u64,
    at: fhir::Instant,
    forgets: Forgets,
) -> Result<(), Failure> {
    let failed = |error: rusqlite::Error| sqlite::failure(&error);
    let create = format!(
        "CREATE TABLE IF NOT EXISTS main.{LEDGER} (pipeline TEXT NOT NULL, source TEXT NOT NULL, target_table TEXT NOT NULL, \
         unit TEXT NOT NULL, watermark TEXT, run TEXT NOT NULL, pipeline_hash TEXT NOT NULL, n_rows INTEGER NOT NULL, \
         at TIMESTAMP NOT NULL, PRIMARY KEY (pipeline, source, target_table, unit))"
    );
    connection.execute_batch(&create).map_err(failed)?;
    if forgets != Forgets::Nothing {
        let kept = if forgets == Forgets::Units { " AND unit <> ''" } else { "" };
        let sql = format!(
            "DELETE FROM main.{LEDGER} WHERE pipeline = ?1 AND source = ?2 AND target_table = ?3{kept}"
        );
        connection.execute(&sql, params![load.pipeline, load.source, table]).map_err(failed)?;
    }
    let sql = format!("INSERT OR REPLACE INTO main.{LEDGER} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut moment = String::new();
    calendar::write_moment(at.0, &mut moment);
    let own = units.iter().map(|unit| (unit.id.as_str(), unit.watermark.as_deref()));
    let last = watermark.map(|watermark| (WATERMARK_UNIT, Some(watermark)));
    for (unit, watermark) in own.chain(last) {
        let row = params![
            load.pipeline,
            load.source,
            table,
            unit,
            watermark,
            load.run,
            load.pipeline_hash,
            i64::try_from(n_rows).unwrap_or(i64::MAX),
            moment
        ];
        statement.execute(row).map_err(failed)?;
    }
    Ok(())
}
