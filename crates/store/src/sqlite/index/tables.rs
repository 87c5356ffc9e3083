//! Puts rows into the tables of the index, and takes them out.

use rusqlite::{Connection, params};

use super::row::{Row, ends_of, width_of};

/// Table of a row, and the statement that adds one.
fn insert_sql(row: &Row) -> &'static str {
    match row {
        Row::Token { .. } => "INSERT OR IGNORE INTO token VALUES (?1, ?2, ?3, ?4)",
        Row::Ref { .. } => "INSERT OR IGNORE INTO ref VALUES (?1, ?2, ?3)",
        Row::Uri { .. } => "INSERT OR IGNORE INTO uri VALUES (?1, ?2, ?3)",
        Row::Text { .. } => "INSERT OR IGNORE INTO string VALUES (?1, ?2, ?3, ?4)",
        Row::Date { .. } => "INSERT OR IGNORE INTO date VALUES (?1, ?2, ?3, ?4, ?5)",
        Row::Number { .. } => "INSERT OR IGNORE INTO number VALUES (?1, ?2, ?3, ?4, ?5)",
        Row::Quantity { .. } => "INSERT OR IGNORE INTO quantity VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        Row::Composite { .. } => "INSERT OR IGNORE INTO composite VALUES (?1, ?2, ?3, ?4)",
        Row::Relation { .. } => "INSERT OR IGNORE INTO relation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    }
}

fn delete_sql(row: &Row) -> &'static str {
    match row {
        Row::Token { .. } => "DELETE FROM token WHERE p = ?1 AND h = ?2 AND rid = ?3 AND sys = ?4",
        Row::Ref { .. } => "DELETE FROM ref WHERE p = ?1 AND target = ?2 AND rid = ?3",
        Row::Uri { .. } => "DELETE FROM uri WHERE p = ?1 AND n = ?2 AND rid = ?3",
        Row::Text { .. } => "DELETE FROM string WHERE p = ?1 AND text = ?2 AND rid = ?3 AND exact = ?4",
        Row::Date { .. } => "DELETE FROM date WHERE p = ?1 AND w = ?2 AND lo = ?3 AND e = ?4 AND rid = ?5",
        Row::Number { .. } => {
            "DELETE FROM number WHERE p = ?1 AND w = ?2 AND lo = ?3 AND hi = ?4 AND rid = ?5"
        }
        Row::Quantity { .. } => {
            "DELETE FROM quantity WHERE p = ?1 AND u = ?2 AND w = ?3 AND lo = ?4 AND hi = ?5 AND rid = ?6"
        }
        Row::Composite { .. } => "DELETE FROM composite WHERE p = ?1 AND h = ?2 AND parts = ?3 AND rid = ?4",
        Row::Relation { .. } => {
            "DELETE FROM relation WHERE p = ?1 AND patient = ?2 AND h = ?3 AND sys = ?4 AND lo = ?5 AND hi = ?6 AND rid = ?7"
        }
    }
}

/// Adds rows, which are sorted by table and key: neighbours in the list are neighbours in the file.
pub(crate) fn insert(conn: &Connection, rows: &[(&Row, i64)]) -> rusqlite::Result<()> {
    each_table(conn, rows, insert_sql)
}

/// Takes rows out.
pub(crate) fn delete(conn: &Connection, rows: &[(&Row, i64)]) -> rusqlite::Result<()> {
    each_table(conn, rows, delete_sql)
}

fn each_table(
    conn: &Connection,
    rows: &[(&Row, i64)],
    sql: fn(&Row) -> &'static str,
) -> rusqlite::Result<()> {
    for table in rows.chunk_by(|a, b| a.0.sort() == b.0.sort()) {
        let mut statement = conn.prepare_cached(sql(table[0].0))?;
        for (row, rid) in table {
            execute(&mut statement, row, *rid)?;
        }
    }
    Ok(())
}

fn execute(statement: &mut rusqlite::CachedStatement<'_>, row: &Row, rid: i64) -> rusqlite::Result<usize> {
    match row {
        Row::Token { p, h, sys } => statement.execute(params![p, h, rid, sys]),
        Row::Ref { p, target } => statement.execute(params![p, target, rid]),
        Row::Uri { p, n } => statement.execute(params![p, n, rid]),
        Row::Text { p, text, exact } => statement.execute(params![p, text.as_str(), rid, exact.as_str()]),
        Row::Date { p, lo, hi } => {
            let (w, e) = width_of(*lo, *hi);
            statement.execute(params![p, w, lo, e, rid])
        }
        Row::Number { p, lo, hi } => {
            let (w, end) = ends_of(lo, hi);
            statement.execute(params![p, w, lo, end, rid])
        }
        Row::Quantity { p, u, lo, hi } => {
            let (w, end) = ends_of(lo, hi);
            statement.execute(params![p, u, w, lo, end, rid])
        }
        Row::Composite { p, h, parts } => statement.execute(params![p, h, parts, rid]),
        Row::Relation { p, patient, h, sys, lo, hi } => {
            statement.execute(params![p, patient, h, sys, lo, hi, rid])
        }
    }
}
