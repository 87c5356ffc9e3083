//! Referential integrity, when it is configured: what is referred to must exist, and may not be deleted. Looked at when the whole
//! transaction is done, so that its entries may come in any order.

use compact_str::CompactString;
use fhir::Kind;
use rusqlite::{Connection, params};

use super::request::Context;
use super::state::State;
use crate::sqlite::failure::{Try, damaged};
use crate::sqlite::hash::id_text;
use crate::sqlite::read::current;
use crate::sqlite::search::Visible;
use crate::{ReferenceProblem, StoreError};

/// Most of those that refer to a resource which an error names.
const NAMED_MAX: usize = 5;

/// Position of the entry, and what it refers to.
pub(super) type Target = (usize, (Kind, CompactString));

/// Every target is there.
pub(super) fn targets_exist(
    state: &State,
    conn: &Connection,
    context: &Context<'_>,
    targets: &[Target],
) -> Try<()> {
    for (entry, (kind, id)) in targets {
        let t = state.catalog.t(context.tenant_number, *kind);
        let found = t.map(|t| current::find(conn, &state.catalog, t, id)).transpose()?.flatten();
        if !found.is_some_and(|found| found.is_live()) {
            let target = format!("{kind}/{id}");
            return Err(
                StoreError::Reference { entry: *entry, target, problem: ReferenceProblem::Unknown }.into()
            );
        }
    }
    Ok(())
}

/// Nothing refers to what was deleted.
pub(super) fn deleted_are_free(state: &mut State, conn: &Connection, context: &mut Context<'_>) -> Try<()> {
    if !state.shared.config.referential_integrity || context.deleted.is_empty() {
        return Ok(());
    }
    state.deltas.write(conn)?;
    let limits = state.shared.config.limits.clone();
    let visible = Visible::new(conn, &state.catalog, context.tenant, context.restrictions, &limits)?;
    let params = state.catalog.reference_params(context.tenant_number, state.catalog.generations.serving);
    for (rid, kind, id) in std::mem::take(&mut context.deleted) {
        let (mut is_referred_to, mut by) = (false, Vec::new());
        let target = current::target_of(conn, rid)?;
        for (_, p) in &params {
            let mut statement = conn.prepare_cached("SELECT rid FROM ref WHERE p = ?1 AND target = ?2")?;
            let mut rows = statement.query(params![p, target])?;
            while let Some(row) = rows.next()? {
                is_referred_to = true;
                if by.len() == NAMED_MAX {
                    break;
                }
                let (kind, name) = name_of(conn, state, row.get(0)?)?;
                if !by.contains(&name) && visible.is_visible(kind, row.get(0)?)? {
                    by.push(name);
                }
            }
        }
        if is_referred_to {
            return Err(StoreError::Referenced { kind, id, by }.into());
        }
    }
    Ok(())
}

fn name_of(conn: &Connection, state: &State, rid: i64) -> Try<(Kind, String)> {
    let sql = "SELECT t, id FROM resource WHERE rid = ?1";
    let (t, id) =
        conn.prepare_cached(sql)?.query_row([rid], |row| Ok((row.get::<_, u32>(0)?, id_text(row, 1)?)))?;
    let (_, kind) = state.catalog.of_t(t).ok_or_else(|| damaged(format!("row {rid} is of no known type")))?;
    Ok((kind, format!("{kind}/{id}")))
}
