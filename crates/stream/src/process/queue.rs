//! Resources on their way into the store: put into the queue in the transaction of what they are made of.

use event::Event;
use rusqlite::{Connection, params};

use super::device;
use super::observe::{self, Wanted};

/// One resource, as text. Of one identifier the last stands.
pub(crate) fn put(conn: &Connection, tenant: &str, id: &str, resource: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO observation (tenant, id, resource, next_at) VALUES (?1, ?2, ?3, 0)")?
        .execute(params![tenant, id, resource])?;
    Ok(())
}

/// What an event becomes, with the devices that measured it.
pub(crate) fn put_made<'w>(
    conn: &Connection,
    tenant: &str,
    event: &Event,
    wanted: impl Iterator<Item = &'w Wanted>,
) -> rusqlite::Result<()> {
    for wanted in wanted {
        let Some((id, resource)) = observe::resource(tenant, event, wanted) else { continue };
        for measurement in observe::measurements_of(event, wanted) {
            for (id, resource) in device::new_resources(conn, tenant, event, measurement)? {
                put(conn, tenant, &id, &resource)?;
            }
        }
        put(conn, tenant, &id, &resource)?;
    }
    Ok(())
}
