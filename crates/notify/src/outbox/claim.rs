//! What the worker does with the outbox: takes messages that are due, records what became of them.

use fhir::Instant;
use rules::Severity;
use rusqlite::{Connection, OptionalExtension, params};

use super::severity_of;
use crate::{Channel, Purpose};

/// Items of one message that are read; a message says how many more there are.
pub(crate) const ITEMS_READ_MAX: usize = 50;

/// A message whose next attempt has begun.
#[derive(Clone)]
pub struct Claimed {
    /// Its key in the outbox.
    pub key: i64,
    /// Whose.
    pub tenant: String,
    /// The same at every attempt.
    pub idempotency: String,
    /// To whom.
    pub receiver: String,
    /// By which channel.
    pub channel: Channel,
    /// Where to.
    pub address: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Its worst item.
    pub severity: Severity,
    /// When it was put.
    pub put_at: Instant,
    /// The worst items first.
    pub items: Vec<Item>,
    /// How many items it has altogether.
    pub n_items: usize,
}

/// One thing that a message tells.
#[derive(Clone)]
pub struct Item {
    /// What it is about.
    pub reference: String,
    /// Why.
    pub purpose: Purpose,
    /// How bad.
    pub severity: Severity,
    /// When it began.
    pub at: Instant,
    /// Ward or unit.
    pub unit: Option<String>,
    /// With patient data, when the receiver gets it.
    pub text: Option<String>,
}

/// Addresses and texts do not print.
impl std::fmt::Debug for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claimed({} {} attempt {})", self.key, self.channel.name(), self.attempt)
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The gateway has it; how it names it.
    Delivered(Option<String>),
    /// It may work later: why, and when the gateway wants to be asked again.
    Failed(String, Option<Instant>),
    /// It never will.
    Refused(String),
}

/// Takes messages that are due and begins an attempt of each: durable before anything is sent. Until `busy_until` nobody else takes them.
///
/// # Errors
/// The database fails.
pub fn claim(
    conn: &Connection,
    now: Instant,
    busy_until: Instant,
    messages_max: usize,
) -> rusqlite::Result<Vec<Claimed>> {
    let mut statement = conn.prepare_cached(
        "SELECT key, tenant, idempotency, receiver, channel, address, attempts, severity, put_at FROM outbox
         WHERE state = 'pending' AND not_before <= ?1 ORDER BY severity DESC, not_before, key LIMIT ?2",
    )?;
    let rows = statement.query_map(params![now.0, messages_max as i64], |row| {
        let channel: String = row.get(4)?;
        Ok(Claimed {
            key: row.get(0)?,
            tenant: row.get(1)?,
            idempotency: row.get(2)?,
            receiver: row.get(3)?,
            channel: Channel::named(&channel).unwrap_or(Channel::Webhook),
            address: row.get(5)?,
            attempt: row.get::<_, u32>(6)? + 1,
            severity: severity_of(row.get(7)?),
            put_at: Instant(row.get(8)?),
            items: Vec::new(),
            n_items: 0,
        })
    })?;
    let mut claimed = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for message in &mut claimed {
        conn.prepare_cached("UPDATE outbox SET attempts = ?2, not_before = ?3 WHERE key = ?1")?
            .execute(params![message.key, message.attempt, busy_until.0])?;
        conn.prepare_cached("INSERT INTO delivery (outbox, attempt, begun_at) VALUES (?1, ?2, ?3)")?
            .execute(params![message.key, message.attempt, now.0])?;
        read_items(conn, message)?;
    }
    Ok(claimed)
}

fn read_items(conn: &Connection, message: &mut Claimed) -> rusqlite::Result<()> {
    message.n_items = conn
        .prepare_cached("SELECT count(*) FROM outbox_item WHERE outbox = ?1")?
        .query_row([message.key], |row| row.get::<_, i64>(0))? as usize;
    let mut statement = conn.prepare_cached(
        "SELECT reference, purpose, severity, at, unit, text FROM outbox_item WHERE outbox = ?1
         ORDER BY severity DESC, at, reference, number LIMIT ?2",
    )?;
    let rows = statement.query_map(params![message.key, ITEMS_READ_MAX as i64], |row| {
        let purpose: String = row.get(1)?;
        Ok(Item {
            reference: row.get(0)?,
            purpose: Purpose::named(&purpose).unwrap_or(Purpose::Raised),
            severity: severity_of(row.get(2)?),
            at: Instant(row.get(3)?),
            unit: row.get(4)?,
            text: row.get(5)?,
        })
    })?;
    message.items = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(())
}

/// Records what became of an attempt. One that failed is tried again at `again`, or is dead when there is no such time.
///
/// # Errors
/// The database fails.
pub fn record(
    conn: &Connection,
    message: &Claimed,
    outcome: &Outcome,
    again: Option<Instant>,
    now: Instant,
) -> rusqlite::Result<()> {
    let (name, detail) = match outcome {
        Outcome::Delivered(provider) => ("delivered", provider.as_deref()),
        Outcome::Failed(why, _) => ("failed", Some(why.as_str())),
        Outcome::Refused(why) => ("refused", Some(why.as_str())),
    };
    conn.prepare_cached(
        "UPDATE delivery SET ended_at = ?3, outcome = ?4, detail = ?5 WHERE outbox = ?1 AND attempt = ?2",
    )?
    .execute(params![message.key, message.attempt, now.0, name, detail])?;
    match outcome {
        Outcome::Delivered(provider) => {
            conn.prepare_cached(
                "UPDATE outbox SET state = 'delivered', ended_at = ?2, provider = ?3 WHERE key = ?1 AND state IN ('pending', 'cancelled')",
            )?
            .execute(params![message.key, now.0, provider])?;
            conn.prepare_cached("UPDATE outbox_item SET text = NULL WHERE outbox = ?1 AND text IS NOT NULL")?
                .execute([message.key])?;
        }
        Outcome::Failed(..) if again.is_some() => {
            conn.prepare_cached("UPDATE outbox SET not_before = ?2 WHERE key = ?1 AND state = 'pending'")?
                .execute(params![message.key, again.map(|again| again.0)])?;
        }
        Outcome::Failed(..) | Outcome::Refused(_) => {
            conn.prepare_cached(
                "UPDATE outbox SET state = 'dead', ended_at = ?2 WHERE key = ?1 AND state = 'pending'",
            )?
            .execute(params![message.key, now.0])?;
        }
    }
    Ok(())
}

/// Gives back what a process that ended had taken: due at once. Called before the first claim of a process.
///
/// # Errors
/// The database fails.
pub fn release(conn: &Connection, now: Instant) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "UPDATE outbox SET not_before = ?1 WHERE state = 'pending' AND not_before > ?1 AND EXISTS
           (SELECT 1 FROM delivery WHERE outbox = key AND attempt = attempts AND outcome IS NULL)",
    )?
    .execute([now.0])
}

/// Messages that wait, and when the oldest of them was put.
///
/// # Errors
/// The database fails.
pub fn waiting(conn: &Connection) -> rusqlite::Result<(u64, Option<Instant>)> {
    conn.prepare_cached("SELECT count(*), min(put_at) FROM outbox WHERE state = 'pending'")?.query_row(
        [],
        |row| {
            let n: i64 = row.get(0)?;
            Ok((n.cast_unsigned(), row.get::<_, Option<i64>>(1)?.map(Instant)))
        },
    )
}

/// When the next message is due.
///
/// # Errors
/// The database fails.
pub fn next_due(conn: &Connection) -> rusqlite::Result<Option<Instant>> {
    let found = conn
        .prepare_cached("SELECT min(not_before) FROM outbox WHERE state = 'pending'")?
        .query_row([], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(found.flatten().map(Instant))
}
