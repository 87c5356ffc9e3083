//! Takes back what was not sent, and finds who was told.

use fhir::Instant;
use rusqlite::{Connection, params};

use crate::Channel;

/// An address that was told, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The receiver's name at that time.
    pub receiver: String,
    /// The channel.
    pub channel: Channel,
    /// The address.
    pub address: String,
}

/// Who was told about a thing. Attempts that were cut off count: the message may have arrived.
///
/// # Errors
/// The database fails.
pub fn told(conn: &Connection, tenant: &str, reference: &str) -> rusqlite::Result<Vec<Told>> {
    let mut statement = conn.prepare_cached(
        "SELECT receiver, channel, address, min(key) AS first FROM outbox JOIN outbox_item ON outbox_item.outbox = outbox.key
         WHERE reference = ?2 AND tenant = ?1 AND attempts > 0 GROUP BY channel, address ORDER BY first",
    )?;
    let rows = statement.query_map(params![tenant, reference], |row| {
        let channel: String = row.get(1)?;
        Ok((row.get(0)?, channel, row.get(2)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (receiver, channel, address) = row?;
        if let Some(channel) = Channel::named(&channel) {
            found.push(Told { receiver, channel, address });
        }
    }
    Ok(found)
}

/// Takes back what waits about a thing: nobody needs to hear it any more. A message that tells other things too loses this one, unless it was
/// tried already: then it stays what it is.
///
/// # Errors
/// The database fails.
pub fn cancel(conn: &Connection, tenant: &str, reference: &str, now: Instant) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT key, attempts,
           EXISTS (SELECT 1 FROM outbox_item AS other WHERE other.outbox = key AND other.reference <> ?2)
         FROM outbox JOIN outbox_item ON outbox_item.outbox = outbox.key
         WHERE reference = ?2 AND tenant = ?1 AND state = 'pending'",
    )?;
    let rows = statement.query_map(params![tenant, reference], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, bool>(2)?))
    })?;
    for (key, attempts, has_others) in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        if !has_others {
            conn.prepare_cached("UPDATE outbox SET state = 'cancelled', ended_at = ?2 WHERE key = ?1")?
                .execute(params![key, now.0])?;
        } else if attempts == 0 {
            conn.prepare_cached("DELETE FROM outbox_item WHERE reference = ?1 AND outbox = ?2")?
                .execute(params![reference, key])?;
        }
    }
    Ok(())
}
