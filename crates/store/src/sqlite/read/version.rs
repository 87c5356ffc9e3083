//! One version of a resource by its number.

use fhir::{Instant, Kind};
use rusqlite::{Connection, OptionalExtension, params};

use super::current::{self, Current, op_of, stored, stored_of};
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::Try;
use crate::{Stored, Tenant};

/// The current version, packed.
pub(crate) fn find(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    kind: Kind,
    id: &str,
) -> Try<Option<Current>> {
    let Some(t) = catalog.tenant(tenant).and_then(|tenant| catalog.t(tenant, kind)) else { return Ok(None) };
    Ok(current::find(conn, catalog, t, id)?.filter(|current| current.version > 0))
}

/// The current version.
pub(crate) fn read(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    kind: Kind,
    id: &str,
) -> Try<Option<Stored>> {
    find(conn, catalog, tenant, kind, id)?.map(|current| stored_of(kind, id, &current)).transpose()
}

/// A version, current or earlier.
pub(crate) fn read_version(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    kind: Kind,
    id: &str,
    version: u64,
) -> Try<Option<Stored>> {
    let Some(t) = catalog.tenant(tenant).and_then(|tenant| catalog.t(tenant, kind)) else { return Ok(None) };
    let Some(current) = current::find(conn, catalog, t, id)? else { return Ok(None) };
    if version == 0 {
        return Ok(None);
    }
    if version == current.version {
        return stored_of(kind, id, &current).map(Some);
    }
    let Ok(number) = i64::try_from(version) else { return Ok(None) };
    let sql = "SELECT updated, op, body FROM past WHERE rid = ?1 AND version = ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let past = statement.query_row(params![current.rid, number], |row| {
        Ok((Instant(row.get(0)?), op_of(row.get(1)?), row.get::<_, Option<Vec<u8>>>(2)?.unwrap_or_default()))
    });
    match past.optional()? {
        None => Ok(None),
        Some((updated, op, body)) => stored(kind, id.into(), version, updated, op, &body).map(Some),
    }
}
