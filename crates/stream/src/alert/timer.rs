//! What happens by itself: escalation, the ends of snoozes, silences and acknowledgements, and messages that were not delivered.

use fhir::Instant;
use notify::{Purpose, outbox};
use rules::Severity;
use rusqlite::Connection;

use super::apply::Ground;
use super::change::{Record, record};
use super::model::{Alert, State, Step, Transition};
use super::policy::Policy;
use super::{inhibit, row, silence, tell};

/// Alerts and messages that one call looks at: the writer serves others between calls.
const STEPS_MAX: usize = 500;
const BY: &str = "service:alerts";

/// Does what is due. Call again at once while it gives back something, then at [`next_due`].
///
/// # Errors
/// The database fails.
pub fn due(conn: &Connection, policy: &Policy, now: Instant) -> rusqlite::Result<Vec<Transition>> {
    let ground = Ground { conn, policy, now };
    let mut done = undelivered(&ground)?;
    let keys: Vec<i64> = conn
        .prepare_cached(
            "SELECT key FROM alert WHERE timer_at <= ?1 ORDER BY timer_at, severity DESC, key LIMIT ?2",
        )?
        .query_map([now.0, STEPS_MAX as i64], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for key in keys {
        done.extend(step(&ground, row::by_key(conn, key)?)?);
    }
    Ok(done)
}

/// When something is due next: a time in the past when something is due now.
///
/// # Errors
/// The database fails.
pub fn next_due(conn: &Connection) -> rusqlite::Result<Option<Instant>> {
    if !outbox::dead(conn, 1)?.is_empty() {
        return Ok(Some(Instant(0)));
    }
    let found: Option<i64> = conn
        .prepare_cached("SELECT min(timer_at) FROM alert WHERE timer_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?;
    Ok(found.map(Instant))
}

fn step(ground: &Ground<'_>, mut alert: Alert) -> rusqlite::Result<Vec<Transition>> {
    match alert.state {
        State::Open | State::Escalated => escalate(ground, alert, BY, "nobody answered in time"),
        State::Acknowledged => again(ground, alert, Step::Forgotten, BY, "it still holds"),
        State::Snoozed => again(ground, alert, Step::Woken, BY, "the snooze ended"),
        State::Silenced => unsilence(ground, alert, BY),
        // A timer of what is over: nothing is due.
        State::Resolved | State::Retracted => {
            alert.timer_at = None;
            row::save(ground.conn, &alert)?;
            Ok(Vec::new())
        }
    }
}

/// The next level: whom the routes name and that level's people are told. The last level is repeated for critical and high, with a limit.
pub(crate) fn escalate(
    ground: &Ground<'_>,
    mut alert: Alert,
    by: &str,
    reason: &str,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let before = alert.state;
    let last = policy.plan.n_steps().max(1);
    if alert.level < last {
        alert.level += 1;
    } else {
        alert.repeats += 1;
    }
    alert.state = State::Escalated;
    alert.silence = None;
    alert.inhibited_by = None;
    let goes_on = alert.level < last || (alert.is_urgent() && alert.repeats < policy.repeats_max);
    alert.timer_at = policy.escalate_after(alert.severity, now).filter(|_| goes_on);
    let escalated = Record { what: Step::Escalated, before: Some(before), by, reason: Some(reason) };
    let done = record(conn, &mut alert, &escalated, now)?;
    tell::tell_more(conn, policy, &alert, now)?;
    Ok(vec![done])
}

/// It waits for somebody again, from the beginning.
fn again(
    ground: &Ground<'_>,
    mut alert: Alert,
    what: Step,
    by: &str,
    reason: &str,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let before = alert.state;
    alert.state = State::Open;
    alert.silence = None;
    alert.owner = None;
    alert.level = 0;
    alert.repeats = 0;
    alert.respond_by = policy.respond_by(alert.severity, None, now);
    alert.timer_at = alert.respond_by;
    let opened = Record { what, before: Some(before), by, reason: Some(reason) };
    let mut done = vec![record(conn, &mut alert, &opened, now)?];
    if let Some(covered) = silence::cover(ground, &mut alert)? {
        done.push(covered);
    } else if let Some(covered) = inhibit::cover(ground, &mut alert)? {
        done.push(covered);
    } else {
        tell::tell(conn, policy, &alert, Purpose::Reminded, now)?;
    }
    Ok(done)
}

/// The silence is over.
pub(crate) fn unsilence(ground: &Ground<'_>, alert: Alert, by: &str) -> rusqlite::Result<Vec<Transition>> {
    again(ground, alert, Step::Unsilenced, by, "the silence ended")
}

/// Messages that were given up: their alerts are escalated when they still wait, and the trail says so in any case.
fn undelivered(ground: &Ground<'_>) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let mut done = Vec::new();
    // Several messages about one alert may have failed: it is escalated once.
    let mut escalated: Vec<String> = Vec::new();
    for dead in outbox::dead(conn, STEPS_MAX)? {
        outbox::known(conn, dead.key)?;
        let Some(mut alert) = row::by_id(conn, &dead.tenant, &dead.reference)? else { continue };
        let reason = format!("{} to receiver `{}` was not delivered", dead.channel.name(), dead.receiver);
        let failed =
            Record { what: Step::Undelivered, before: Some(alert.state), by: BY, reason: Some(&reason) };
        done.push(record(conn, &mut alert, &failed, now)?);
        if dead.purpose.is_correction() {
            // Somebody may act on what is not true: the escalation's people are told, once.
            if !escalated.contains(&alert.id) {
                escalated.push(alert.id.clone());
                alert.level += 1;
                if alert.level <= policy.plan.n_steps() {
                    row::save(conn, &alert)?;
                    tell::tell_step(conn, policy, &alert, dead.purpose, now)?;
                }
            }
            continue;
        }
        let waits = alert.state.is_waiting() && alert.inhibited_by.is_none();
        // At the last level the timer goes on: a gateway that is down must not make a loop.
        let has_more = alert.level < policy.plan.n_steps().max(1);
        if waits && has_more && alert.severity > Severity::Info && !escalated.contains(&alert.id) {
            escalated.push(alert.id.clone());
            done.extend(escalate(ground, alert, BY, &reason)?);
        }
    }
    Ok(done)
}
