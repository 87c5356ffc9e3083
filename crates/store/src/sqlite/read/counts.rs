//! How many resources there are of each type.

use ::search::{Restriction, Restrictions};
use fhir::Kind;
use rusqlite::Connection;

use crate::StoreLimits;
use crate::Tenant;
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::Try;
use crate::sqlite::search;

/// Of each type that has any which the restrictions let through.
pub(crate) fn counts(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    restrictions: &Restrictions,
    limits: &StoreLimits,
) -> Try<Vec<(Kind, u64)>> {
    let Some(number) = catalog.tenant(tenant) else { return Ok(Vec::new()) };
    let mut counts = Vec::new();
    for (kind, t) in catalog.kinds_of(number) {
        let n = match restrictions.of(kind) {
            Restriction::All => {
                let mut statement = conn.prepare_cached("SELECT n FROM kind WHERE t = ?1")?;
                statement.query_row([t], |row| row.get::<_, i64>(0))?.cast_unsigned()
            }
            Restriction::Nothing => 0,
            Restriction::Compartment { .. } => {
                search::count_kind(conn, catalog, tenant, kind, restrictions, limits)?
            }
        };
        if n > 0 {
            counts.push((kind, n));
        }
    }
    Ok(counts)
}
