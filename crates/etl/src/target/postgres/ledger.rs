//! The table `salus_etl`: which units a target has, from whom, up to which watermark.

use fhir::Instant;
use tokio_postgres::Client;

use crate::source::Unit;
use crate::sql::{Dialect, Failure, TableName, postgres};
use crate::target::sql::{Forgets, LEDGER};
use crate::target::{Committed, Load};

/// The row with this unit holds the watermark.
const WATERMARK_UNIT: &str = "";

/// What was committed. Nothing, when the ledger or the target table is not there.
pub(super) async fn read(client: &Client, load: &Load, table: &TableName) -> Result<Committed, Failure> {
    let (ledger, quoted) = (table.beside(Dialect::Standard, LEDGER), table.quoted(Dialect::Standard));
    if !exists(client, &ledger).await? || !exists(client, &quoted).await? {
        return Ok(Committed::default());
    }
    let sql = format!(
        "SELECT unit, watermark FROM {ledger} WHERE pipeline = $1 AND source = $2 AND target_table = $3 ORDER BY at, unit"
    );
    let rows = client.query(&sql, &[&load.pipeline, &load.source, &table.table]).await;
    let rows = rows.map_err(|error| postgres::failure(&error))?;
    let mut committed = Committed::default();
    for row in rows {
        let wrong = |_| Failure::lasting(format!("the table {ledger} has other columns than salus gives it"));
        let unit: String = row.try_get(0).map_err(wrong)?;
        if unit == WATERMARK_UNIT {
            committed.watermark = row.try_get(1).map_err(wrong)?;
        } else {
            committed.units.push(unit);
        }
    }
    Ok(committed)
}

/// Whether a relation is there; the name is quoted.
pub(super) async fn exists(client: &Client, quoted: &str) -> Result<bool, Failure> {
    let row = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&quoted]).await;
    let row = row.map_err(|error| postgres::failure(&error))?;
    row.try_get(0).map_err(|_| Failure::lasting("the server's answer has another form"))
}

/// Creates the ledger when it is absent. Inside a transaction.
pub(super) async fn create(client: &Client, table: &TableName) -> Result<(), Failure> {
    let ledger = table.beside(Dialect::Standard, LEDGER);
    if exists(client, &ledger).await? {
        return Ok(());
    }
    // Two sessions that create it at once would collide in the catalogue.
    let sql = format!(
        "SELECT pg_advisory_xact_lock(hashtextextended('{LEDGER}', 0)); \
         CREATE TABLE IF NOT EXISTS {ledger} (pipeline text NOT NULL, source text NOT NULL, target_table text NOT NULL, \
         unit text NOT NULL, watermark text, run text NOT NULL, pipeline_hash text NOT NULL, n_rows bigint NOT NULL, \
         at timestamptz NOT NULL, PRIMARY KEY (pipeline, source, target_table, unit))"
    );
    client.batch_execute(&sql).await.map_err(|error| postgres::failure(&error))
}

/// What a commit brings.
pub(super) struct Entry<'a> {
    pub(super) load: &'a Load,
    pub(super) table: &'a TableName,
    pub(super) units: &'a [Unit],
    pub(super) watermark: Option<&'a str>,
    pub(super) n_rows: u64,
    pub(super) at: Instant,
    /// What the ledger says about earlier loads does not count any more: the table is new (then its watermark is gone, too), or its
    /// rows are replaced.
    pub(super) forgets: Forgets,
}

/// Writes the units and the watermark. Inside the transaction of the rows.
pub(super) async fn write(client: &Client, entry: &Entry<'_>) -> Result<(), Failure> {
    let Entry { load, table, .. } = entry;
    create(client, table).await?;
    let ledger = table.beside(Dialect::Standard, LEDGER);
    if entry.forgets != Forgets::Nothing {
        let kept = if entry.forgets == Forgets::Units { " AND unit <> ''" } else { "" };
        let sql =
            format!("DELETE FROM {ledger} WHERE pipeline = $1 AND source = $2 AND target_table = $3{kept}");
        let deleted = client.execute(&sql, &[&load.pipeline, &load.source, &table.table]).await;
        deleted.map_err(|error| postgres::failure(&error))?;
    }
    let mut units: Vec<&str> = entry.units.iter().map(|unit| unit.id.as_str()).collect();
    let mut watermarks: Vec<Option<&str>> =
        entry.units.iter().map(|unit| unit.watermark.as_deref()).collect();
    if entry.watermark.is_some() {
        units.push(WATERMARK_UNIT);
        watermarks.push(entry.watermark);
    }
    let sql = format!(
        "INSERT INTO {ledger} (pipeline, source, target_table, unit, watermark, run, pipeline_hash, n_rows, at) \
         SELECT $1, $2, $3, unit, watermark, $6, $7, $8, to_timestamp(0) + $9 * interval '1 microsecond' \
         FROM unnest($4::text[], $5::text[]) AS new (unit, watermark) \
         ON CONFLICT (pipeline, source, target_table, unit) DO UPDATE SET watermark = excluded.watermark, \
         run = excluded.run, pipeline_hash = excluded.pipeline_hash, n_rows = excluded.n_rows, at = excluded.at"
    );
    let n_rows = i64::try_from(entry.n_rows).unwrap_or(i64::MAX);
    // A double holds microseconds exactly until the year 2255.
    let micros = entry.at.0 as f64;
    let written = client
        .execute(
            &sql,
            &[
                &load.pipeline,
                &load.source,
                &table.table,
                &units,
                &watermarks,
                &load.run,
                &load.pipeline_hash,
                &n_rows,
                &micros,
            ],
        )
        .await;
    written.map(|_| ()).map_err(|error| postgres::failure(&error))
}
