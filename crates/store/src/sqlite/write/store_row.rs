//! The rows of a version: the current one in `resource`, the one before it in `past`.

use fhir::Instant;
use rusqlite::{Connection, params};

use super::state::State;
use crate::Op;
use crate::sqlite::hash::id_value;
use crate::sqlite::read::current::{Current, op_number};

/// A version to store.
pub(super) struct Version<'a> {
    pub(super) rid: i64,
    pub(super) number: u64,
    pub(super) seq: i64,
    pub(super) updated: Instant,
    pub(super) op: Op,
    /// `None` for a deletion.
    pub(super) body: Option<&'a [u8]>,
}

/// Makes a version the current one.
pub(super) fn store(
    state: &State,
    conn: &Connection,
    (t, id): (u32, &str),
    before: Option<&Current>,
    version: &Version<'_>,
) -> rusqlite::Result<()> {
    let Version { rid, number, seq, updated, op, body } = version;
    let number = number.cast_signed();
    let Some(before) = before.filter(|before| before.version > 0) else {
        if let Some(mentioned) = before {
            take_the_place_of(state, conn, (t, id), mentioned.rid, *rid)?;
        }
        let sql = "INSERT INTO resource (rid, t, id, version, seq, updated, op, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let values = params![rid, t, id_value(id), number, seq, updated.0, op_number(*op), body];
        conn.prepare_cached(sql)?.execute(values)?;
        return state.insert_key(conn, t, id, *rid);
    };
    let sql =
        "INSERT INTO past (seq, rid, t, version, updated, op, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let old = (before.op != Op::Delete).then_some(&before.body);
    let old_number = before.version.cast_signed();
    let values = params![before.seq, rid, t, old_number, before.updated.0, op_number(before.op), old];
    conn.prepare_cached(sql)?.execute(values)?;
    let sql = "UPDATE resource SET version = ?2, seq = ?3, updated = ?4, op = ?5, body = ?6 WHERE rid = ?1";
    conn.prepare_cached(sql)?.execute(params![rid, number, seq, updated.0, op_number(*op), body])?;
    Ok(())
}

/// A resource that was only mentioned gets its row; references go on to point at the number that was given out for it.
fn take_the_place_of(
    state: &State,
    conn: &Connection,
    (t, id): (u32, &str),
    target: i64,
    rid: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM resource WHERE rid = ?1")?.execute([target])?;
    let place = state.catalog.hash.place(t, id);
    conn.prepare_cached("DELETE FROM key WHERE k = ?1 AND rid = ?2")?.execute(params![place, target])?;
    conn.prepare_cached("INSERT INTO alias (target, rid) VALUES (?1, ?2)")?.execute(params![target, rid])?;
    Ok(())
}
