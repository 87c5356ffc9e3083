//! Deletes: a deletion is the last version. Deleting what is not there is well, too.

use ::search::{Query, Restriction};
use compact_str::CompactString;
use fhir::{Instant, Kind};
use rusqlite::Connection;

use super::put::rows_of;
use super::request::{Context, Line};
use super::state::State;
use super::store_row::{self, Version};
use crate::sqlite::facts::seen_of;
use crate::sqlite::failure::Try;
use crate::sqlite::index::delta::Delta;
use crate::sqlite::read::current::{self, Current};
use crate::sqlite::search;
use crate::{Body, Op, StoreError, Stored, Verdict, WriteOutcome, Written};

/// Deletes one resource.
pub(super) fn delete(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    kind: Kind,
    id: &str,
    if_match: Option<u64>,
) -> Try<Written> {
    let t = state.t(conn, context.tenant_number, kind)?;
    let before = current::find(conn, &state.catalog, t, id)?;
    let seen = before.as_ref().map(|before| seen_of(kind, id, before)).transpose()?.unwrap_or_default();
    let conflict = |expected, stored| StoreError::VersionConflict { kind, id: id.into(), expected, stored };
    match context.decide.decide(Op::Delete, kind, id, seen.resource.as_deref(), None) {
        Verdict::Permit => {}
        Verdict::Forbid(why) => return Err(StoreError::Forbidden(why).into()),
        Verdict::Hidden => {
            return match if_match {
                None => Ok(nothing(kind, id)),
                Some(expected) => Err(conflict(expected, None).into()),
            };
        }
    }
    let live = before.as_ref().filter(|before| before.is_live());
    if let Some(expected) = if_match
        && live.map(|live| live.version) != Some(expected)
    {
        return Err(conflict(expected, live.map(|live| live.version)).into());
    }
    match (live, before.as_ref()) {
        (Some(live), _) => bury(state, conn, context, (kind, t, id), live),
        // Who may see everything learns which version the deletion was.
        (None, Some(before)) if before.version > 0 && *context.restrictions.of(kind) == Restriction::All => {
            let mut written = nothing(kind, id);
            (written.stored.version, written.stored.updated) = (before.version, before.updated);
            Ok(written)
        }
        (None, _) => Ok(nothing(kind, id)),
    }
}

/// Deletes what a search finds.
pub(super) fn delete_where(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    query: &Query,
    many: bool,
) -> Try<Written> {
    state.deltas.write(conn)?;
    let kind = query.branches.first().map_or(Kind::PATIENT, |branch| branch.kind);
    let limits = state.shared.condition_limits.clone();
    let count_max = if many { limits.conditional_delete_max } else { 1 };
    let found = search::find_ids(
        conn,
        &state.catalog,
        context.tenant,
        query,
        context.restrictions,
        &limits,
        count_max + 1,
    )?;
    if found.len() > count_max {
        return Err(match many {
            true => StoreError::TooManyMatches { kind, count_max },
            false => StoreError::MultipleMatches { kind },
        }
        .into());
    }
    let mut last = nothing(kind, "");
    for (kind, id) in found {
        last = delete(state, conn, context, kind, &id, None)?;
    }
    Ok(last)
}

fn bury(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    (kind, t, id): (Kind, u32, &str),
    live: &Current,
) -> Try<Written> {
    let rows = rows_of(state, conn, context.tenant_number, live.rid, false, None)?;
    let version = Version {
        rid: live.rid,
        number: live.version + 1,
        seq: state.take_seq(t),
        updated: state.at,
        op: Op::Delete,
        body: None,
    };
    store_row::store(state, conn, (t, id), Some(live), &version)?;
    context.log(
        state,
        conn,
        &Line { seq: version.seq, rid: live.rid, version: version.number, op: Op::Delete },
    )?;
    state.deltas.push(Delta {
        rid: live.rid,
        t,
        rows,
        live: -1,
        seq_before: Some(live.seq),
        seq: version.seq,
    });
    context.deleted.push((live.rid, kind, CompactString::from(id)));
    let mut written = nothing(kind, id);
    written.outcome = WriteOutcome::Deleted;
    (written.stored.version, written.stored.updated) = (version.number, version.updated);
    Ok(written)
}

fn nothing(kind: Kind, id: &str) -> Written {
    let stored = Stored {
        kind,
        id: id.into(),
        version: 0,
        updated: Instant(0),
        op: Op::Delete,
        body: Body::default(),
    };
    Written { outcome: WriteOutcome::NothingToDelete, stored }
}
