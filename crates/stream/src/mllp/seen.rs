//! Which messages were kept before: sender, control id and content. Synchronous, on the file of streams.
//!
//! A message is claimed, its events are published, the claim is settled; a claim whose events could not be published is released. After a crash in
//! between, the same message publishes its events again, which the log knows by their ids. Of two connections with one id, the first claim holds.

use fhir::Instant;
use rusqlite::{Connection, OptionalExtension, params};

/// What is known of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is to be published: it is new, or nobody knows whether it was published.
    Publish,
    /// It was kept.
    Kept,
    /// Its id is used for other content.
    Other,
}

/// Who sent a message, and by which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageKey {
    /// The tenant.
    pub tenant: String,
    /// `MSH-3@MSH-4`.
    pub source: String,
    /// MSH-10.
    pub control_id: String,
}

/// Claims a message for publishing.
///
/// # Errors
/// The database fails.
pub fn claim(conn: &Connection, key: &MessageKey, hash: &[u8; 32], at: Instant) -> rusqlite::Result<Claim> {
    let known: Option<(Vec<u8>, bool)> = conn
        .prepare_cached(
            "SELECT hash, kept FROM mllp_seen WHERE tenant = ?1 AND source = ?2 AND control_id = ?3",
        )?
        .query_row(params![key.tenant, key.source, key.control_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match known {
        Some((known, _)) if known != hash => Ok(Claim::Other),
        Some((_, true)) => Ok(Claim::Kept),
        Some((_, false)) => Ok(Claim::Publish),
        None => {
            conn.prepare_cached(
                "INSERT INTO mllp_seen (tenant, source, control_id, hash, at, kept) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            )?
            .execute(params![key.tenant, key.source, key.control_id, hash, at.0])?;
            Ok(Claim::Publish)
        }
    }
}

/// The events of a claimed message are durable.
///
/// # Errors
/// The database fails.
pub fn settle(conn: &Connection, key: &MessageKey) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE mllp_seen SET kept = 1 WHERE tenant = ?1 AND source = ?2 AND control_id = ?3",
    )?
    .execute(params![key.tenant, key.source, key.control_id])?;
    Ok(())
}

/// The events of a claimed message were not published.
///
/// # Errors
/// The database fails.
pub fn release(conn: &Connection, key: &MessageKey) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM mllp_seen WHERE tenant = ?1 AND source = ?2 AND control_id = ?3 AND kept = 0",
    )?
    .execute(params![key.tenant, key.source, key.control_id])?;
    Ok(())
}

/// Forgets what was claimed before an instant; returns how many.
///
/// # Errors
/// The database fails.
pub fn forget_before(conn: &Connection, at: Instant) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM mllp_seen WHERE at < ?1")?.execute([at.0])
}
