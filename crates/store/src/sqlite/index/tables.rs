//! Puts rows into the tables of the index, and takes them out.

use rusqlite::{Connection, params};

use super::row::{Row, Sort, ends_of, width_of};

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

/// Adds rows, each with the resource it belongs to.
pub(crate) fn insert<'r>(
    conn: &Connection,
    rows: impl Iterator<Item = (&'r Row, i64)>,
) -> rusqlite::Result<()> {
    each_table(conn, rows, insert_sql)
}

/// Takes rows out.
pub(crate) fn delete<'r>(
    conn: &Connection,
    rows: impl Iterator<Item = (&'r Row, i64)>,
) -> rusqlite::Result<()> {
    each_table(conn, rows, delete_sql)
}

/// Table by table, in about the order of the keys: neighbours in the list are neighbours in the file.
fn each_table<'r>(
    conn: &Connection,
    rows: impl Iterator<Item = (&'r Row, i64)>,
    sql: fn(&Row) -> &'static str,
) -> rusqlite::Result<()> {
    let mut placed: Vec<(Place, &Row)> = rows.map(|(row, rid)| (Place::of(row, rid), row)).collect();
    placed.sort_unstable_by_key(|(place, _)| *place);
    for table in placed.chunk_by(|a, b| a.0.sort == b.0.sort) {
        let mut statement = conn.prepare_cached(sql(table[0].1))?;
        for (place, row) in table {
            execute(&mut statement, row, place.rid)?;
        }
    }
    Ok(())
}

/// Where a row stands, in numbers that are quick to compare: exact for the short keys, the beginning of long ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    sort: Sort,
    p: u32,
    class: u32,
    first: i64,
    rid: i64,
}

impl Place {
    fn of(row: &Row, rid: i64) -> Place {
        let (class, first) = match row {
            Row::Token { h, .. } | Row::Composite { h, .. } => (0, *h),
            Row::Ref { target, .. } => (0, *target),
            Row::Uri { n, .. } => (0, i64::from(*n)),
            Row::Text { text, .. } => (0, beginning(text.as_bytes())),
            Row::Date { lo, hi, .. } => (u32::try_from(width_of(*lo, *hi).0).unwrap_or(0), *lo),
            Row::Number { lo, .. } => (0, beginning(lo)),
            Row::Quantity { u, lo, .. } => (*u, beginning(lo)),
            Row::Relation { patient, .. } => (0, *patient),
        };
        Place { sort: row.sort(), p: row.p(), class, first, rid }
    }
}

/// The first bytes as a number that sorts as they do.
fn beginning(bytes: &[u8]) -> i64 {
    let mut first = [0u8; 8];
    let n = bytes.len().min(8);
    first[..n].copy_from_slice(&bytes[..n]);
    (u64::from_be_bytes(first) ^ (1 << 63)).cast_signed()
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
