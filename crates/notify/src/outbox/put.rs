//! Puts a notice into the outbox: one message per address, or one more item of a message that still waits.

use fhir::Instant;
use rules::Severity;
use rusqlite::{Connection, OptionalExtension, params};

use super::number_of;
use crate::{Channel, Notice, Plan, Purpose, Receiver};

/// Puts a notice for each address of the receivers. Critical and high ones are sent at once, unless their address just got many: then they wait a
/// little and go together. Others wait for quiet hours and for each other. Returns the number of addresses.
///
/// # Errors
/// The database fails.
pub fn put(
    conn: &Connection,
    plan: &Plan,
    receivers: &[&str],
    notice: &Notice,
    now: Instant,
) -> rusqlite::Result<usize> {
    let mut done: Vec<(Channel, &str)> = Vec::new();
    for name in receivers {
        let Some(receiver) = plan.receiver(name) else { continue };
        if notice.purpose == Purpose::Resolved && !receiver.resolved {
            continue;
        }
        for (channel, address) in &receiver.addresses {
            // Two receivers may share an address: it is told once.
            if done.contains(&(*channel, address.as_str())) {
                continue;
            }
            done.push((*channel, address));
            put_to(conn, plan, name, (*channel, address), notice, now)?;
        }
    }
    Ok(done.len())
}

/// Puts a notice for one address, which need not be in the plan any more.
///
/// # Errors
/// The database fails.
pub fn put_to(
    conn: &Connection,
    plan: &Plan,
    receiver: &str,
    (channel, address): (Channel, &str),
    notice: &Notice,
    now: Instant,
) -> rusqlite::Result<()> {
    let configured = plan.receiver(receiver);
    let not_before = not_before(conn, plan, configured, (channel, address), notice, now)?;
    let open =
        if not_before > now { open_message(conn, receiver, (channel, address), notice, now)? } else { None };
    let key = match open {
        Some(key) => {
            let mut statement = conn.prepare_cached(
                "UPDATE outbox SET severity = max(severity, ?2), not_before = min(not_before, ?3) WHERE key = ?1",
            )?;
            statement.execute(params![key, number_of(notice.severity), not_before.0])?;
            Some(key)
        }
        None => insert(conn, receiver, (channel, address), notice, now, not_before)?,
    };
    // The same notice was put before.
    let Some(key) = key else { return Ok(()) };
    let text = notice.text.as_deref().filter(|_| configured.is_some_and(|receiver| receiver.patient_data));
    let mut statement = conn.prepare_cached(
        "INSERT INTO outbox_item (reference, number, outbox, purpose, severity, at, unit, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )?;
    let severity = number_of(notice.severity);
    let purpose = notice.purpose.name();
    statement.execute(params![
        notice.reference,
        notice.number,
        key,
        purpose,
        severity,
        notice.at.0,
        notice.unit,
        text
    ])?;
    Ok(())
}

fn not_before(
    conn: &Connection,
    plan: &Plan,
    receiver: Option<&Receiver>,
    (channel, address): (Channel, &str),
    notice: &Notice,
    now: Instant,
) -> rusqlite::Result<Instant> {
    let grouped = Instant(now.0 + plan.group_wait_micros);
    if notice.severity < Severity::High && !notice.purpose.is_correction() {
        let quiet = receiver.and_then(|receiver| receiver.quiet.as_ref()).and_then(|quiet| quiet.end(now));
        return Ok(quiet.map_or(grouped, |end| end.max(grouped)));
    }
    let mut statement = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE tenant = ?1 AND channel = ?2 AND address = ?3 AND put_at > ?4 LIMIT ?5)",
    )?;
    let recent: u32 = statement.query_row(
        params![notice.tenant, channel.name(), address, now.0 - Plan::STORM_MICROS, plan.storm_messages_max],
        |row| row.get(0),
    )?;
    Ok(if recent >= plan.storm_messages_max { grouped } else { now })
}

/// A message to the same address that still takes items.
fn open_message(
    conn: &Connection,
    receiver: &str,
    (channel, address): (Channel, &str),
    notice: &Notice,
    now: Instant,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = conn.prepare_cached(
        "SELECT key FROM outbox WHERE tenant = ?1 AND channel = ?2 AND address = ?3 AND receiver = ?4
         AND state = 'pending' AND attempts = 0 AND not_before > ?5 ORDER BY key LIMIT 1",
    )?;
    statement
        .query_row(params![notice.tenant, channel.name(), address, receiver, now.0], |row| row.get(0))
        .optional()
}

fn insert(
    conn: &Connection,
    receiver: &str,
    (channel, address): (Channel, &str),
    notice: &Notice,
    now: Instant,
    not_before: Instant,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO outbox (tenant, idempotency, receiver, channel, address, severity, state, put_at, not_before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7, ?8) ON CONFLICT (idempotency) DO NOTHING",
    )?;
    let channel_name = channel.name();
    let Notice { tenant, reference, number, .. } = notice;
    let name = format!("{tenant}\0{reference}\0{number}\0{channel_name}\0{address}");
    let idempotency = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
    let severity = number_of(notice.severity);
    let rows = statement.execute(params![
        tenant,
        idempotency,
        receiver,
        channel_name,
        address,
        severity,
        now.0,
        not_before.0
    ])?;
    Ok((rows == 1).then(|| conn.last_insert_rowid()))
}
