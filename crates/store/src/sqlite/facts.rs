//! What a plan needs to know, from a snapshot or from the writer's own transaction.

use std::collections::HashMap;
use std::sync::Arc;

use ::search::Restrictions;
use compact_str::CompactString;
use fhir::Kind;
use rusqlite::Connection;

use super::catalog::Catalog;
use super::failure::Try;
use super::read::current::{self, stored_of};
use super::search;
use crate::prepare::{Facts, Found, Needs, Seen};
use crate::{StoreLimits, Tenant};

/// Looks everything up.
pub(crate) fn gather(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    needs: &Needs,
    restrictions: &Restrictions,
    limits: &StoreLimits,
) -> Try<Facts> {
    let seq =
        conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM log")?.query_row([], |row| row.get(0))?;
    let mut found = Vec::with_capacity(needs.conditions.len());
    for condition in &needs.conditions {
        found.push(match &condition.query {
            None => Found::None,
            Some(query) => search::find_one(conn, catalog, tenant, query, restrictions, limits)?,
        });
    }
    let mut facts = Facts { seq, found, seen: HashMap::new() };
    for (kind, id) in to_be_seen(needs, &facts.found) {
        let seen = seen(conn, catalog, tenant, kind, &id)?;
        facts.seen.insert((kind, id), seen);
    }
    Ok(facts)
}

/// Resources that will be updated: by id, and what the conditions of updates found.
pub(crate) fn to_be_seen(needs: &Needs, found: &[Found]) -> Vec<(Kind, CompactString)> {
    let of_ops = needs.of_op.values().filter_map(|at| match &found[*at] {
        Found::One(kind, id) => Some((*kind, id.clone())),
        Found::None | Found::Many => None,
    });
    needs.updated.iter().cloned().chain(of_ops).collect()
}

/// The stored version of a resource.
pub(crate) fn seen(conn: &Connection, catalog: &Catalog, tenant: &Tenant, kind: Kind, id: &str) -> Try<Seen> {
    let Some(t) = catalog.tenant(tenant).and_then(|tenant| catalog.t(tenant, kind)) else {
        return Ok(Seen::default());
    };
    match current::find(conn, catalog, t, id)? {
        None => Ok(Seen::default()),
        Some(current) => seen_of(kind, id, &current),
    }
}

/// A current version, unpacked.
pub(crate) fn seen_of(kind: Kind, id: &str, current: &current::Current) -> Try<Seen> {
    let resource =
        if current.is_live() { Some(Arc::new(stored_of(kind, id, current)?.body.resource()?)) } else { None };
    Ok(Seen { version: current.version, resource })
}
