//! An export by pages: current versions in the order in which they were first stored.

use ::search::{Restriction, Restrictions};
use fhir::Kind;
use rusqlite::{Connection, params};

use super::current::ByRid;
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::Try;
use crate::sqlite::search;
use crate::{ScanPage, ScanPlace, ScanQuery, StoreLimits, Tenant};

/// One page.
pub(crate) fn page(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    query: &ScanQuery,
    restrictions: &Restrictions,
    limits: &StoreLimits,
) -> Try<ScanPage> {
    let mut page = ScanPage::default();
    let Some(number) = catalog.tenant(tenant) else { return Ok(page) };
    let wanted = |kind: &Kind| {
        (query.kinds.is_empty() || query.kinds.contains(kind))
            && *restrictions.of(*kind) != Restriction::Nothing
    };
    let kinds: Vec<(Kind, u32)> =
        catalog.kinds_of(number).into_iter().filter(|(kind, _)| wanted(kind)).collect();
    let visible = search::Visible::new(conn, catalog, tenant, restrictions, limits)?;
    let mut after = query.after.map_or(0, |place| place.0);
    let count = query.count.max(1);
    let mut by_rid = ByRid::prepare(conn)?;
    loop {
        let rids = next_rids(conn, &kinds, after, count)?;
        let Some(last) = rids.last() else { return Ok(page) };
        after = last.0;
        for (rid, kind) in rids {
            if !visible.is_visible(kind, rid)? {
                continue;
            }
            let Some(stored) = by_rid.get(catalog, rid)? else { continue };
            if query.since.is_some_and(|since| stored.updated < since) {
                continue;
            }
            page.entries.push(stored);
            if page.entries.len() == count {
                page.next = Some(ScanPlace(rid));
                return Ok(page);
            }
        }
    }
}

/// The next rows of any of the types, in order.
fn next_rids(
    conn: &Connection,
    kinds: &[(Kind, u32)],
    after: i64,
    count: usize,
) -> rusqlite::Result<Vec<(i64, Kind)>> {
    let mut rids = Vec::new();
    let mut statement =
        conn.prepare_cached("SELECT rid FROM live WHERE t = ?1 AND rid > ?2 ORDER BY rid LIMIT ?3")?;
    let limit = i64::try_from(count).unwrap_or(i64::MAX);
    for (kind, t) in kinds {
        let mut rows = statement.query(params![t, after, limit])?;
        while let Some(row) = rows.next()? {
            rids.push((row.get(0)?, *kind));
        }
    }
    rids.sort_unstable_by_key(|(rid, _)| *rid);
    rids.truncate(count);
    Ok(rids)
}
