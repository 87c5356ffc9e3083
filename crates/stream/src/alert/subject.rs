//! Moves alerts to another record when two were merged (HL7 v2 A40): nothing is lost, nobody is left with the old name.

use fhir::Instant;
use notify::Purpose;
use rusqlite::{Connection, params};

use super::apply::Ground;
use super::change::{Record, end, record};
use super::model::{Alert, State, Step, Transition};
use super::policy::Policy;
use super::{inhibit, row, tell};

/// Everything that is known of `from` belongs to `to` from now on. A live alert whose topic is live at `to` too goes into that one. Everybody who
/// was told about a moved alert is told that its record changed.
///
/// # Errors
/// The database fails.
pub fn rekey(
    conn: &Connection,
    policy: &Policy,
    tenant: &str,
    (from, to): (&str, &str),
    by: &str,
    now: Instant,
) -> rusqlite::Result<Vec<Transition>> {
    if from == to {
        return Ok(Vec::new());
    }
    let ground = Ground { conn, policy, now };
    let keys: Vec<i64> = conn
        .prepare_cached("SELECT key FROM alert WHERE tenant = ?1 AND subject = ?2 ORDER BY key")?
        .query_map(params![tenant, from], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut done = Vec::new();
    for key in keys {
        let alert = row::by_key(conn, key)?;
        let live = if alert.state.is_live() { row::live(conn, tenant, to, &alert.topic)? } else { None };
        match live {
            Some(live) => done.extend(join(&ground, alert, live, (from, to), by)?),
            None => done.push(move_one(&ground, alert, (from, to), by)?),
        }
    }
    conn.prepare_cached("UPDATE silence SET subject = ?3 WHERE tenant = ?1 AND subject = ?2")?
        .execute(params![tenant, from, to])?;
    conn.prepare_cached("UPDATE OR IGNORE unjudged SET subject = ?3 WHERE tenant = ?1 AND subject = ?2")?
        .execute(params![tenant, from, to])?;
    conn.prepare_cached("DELETE FROM unjudged WHERE tenant = ?1 AND subject = ?2")?
        .execute(params![tenant, from])?;
    Ok(done)
}

fn move_one(
    ground: &Ground<'_>,
    mut alert: Alert,
    (from, to): (&str, &str),
    by: &str,
) -> rusqlite::Result<Transition> {
    move_parts(ground, &alert, alert.key, (from, to))?;
    to.clone_into(&mut alert.subject);
    let reason = Some("its record was merged into another");
    let moved = Record { what: Step::Rekeyed, before: Some(alert.state), by, reason };
    let done = record(ground.conn, &mut alert, &moved, ground.now)?;
    correct(ground, &alert)?;
    Ok(done)
}

/// The one that is live at `to` takes the parts; the other is over.
fn join(
    ground: &Ground<'_>,
    mut alert: Alert,
    mut live: Alert,
    (from, to): (&str, &str),
    by: &str,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    move_parts(ground, &alert, live.key, (from, to))?;
    let before = alert.state;
    end(&mut alert, State::Resolved, now);
    to.clone_into(&mut alert.subject);
    let reason = format!("its record was merged into another, where alert {} goes on", live.id);
    let moved = Record { what: Step::Rekeyed, before: Some(before), by, reason: Some(&reason) };
    let mut done = vec![record(conn, &mut alert, &moved, now)?];
    correct(ground, &alert)?;
    let was = live.severity;
    if let Some(deciding) = row::parts_of(conn, live.key)?.first().filter(|part| part.severity > was) {
        let before = live.state;
        live.rule.clone_from(&deciding.rule);
        live.version.clone_from(&deciding.version);
        live.event.clone_from(&deciding.event);
        live.message.clone_from(&deciding.message);
        live.seen = deciding.seen.clone();
        live.severity = deciding.severity;
        live.is_immediate |= deciding.is_immediate;
        live.peak = live.peak.max(deciding.severity);
        live.state = State::Open;
        live.owner = None;
        live.silence = None;
        live.inhibited_by = None;
        live.level = 0;
        live.repeats = 0;
        live.respond_by = policy.respond_by(live.severity, None, now);
        live.timer_at = live.respond_by;
        let worse =
            Record { what: Step::Worsened, before: Some(before), by, reason: Some("two records are one") };
        done.push(record(conn, &mut live, &worse, now)?);
        tell::tell(conn, policy, &live, Purpose::Worsened, now)?;
    }
    done.extend(inhibit::stop(ground, &alert)?);
    Ok(done)
}

/// The same episode may be at both records: then the one at `to` stays.
fn move_parts(
    ground: &Ground<'_>,
    alert: &Alert,
    key: i64,
    (from, to): (&str, &str),
) -> rusqlite::Result<()> {
    ground
        .conn
        .prepare_cached(
            "UPDATE OR IGNORE alert_part SET subject = ?4, alert = ?5 WHERE tenant = ?1 AND subject = ?2 AND alert = ?3",
        )?
        .execute(params![alert.tenant, from, alert.key, to, key])?;
    ground
        .conn
        .prepare_cached("DELETE FROM alert_part WHERE tenant = ?1 AND subject = ?2 AND alert = ?3")?
        .execute(params![alert.tenant, from, alert.key])?;
    Ok(())
}

/// Those who were told hear that the record changed; what waits is still sent when the alert goes on.
fn correct(ground: &Ground<'_>, alert: &Alert) -> rusqlite::Result<()> {
    if alert.state.is_live() {
        return tell::also(ground.conn, ground.policy, alert, Purpose::Corrected, ground.now);
    }
    tell::take_back(ground.conn, ground.policy, alert, Purpose::Corrected, ground.now)
}
