//! The current version of a resource, found by type and id.

use compact_str::CompactString;
use fhir::{Instant, Kind};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::{Try, damaged};
use crate::sqlite::hash::{id_text, id_value};
use crate::{Body, Op, Stored, body};

/// A row of `resource` without type and id.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) rid: i64,
    /// 0: nothing was ever stored, but something refers to it.
    pub(crate) version: u64,
    pub(crate) seq: i64,
    pub(crate) updated: Instant,
    pub(crate) op: Op,
    pub(crate) body: Vec<u8>,
}

impl Current {
    /// Is it there: stored and not deleted.
    pub(crate) fn is_live(&self) -> bool {
        self.version > 0 && self.op != Op::Delete
    }
}

/// The number of an operation in the tables.
pub(crate) fn op_number(op: Op) -> u8 {
    match op {
        Op::Create => 1,
        Op::Update => 2,
        Op::Delete => 3,
    }
}

/// The operation of a number.
pub(crate) fn op_of(number: u8) -> Op {
    match number {
        1 => Op::Create,
        3 => Op::Delete,
        _ => Op::Update,
    }
}

/// A resource by tenant, type and id, whether it is there, deleted or only referred to.
pub(crate) fn find(
    conn: &Connection,
    catalog: &Catalog,
    t: u32,
    id: &str,
) -> rusqlite::Result<Option<Current>> {
    let sql = "SELECT r.rid, r.version, r.seq, r.updated, r.op, r.body FROM key AS k JOIN resource AS r ON r.rid = k.rid
               WHERE k.k = ?1 AND r.t = ?2 AND r.id = ?3";
    let key = params![catalog.hash.place(t, id), t, id_value(id)];
    conn.prepare_cached(sql)?.query_row(key, |row| current_of(row, 0)).optional()
}

/// The row number alone.
pub(crate) fn find_rid(
    conn: &Connection,
    catalog: &Catalog,
    t: u32,
    id: &str,
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT r.rid FROM key AS k JOIN resource AS r ON r.rid = k.rid WHERE k.k = ?1 AND r.t = ?2 AND r.id = ?3";
    let key = params![catalog.hash.place(t, id), t, id_value(id)];
    conn.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()
}

/// What references to a row point at.
pub(crate) fn target_of(conn: &Connection, rid: i64) -> rusqlite::Result<i64> {
    let mut statement = conn.prepare_cached("SELECT target FROM alias WHERE rid = ?1")?;
    Ok(statement.query_row([rid], |row| row.get(0)).optional()?.unwrap_or(rid))
}

/// The row that references with a target point at.
pub(crate) fn row_of(conn: &Connection, target: i64) -> rusqlite::Result<i64> {
    let mut statement = conn.prepare_cached("SELECT rid FROM alias WHERE target = ?1")?;
    Ok(statement.query_row([target], |row| row.get(0)).optional()?.unwrap_or(target))
}

/// Reads the columns `rid, version, seq, updated, op, body` from `at` on.
pub(crate) fn current_of(row: &Row<'_>, at: usize) -> rusqlite::Result<Current> {
    Ok(Current {
        rid: row.get(at)?,
        version: row.get::<_, i64>(at + 1)?.cast_unsigned(),
        seq: row.get(at + 2)?,
        updated: Instant(row.get(at + 3)?),
        op: op_of(row.get(at + 4)?),
        body: row.get::<_, Option<Vec<u8>>>(at + 5)?.unwrap_or_default(),
    })
}

/// The current version as it is given out.
pub(crate) fn stored_of(kind: Kind, id: &str, current: &Current) -> Try<Stored> {
    stored(kind, id.into(), current.version, current.updated, current.op, &current.body)
}

/// A version as it is given out; `bytes` is its packed body.
pub(crate) fn stored(
    kind: Kind,
    id: CompactString,
    version: u64,
    updated: Instant,
    op: Op,
    bytes: &[u8],
) -> Try<Stored> {
    let body = match op {
        Op::Delete => Body::default(),
        Op::Create | Op::Update => {
            let json =
                body::decode(bytes).and_then(|content| body::assemble(kind, &id, version, updated, &content));
            Body::of_json(json.ok_or_else(|| {
                damaged(format!("the body of `{kind}/{id}`, version `{version}`, cannot be read"))
            })?)
        }
    };
    Ok(Stored { kind, id, version, updated, op, body })
}

/// Reads current versions by row number, many with one statement.
pub(crate) struct ByRid<'c>(CachedStatement<'c>);

impl<'c> ByRid<'c> {
    pub(crate) fn prepare(conn: &'c Connection) -> rusqlite::Result<ByRid<'c>> {
        let sql = "SELECT t, id, rid, version, seq, updated, op, body FROM resource WHERE rid = ?1";
        conn.prepare_cached(sql).map(ByRid)
    }

    /// The resource with type and id; `None` when nothing was ever stored.
    pub(crate) fn get(&mut self, catalog: &Catalog, rid: i64) -> Try<Option<Stored>> {
        let found =
            self.0.query_row([rid], |row| Ok((row.get::<_, u32>(0)?, id_text(row, 1)?, current_of(row, 2)?)));
        let Some((t, id, current)) = found.optional()? else { return Ok(None) };
        if current.version == 0 {
            return Ok(None);
        }
        let (_, kind) = catalog.of_t(t).ok_or_else(|| damaged(format!("row {rid} is of no known type")))?;
        stored_of(kind, &id, &current).map(Some)
    }
}
