//! One write request inside its savepoint: R4's order of processing for a transaction, each operation on its own for a batch.

use std::collections::HashMap;

use compact_str::CompactString;
use fhir::Kind;
use rusqlite::{Connection, params};

use super::batch::WriteJob;
use super::state::State;
use super::{conditions, delete, integrity, put};
use crate::prepare::{Planned, Put, Step};
use crate::sqlite::failure::{Failure, Try};
use crate::sqlite::read::{current, version};
use crate::{Author, Decide, StoreError, Tenant, WriteAnswer, WriteOutcome, Written};

/// What every operation of a request shares.
pub(super) struct Context<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) tenant_number: u32,
    pub(super) author: &'a Author,
    pub(super) decide: &'a dyn Decide,
    pub(super) restrictions: &'a search::Restrictions,
    /// Row of this request in the log of requests, once something was written.
    pub(super) request: Option<i64>,
    /// Row numbers of what was deleted: checked at the end against those that refer to it.
    pub(super) deleted: Vec<(i64, Kind, CompactString)>,
    /// What was stored, to be freed by who asked for it.
    used: Vec<Put>,
}

/// A request that was done.
pub(super) struct Done {
    pub(super) answer: WriteAnswer,
    /// Does what it wrote stay.
    pub(super) is_kept: bool,
    pub(super) used: Vec<Put>,
}

/// Does a whole request. An error undoes all of it.
pub(super) fn write(state: &mut State, conn: &Connection, mut job: WriteJob) -> Try<Done> {
    let tenant_number = state.tenant(conn, &job.tenant)?;
    conditions::hold(state, conn, &mut job)?;
    let plan = std::mem::take(&mut job.plan);
    let mut context = Context {
        tenant: &job.tenant,
        tenant_number,
        author: &job.author,
        decide: &*job.decide,
        restrictions: &job.restrictions,
        request: None,
        deleted: Vec::new(),
        used: Vec::new(),
    };
    let results = if job.atomic {
        all_or_nothing(state, conn, &mut context, plan)?
    } else {
        each_on_its_own(state, conn, &mut context, plan)?
    };
    let is_kept = results.len() != 1 || results[0].is_ok();
    let answer = WriteAnswer { results, seq: (state.next_seq - 1).cast_unsigned() };
    Ok(Done { answer, is_kept, used: context.used })
}

type Results = Vec<Result<Written, StoreError>>;

fn all_or_nothing(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    mut plan: Vec<Planned>,
) -> Try<Results> {
    check_distinct(&plan)?;
    put::reserve(state, conn, context, &plan)?;
    let mut results: Vec<Option<Written>> = plan.iter().map(|_| None).collect();
    let mut targets = Vec::new();
    // Sorted by what is done; the order of equals is that of the request.
    plan.sort_by_key(phase);
    for mut planned in plan {
        let entry = planned.entry;
        put::amend(state, conn, context, &mut planned).map_err(|failure| in_entry(failure, entry))?;
        if let Ok(Step::Put(put)) = &planned.step {
            targets.extend(put.targets.iter().map(|target| (entry, target.clone())));
        }
        let written = one(state, conn, context, planned).map_err(|failure| in_entry(failure, entry))?;
        results[entry] = Some(written);
    }
    integrity::targets_exist(state, conn, context, &targets)?;
    integrity::deleted_are_free(state, conn, context)?;
    Ok(results.into_iter().map(|written| Ok(written.expect("every entry was done above"))).collect())
}

fn each_on_its_own(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    plan: Vec<Planned>,
) -> Try<Results> {
    let mut results = Vec::with_capacity(plan.len());
    let is_single = plan.len() == 1;
    for planned in plan {
        let start = state.savepoint();
        let request = context.request;
        if !is_single {
            conn.prepare_cached("SAVEPOINT op")?.execute([])?;
        }
        match alone(state, conn, context, planned) {
            Ok(written) => results.push(Ok(written)),
            // The request's own savepoint is enough for one operation.
            Err(Failure::Store(error)) if is_single => return Ok(vec![Err(error)]),
            Err(Failure::Store(error)) => {
                conn.prepare_cached("ROLLBACK TO op")?.execute([])?;
                state.rewind(start);
                context.request = request;
                results.push(Err(error));
            }
            Err(failure) => return Err(failure),
        }
        if !is_single {
            conn.prepare_cached("RELEASE op")?.execute([])?;
        }
    }
    Ok(results)
}

fn alone(
    state: &mut State,
    conn: &Connection,
    context: &mut Context<'_>,
    mut planned: Planned,
) -> Try<Written> {
    let entry = planned.entry;
    put::amend(state, conn, context, &mut planned)?;
    let targets = match &planned.step {
        Ok(Step::Put(put)) => put.targets.iter().map(|target| (entry, target.clone())).collect(),
        _ => Vec::new(),
    };
    context.deleted.clear();
    let written = one(state, conn, context, planned)?;
    integrity::targets_exist(state, conn, context, &targets)?;
    integrity::deleted_are_free(state, conn, context)?;
    Ok(written)
}

fn one(state: &mut State, conn: &Connection, context: &mut Context<'_>, planned: Planned) -> Try<Written> {
    match planned.step? {
        Step::Put(mut put) => {
            let written = put::put(state, conn, context, &mut put);
            context.used.push(*put);
            written
        }
        Step::Matched(kind, id) => matched(state, conn, context, kind, &id),
        Step::Delete { kind, id, if_match } => delete::delete(state, conn, context, kind, &id, if_match),
        Step::DeleteWhere { query, many } => delete::delete_where(state, conn, context, &query, many),
    }
}

/// DELETE, then POST, then PUT.
fn phase(planned: &Planned) -> u8 {
    match &planned.step {
        Ok(Step::Delete { .. } | Step::DeleteWhere { .. }) => 0,
        Ok(Step::Put(put)) if !put.creates => 2,
        Ok(Step::Put(_) | Step::Matched(..)) | Err(_) => 1,
    }
}

fn check_distinct(plan: &[Planned]) -> Try<()> {
    let mut seen: HashMap<(Kind, &str), usize> = HashMap::with_capacity(plan.len());
    for planned in plan {
        let (kind, id) = match &planned.step {
            Ok(Step::Put(put)) => (put.kind(), put.id()),
            Ok(Step::Delete { kind, id, .. }) => (*kind, id.as_str()),
            _ => continue,
        };
        if let Some(first) = seen.insert((kind, id), planned.entry) {
            return Err(StoreError::SameTwice { first, second: planned.entry }.into());
        }
    }
    Ok(())
}

fn matched(state: &State, conn: &Connection, context: &Context<'_>, kind: Kind, id: &str) -> Try<Written> {
    let stored = version::read(conn, &state.catalog, context.tenant, kind, id)?;
    let stored = stored.ok_or_else(|| StoreError::NotFound { kind, id: id.into() })?;
    Ok(Written { outcome: WriteOutcome::Matched, stored })
}

fn in_entry(failure: Failure, entry: usize) -> Failure {
    match failure {
        Failure::Store(error) => Failure::Store(error.in_entry(entry)),
        failure @ Failure::Sql(_) => failure,
    }
}

impl Context<'_> {
    /// Adds a line to the change log: with the request's row, it is the audit record.
    pub(super) fn log(&mut self, state: &mut State, conn: &Connection, line: &Line) -> rusqlite::Result<()> {
        let request = match self.request {
            Some(request) => request,
            None => {
                let actor = state.actor(conn, self.author)?;
                let sql =
                    "INSERT INTO request (tenant, actor, at, id) VALUES (?1, ?2, ?3, ?4) RETURNING request";
                let values = params![self.tenant_number, actor, state.at.0, self.author.request];
                let request = conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
                *self.request.insert(request)
            }
        };
        let values =
            params![line.seq, line.rid, line.version.cast_signed(), current::op_number(line.op), request];
        conn.prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(values)?;
        Ok(())
    }
}

/// A line of the change log.
pub(super) struct Line {
    pub(super) seq: i64,
    pub(super) rid: i64,
    pub(super) version: u64,
    pub(super) op: crate::Op,
}
