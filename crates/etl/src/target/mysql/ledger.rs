//! The table `salus_etl`: which units a target has, from whom, up to which watermark.

use fhir::Instant;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Value};

use crate::source::Unit;
use crate::sql::{Dialect, Failure, TableName, mysql};
use crate::target::mysql::cell;
use crate::target::sql::{Forgets, LEDGER};
use crate::target::{Committed, Load};

/// The row with this unit holds the watermark.
const WATERMARK_UNIT: &str = "";

/// Whether a table is there.
async fn exists(conn: &mut Conn, table: &TableName, name: &str) -> Result<bool, Failure> {
    let sql = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?";
    let n: Option<u64> = conn.exec_first(sql, (&table.schema, name)).await.map_err(Failure::from)?;
    Ok(n.unwrap_or(0) > 0)
}

/// What was committed. Nothing, when the ledger or the target table is not there.
pub(super) async fn read(conn: &mut Conn, load: &Load, table: &TableName) -> Result<Committed, Failure> {
    if !exists(conn, table, LEDGER).await? || !exists(conn, table, &table.table).await? {
        return Ok(Committed::default());
    }
    let sql = format!(
        "SELECT unit, watermark FROM {} WHERE pipeline = ? AND source = ? AND target_table = ? ORDER BY at, unit",
        table.beside(Dialect::Mysql, LEDGER)
    );
    let rows: Vec<(String, Option<String>)> =
        conn.exec(sql, (&load.pipeline, &load.source, &table.table)).await.map_err(Failure::from)?;
    let mut committed = Committed::default();
    for (unit, watermark) in rows {
        if unit == WATERMARK_UNIT {
            committed.watermark = watermark;
        } else {
            committed.units.push(unit);
        }
    }
    Ok(committed)
}

/// Creates the ledger when it is absent. This commits what is open, so it is done before the load.
pub(super) async fn create(conn: &mut Conn, table: &TableName) -> Result<(), Failure> {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {} (pipeline VARCHAR(128) NOT NULL, source VARCHAR(128) NOT NULL, \
         target_table VARCHAR(64) NOT NULL, unit_key CHAR(32) NOT NULL, unit TEXT NOT NULL, watermark TEXT, \
         run VARCHAR(128) NOT NULL, pipeline_hash VARCHAR(128) NOT NULL, n_rows BIGINT NOT NULL, at DATETIME(6) NOT NULL, \
         PRIMARY KEY (pipeline, source, target_table, unit_key)) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        table.beside(Dialect::Mysql, LEDGER)
    );
    mysql::run(conn, &sql).await
}

/// Forgets what does not count any more.
pub(super) async fn forget(
    conn: &mut Conn,
    load: &Load,
    table: &TableName,
    forgets: Forgets,
) -> Result<(), Failure> {
    if forgets == Forgets::Nothing {
        return Ok(());
    }
    let kept = if forgets == Forgets::Units { " AND unit <> ''" } else { "" };
    let sql = format!(
        "DELETE FROM {} WHERE pipeline = ? AND source = ? AND target_table = ?{kept}",
        table.beside(Dialect::Mysql, LEDGER)
    );
    conn.exec_drop(sql, (&load.pipeline, &load.source, &table.table)).await.map_err(Failure::from)
}

/// Writes the units and the watermark. Inside the transaction of the rows.
pub(super) async fn write(
    conn: &mut Conn,
    load: &Load,
    table: &TableName,
    (units, watermark): (&[Unit], Option<&str>),
    n_rows: u64,
    at: Instant,
) -> Result<(), Failure> {
    // Indexes are limited in length, units are not: the key is a hash of the unit.
    let sql = format!(
        "REPLACE INTO {} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        table.beside(Dialect::Mysql, LEDGER)
    );
    let own = units.iter().map(|unit| (unit.id.as_str(), unit.watermark.as_deref()));
    let last = watermark.map(|watermark| (WATERMARK_UNIT, Some(watermark)));
    let at = cell::moment(at.0).unwrap_or(Value::NULL);
    let rows: Vec<Vec<Value>> = own
        .chain(last)
        .map(|(unit, watermark)| {
            let key = format!("{:032x}", twox_hash::XxHash3_128::oneshot(unit.as_bytes()));
            vec![
                (&load.pipeline).into(),
                (&load.source).into(),
                (&table.table).into(),
                key.into(),
                unit.into(),
                watermark.into(),
                (&load.run).into(),
                (&load.pipeline_hash).into(),
                n_rows.into(),
                at.clone(),
            ]
        })
        .collect();
    conn.exec_batch(sql, rows).await.map_err(Failure::from)
}
