//! Conditions are looked up before the writer has the request; here it is made sure that they still hold. Concurrent conditional
//! creates leave exactly one resource because of this.

use rusqlite::Connection;

use super::batch::WriteJob;
use super::state::State;
use crate::prepare::{Condition, Facts, Found, Seen};
use crate::sqlite::facts;
use crate::sqlite::failure::Try;
use crate::sqlite::search;

/// Plans anew when a condition has another answer now.
pub(super) fn hold(state: &mut State, conn: &Connection, job: &mut WriteJob) -> Try<()> {
    let stale: Vec<usize> = (0..job.needs.conditions.len())
        .filter(|at| is_stale(state, job, &job.needs.conditions[*at]))
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    state.deltas.write(conn)?;
    let mut found = job.facts.found.clone();
    for at in stale {
        found[at] = look_up(state, conn, job, &job.needs.conditions[at])?;
    }
    if found == job.facts.found {
        return Ok(());
    }
    let Some(ops) = job.ops.take() else { return Ok(()) };
    let mut facts = Facts { seq: state.next_seq - 1, found, seen: std::collections::HashMap::new() };
    for (kind, id) in facts::to_be_seen(&job.needs, &facts.found) {
        let seen: Seen = facts::seen(conn, &state.catalog, &job.tenant, kind, &id)?;
        facts.seen.insert((kind, id), seen);
    }
    job.plan = state.shared.planner.plan(ops, job.atomic, &job.needs, &facts, state.at);
    job.facts = facts;
    Ok(())
}

/// May the answer have changed since it was looked up. Searches that touch more than one type always may.
fn is_stale(state: &State, job: &WriteJob, condition: &Condition) -> bool {
    let Some(query) = &condition.query else { return false };
    let Some(tenant) = state.catalog.tenant(&job.tenant) else { return false };
    let touched = state.catalog.t(tenant, condition.kind).and_then(|t| state.changed.get(&t));
    touched.is_some_and(|seq| *seq > job.facts.seq) || search::touches_other_kinds(query)
}

fn look_up(state: &State, conn: &Connection, job: &WriteJob, condition: &Condition) -> Try<Found> {
    match &condition.query {
        None => Ok(Found::None),
        Some(query) => {
            let limits = &state.shared.condition_limits;
            search::find_one(conn, &state.catalog, &job.tenant, query, &job.restrictions, limits)
        }
    }
}
