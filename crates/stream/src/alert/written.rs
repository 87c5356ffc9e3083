//! Alerts on their way into the FHIR store: whatever changed of those that are asked for is queued, once, in one transaction with how far this is.

use rules::RuleSet;
use rusqlite::{Connection, OptionalExtension, params};

use super::policy::Policy;
use super::resource::{DETECTED_ISSUE, FLAG, stored_of};
use super::{query, row};
use crate::process::queue;

/// How far changes of alerts were looked at.
const CURSOR: &str = "alert-resources";
/// Changes looked at in one transaction.
const CHANGES_MAX: i64 = 500;

fn cursor(conn: &Connection) -> rusqlite::Result<Option<i64>> {
    let mut statement = conn.prepare_cached("SELECT seq FROM cursor WHERE name = ?1")?;
    statement.query_row([CURSOR], |row| row.get(0)).optional()
}

/// Nothing is asked for, and nothing was ever written.
fn is_off(conn: &Connection, policy: &Policy) -> rusqlite::Result<bool> {
    let has_any = || conn.prepare_cached("SELECT 1 FROM alert_resource LIMIT 1")?.exists([]);
    Ok(!policy.writes_alerts() && !has_any()?)
}

/// Is there something to do.
pub(crate) fn is_due(conn: &Connection, policy: &Policy) -> rusqlite::Result<bool> {
    let done = cursor(conn)?;
    Ok(if is_off(conn, policy)? { done.is_some() } else { done != Some(query::last_seq(conn)?) })
}

/// Queues alerts that changed and are asked for, or were written before; who begins now begins with those that are live.
pub(crate) fn queue(conn: &Connection, policy: &Policy, rules: &RuleSet) -> rusqlite::Result<()> {
    if is_off(conn, policy)? {
        // What happens meanwhile is not made up for.
        conn.prepare_cached("DELETE FROM cursor WHERE name = ?1")?.execute([CURSOR])?;
        return Ok(());
    }
    let (keys, next) = match cursor(conn)? {
        Some(after) => changed(conn, after)?,
        None => (live(conn)?, query::last_seq(conn)?),
    };
    for key in keys {
        one(conn, policy, rules, key)?;
    }
    conn.prepare_cached("INSERT OR REPLACE INTO cursor (name, seq) VALUES (?1, ?2)")?
        .execute(params![CURSOR, next])?;
    Ok(())
}

fn live(conn: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut rows = conn.prepare_cached("SELECT key FROM alert WHERE ended_at IS NULL ORDER BY key")?;
    rows.query_map([], |row| row.get(0))?.collect()
}

/// Alerts of the next changes, and the place of the last.
fn changed(conn: &Connection, after: i64) -> rusqlite::Result<(Vec<i64>, i64)> {
    let (mut keys, mut next) = (Vec::new(), after);
    let mut rows =
        conn.prepare_cached("SELECT seq, alert FROM alert_change WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let mut rows = rows.query([after, CHANGES_MAX])?;
    while let Some(row) = rows.next()? {
        next = row.get(0)?;
        let key = row.get(1)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok((keys, next))
}

fn one(conn: &Connection, policy: &Policy, rules: &RuleSet, key: i64) -> rusqlite::Result<()> {
    let alert = row::by_key(conn, key)?;
    let written: Option<String> = conn
        .prepare_cached("SELECT kind FROM alert_resource WHERE alert = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    let kind = match written {
        Some(kind) => kind,
        None => {
            let parts = row::parts_of(conn, key)?;
            let speaking: Vec<&str> = parts.iter().map(|part| part.rule.as_str()).collect();
            if !policy.writes(&speaking, alert.peak) {
                return Ok(());
            }
            let is_order = speaking.iter().any(|rule| rules.is_about_orders(rule));
            let kind = if is_order { DETECTED_ISSUE } else { FLAG };
            conn.prepare_cached("INSERT INTO alert_resource (alert, kind) VALUES (?1, ?2)")?
                .execute(params![key, kind])?;
            kind.to_owned()
        }
    };
    queue::put(conn, &alert.tenant, &alert.id, &stored_of(&alert, &kind).to_string())
}
