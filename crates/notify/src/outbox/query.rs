//! What became of messages: deliveries of a thing, and the dead ones that somebody must be told of.

use fhir::Instant;
use rusqlite::{Connection, params};

use super::severity_of;
use crate::{Channel, Purpose};

/// A message about a thing, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub receiver: String,
    /// By which channel.
    pub channel: String,
    /// Where to.
    pub address: String,
    /// Why.
    pub purpose: String,
    /// `pending`, `delivered`, `dead`, `cancelled`.
    pub state: String,
    /// When it was put.
    pub put_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// The same at every attempt.
    pub idempotency: String,
    /// Every attempt.
    pub attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub begun_at: Instant,
    /// When it ended; `None` while it is under way, or when it was cut off.
    pub ended_at: Option<Instant>,
    /// `delivered`, `failed`, `refused`.
    pub outcome: Option<String>,
    /// Why, or how the gateway names the message.
    pub detail: Option<String>,
}

/// Messages about a thing, in the order in which they were put.
///
/// # Errors
/// The database fails.
pub fn deliveries(conn: &Connection, tenant: &str, reference: &str) -> rusqlite::Result<Vec<Delivery>> {
    let mut statement = conn.prepare_cached(
        "SELECT key, receiver, channel, address, purpose, state, put_at, ended_at, idempotency
         FROM outbox JOIN outbox_item ON outbox_item.outbox = outbox.key
         WHERE reference = ?2 AND tenant = ?1 ORDER BY key, number LIMIT 1000",
    )?;
    let rows = statement.query_map(params![tenant, reference], |row| {
        let delivery = Delivery {
            receiver: row.get(1)?,
            channel: row.get(2)?,
            address: row.get(3)?,
            purpose: row.get(4)?,
            state: row.get(5)?,
            put_at: Instant(row.get(6)?),
            ended_at: row.get::<_, Option<i64>>(7)?.map(Instant),
            idempotency: row.get(8)?,
            attempts: Vec::new(),
        };
        Ok((row.get::<_, i64>(0)?, delivery))
    })?;
    let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for (key, delivery) in &mut found {
        let mut statement = conn.prepare_cached(
            "SELECT begun_at, ended_at, outcome, detail FROM delivery WHERE outbox = ?1 ORDER BY attempt",
        )?;
        let attempts = statement.query_map([*key], |row| {
            Ok(Attempt {
                begun_at: Instant(row.get(0)?),
                ended_at: row.get::<_, Option<i64>>(1)?.map(Instant),
                outcome: row.get(2)?,
                detail: row.get(3)?,
            })
        })?;
        delivery.attempts = attempts.collect::<rusqlite::Result<Vec<_>>>()?;
    }
    Ok(found.into_iter().map(|(_, delivery)| delivery).collect())
}

/// A message that was not delivered, and one thing that it would have told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// Its key in the outbox.
    pub key: i64,
    /// Whose.
    pub tenant: String,
    /// What it would have told of.
    pub reference: String,
    /// Why.
    pub purpose: Purpose,
    /// How bad.
    pub severity: rules::Severity,
    /// To whom.
    pub receiver: String,
    /// By which channel.
    pub channel: Channel,
}

/// Messages that were not delivered and that whoever put them does not know of, one entry per thing that they would have told.
///
/// # Errors
/// The database fails.
pub fn dead(conn: &Connection, messages_max: usize) -> rusqlite::Result<Vec<Dead>> {
    let mut statement = conn.prepare_cached(
        "SELECT key, tenant, reference, purpose, item.severity, receiver, channel
         FROM (SELECT * FROM outbox WHERE state = 'dead' AND is_known = 0 ORDER BY key LIMIT ?1) AS message
         JOIN outbox_item AS item ON item.outbox = message.key ORDER BY key, reference, number",
    )?;
    let rows = statement.query_map([messages_max as i64], |row| {
        let (purpose, channel): (String, String) = (row.get(3)?, row.get(6)?);
        Ok(Dead {
            key: row.get(0)?,
            tenant: row.get(1)?,
            reference: row.get(2)?,
            purpose: Purpose::named(&purpose).unwrap_or(Purpose::Raised),
            severity: severity_of(row.get(4)?),
            receiver: row.get(5)?,
            channel: Channel::named(&channel).unwrap_or(Channel::Webhook),
        })
    })?;
    rows.collect()
}

/// Says that a dead message is known.
///
/// # Errors
/// The database fails.
pub fn known(conn: &Connection, key: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE outbox SET is_known = 1 WHERE key = ?1")?.execute([key])?;
    Ok(())
}
