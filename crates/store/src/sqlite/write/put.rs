//! Stores a version: asks for permission, compares, writes version, history and change log, and leaves index rows for the batch.

use compact_str::CompactString;
use rusqlite::Connection;

use super::numbers::WriterNumbers;
use super::request::{Context, Line};
use super::state::State;
use super::store_row::{self, Version};
use crate::prepare::{Planned, Put, Step, refresh};
use crate::sqlite::facts::seen_of;
use crate::sqlite::failure::{Try, damaged};
use crate::sqlite::index::blob;
use crate::sqlite::index::delta::{Delta, RowsOf};
use crate::sqlite::index::pack::pack;
use crate::sqlite::index::row::Row;
use crate::sqlite::read::current::{self, Current, stored_of};
use crate::{Body, Op, StoreError, Stored, Verdict, WriteOutcome, Written};

/// Gives row numbers to all that a transaction creates, so that its entries can refer to each other in any order.
pub(super) fn reserve(
    state: &mut State,
    conn: &Connection,
    context: &Context<'_>,
    plan: &[Planned],
) -> rusqlite::Result<()> {
    for planned in plan {
        let Ok(Step::Put(put)) = &planned.step else { continue };
        let t = state.t(conn, context.tenant_number, put.kind())?;
        if put.creates || current::find_rid(conn, &state.catalog, t, put.id())?.is_none() {
            let rid = state.take_rid();
            state.remember_target((t, put.id().into()), rid);
        }
    }
    Ok(())
}

/// Works out a patch anew when another version is stored than the one it was planned for.
pub(super) fn amend(
    state: &mut State,
    conn: &Connection,
    context: &Context<'_>,
    planned: &mut Planned,
) -> Try<()> {
    let Ok(Step::Put(put)) = &mut planned.step else { return Ok(()) };
    if put.amending.is_none() {
        return Ok(());
    }
    let (kind, id) = (put.kind(), CompactString::from(put.id()));
    let t = state.t(conn, context.tenant_number, kind)?;
    let before = current::find(conn, &state.catalog, t, &id)?;
    if before.as_ref().map_or(0, |before| before.version) != put.seen.version {
        let seen = before.as_ref().map(|before| seen_of(kind, &id, before)).transpose()?.unwrap_or_default();
        let shared = std::sync::Arc::clone(&state.shared);
        shared.planner.amend(put, seen, state.at)?;
    }
    Ok(())
}

/// Does one put.
pub(super) fn put(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    put: &mut Put,
) -> Try<Written> {
    let (kind, id) = (put.kind(), CompactString::from(put.id()));
    let t = state.t(conn, context.tenant_number, kind)?;
    // A fresh id is nowhere yet: no need to look.
    let before = if put.creates { None } else { current::find(conn, &state.catalog, t, &id)? };
    let version = before.as_ref().map_or(0, |before| before.version);
    let is_packed = !put.content.body.is_empty() || put.content.unchanged;
    if put.amending.is_none() && (put.seen.version != version || !is_packed) {
        let seen = before.as_ref().map(|before| seen_of(kind, &id, before)).transpose()?.unwrap_or_default();
        refresh(put, seen, &state.shared.planner.extractor, state.at)?;
    }
    let live = before.as_ref().filter(|before| before.is_live());
    let op = if put.creates { Op::Create } else { Op::Update };
    let conflict = |expected, stored| StoreError::VersionConflict { kind, id: id.clone(), expected, stored };
    let permitted = |verdict| match verdict {
        Verdict::Permit => Ok(()),
        Verdict::Forbid(why) => Err(StoreError::Forbidden(why)),
        // As if there were nothing, except that nothing can be stored in its place.
        Verdict::Hidden => {
            let hidden = StoreError::NotFound { kind, id: id.clone() };
            Err(put.if_match.map_or(hidden, |expected| conflict(expected, None)))
        }
    };
    let stored = put.seen.resource.as_deref();
    if put.amending.is_some() {
        let look = |stored| context.decide.decide_look(kind, &id, stored);
        permitted(stored.map_or(Verdict::Hidden, look))?;
    } else {
        permitted(context.decide.decide(op, kind, &id, stored, Some(&put.resource)))?;
    }
    if let Some(expected) = put.if_match
        && live.map(|live| live.version) != Some(expected)
    {
        return Err(conflict(expected, live.map(|live| live.version)).into());
    }
    if let Some(amending) = &put.amending {
        // What is wrong with a patch tells of what is stored, so it is told last.
        amending.check()?;
        permitted(context.decide.decide(op, kind, &id, stored, Some(&put.resource)))?;
    }
    match live {
        Some(live) if put.content.unchanged => {
            Ok(Written { outcome: WriteOutcome::Unchanged, stored: stored_of(kind, &id, live)? })
        }
        _ => write(state, conn, context, put, (t, &id), before.as_ref(), op),
    }
}

fn write(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    put: &Put,
    (t, id): (u32, &str),
    before: Option<&Current>,
    op: Op,
) -> Try<Written> {
    let kind = put.kind();
    let is_new = !before.is_some_and(Current::is_live);
    let rid = match before {
        Some(before) if before.version > 0 => before.rid,
        // Referred to before it is stored: the order of rows must not depend on who refers to them.
        Some(_) => state.take_rid(),
        None => match state.targets.get(&(t, id.into())) {
            Some(reserved) => *reserved,
            None => {
                let rid = state.take_rid();
                state.remember_target((t, id.into()), rid);
                rid
            }
        },
    };
    let rows = rows_of(state, conn, context.tenant_number, rid, is_new, Some(&put.content.rows))?;
    let version = Version {
        rid,
        number: before.map_or(1, |before| before.version + 1),
        seq: state.take_seq(t),
        updated: state.at,
        op,
        body: Some(&put.content.body),
    };
    store_row::store(state, conn, (t, id), before, &version)?;
    context.log(state, conn, &Line { seq: version.seq, rid, version: version.number, op })?;
    state.deltas.push(Delta {
        rid,
        t,
        rows,
        live: i64::from(is_new),
        seq_before: before.filter(|before| before.version > 0).map(|before| before.seq),
        seq: version.seq,
    });
    let body = Body::of_packed(kind, id, version.number, version.updated, put.content.body.clone());
    let outcome = if is_new { WriteOutcome::Created } else { WriteOutcome::Updated };
    let stored = Stored { kind, id: id.into(), version: version.number, updated: version.updated, op, body };
    Ok(Written { outcome, stored })
}

/// What changes in the index: from the rows that are there to those of the new version; `None` takes all away.
pub(super) fn rows_of(
    state: &mut State,
    conn: &Connection,
    tenant: u32,
    rid: i64,
    is_new: bool,
    rows: Option<&search::IndexRows>,
) -> Try<Vec<RowsOf>> {
    if !is_new && state.deltas.waits(rid) {
        // Written in this batch already: its rows must be in their tables before they can be taken out.
        state.deltas.write(conn)?;
    }
    let mut all = Vec::with_capacity(1);
    for g in state.generations() {
        let before = if is_new { Vec::new() } else { indexed(conn, g, rid)? };
        let after = match rows {
            None => Vec::new(),
            Some(rows) => pack(rows, &mut WriterNumbers { state, conn, tenant, g })?,
        };
        all.push(RowsOf::between(g, &before, after));
    }
    Ok(all)
}

/// The rows that are in the index for a resource.
pub(crate) fn indexed(conn: &Connection, g: u32, rid: i64) -> Try<Vec<Row>> {
    use rusqlite::OptionalExtension;
    let sql = "SELECT rows FROM fwd WHERE g = ?1 AND rid = ?2";
    let bytes: Option<Vec<u8>> =
        conn.prepare_cached(sql)?.query_row((g, rid), |row| row.get(0)).optional()?;
    match bytes {
        None => Ok(Vec::new()),
        Some(bytes) => {
            blob::decode(&bytes).ok_or_else(|| damaged(format!("the index rows of row {rid} cannot be read")))
        }
    }
}
