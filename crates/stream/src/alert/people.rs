//! What people do with an alert: take it, end it, put it off, ask for more help. Refused when its state does not allow it.

use fhir::Instant;
use notify::outbox;
use rusqlite::{Connection, OptionalExtension, params};

use super::apply::Ground;
use super::change::{Record, end, record};
use super::model::{Alert, State, Step, Transition};
use super::policy::{Policy, later};
use super::refusal::Refusal;
use super::{inhibit, row, tell, timer};

const REASON_CHARS_MAX: usize = 1_000;

/// What a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes it.
    Acknowledge {
        /// A note for others.
        note: Option<String>,
    },
    /// Ends it. While its condition holds, a reason is needed.
    Resolve {
        /// What was done.
        reason: Option<String>,
    },
    /// Ends it as not useful; counts as overridden.
    Override {
        /// Why.
        reason: String,
    },
    /// Puts it off.
    Snooze {
        /// How long; the policy has a maximum per severity.
        mins: u32,
        /// Why.
        reason: String,
    },
    /// Asks for more help, now.
    Escalate {
        /// Why.
        reason: Option<String>,
    },
}

impl Act {
    fn reason(&self) -> Option<&str> {
        let text = match self {
            Act::Acknowledge { note } => note.as_deref(),
            Act::Resolve { reason } | Act::Escalate { reason } => reason.as_deref(),
            Act::Override { reason } | Act::Snooze { reason, .. } => Some(reason.as_str()),
        };
        text.map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Does what a person wants. `seen` is the last change that they saw (`Alert::seq`): when there was one since, nothing is done. The inner error says
/// why it may not be.
///
/// # Errors
/// The database fails.
pub fn act(
    conn: &Connection,
    policy: &Policy,
    (tenant, id): (&str, &str),
    (by, act): (&str, &Act),
    seen: Option<i64>,
    now: Instant,
) -> rusqlite::Result<Result<Vec<Transition>, Refusal>> {
    let Some(alert) = row::by_id(conn, tenant, id)? else {
        return Ok(Err(Refusal::NoAlert(id.to_owned())));
    };
    if let Some(seen) = seen.filter(|seen| *seen != alert.seq) {
        return Ok(Err(Refusal::Changed { seen, now: alert.seq }));
    }
    if let Some(refusal) = refused(conn, policy, &alert, act)? {
        return Ok(Err(refusal));
    }
    let ground = Ground { conn, policy, now };
    let reason = act.reason();
    Ok(Ok(match act {
        Act::Acknowledge { .. } => acknowledge(&ground, alert, by, reason)?,
        Act::Resolve { .. } => finish(&ground, alert, by, reason, Step::Resolved)?,
        Act::Override { .. } => finish(&ground, alert, by, reason, Step::Overridden)?,
        Act::Snooze { mins, .. } => snooze(&ground, alert, by, reason, *mins)?,
        Act::Escalate { .. } => {
            timer::escalate(&ground, alert, by, reason.unwrap_or("more help was asked for"))?
        }
    }))
}

fn refused(
    conn: &Connection,
    policy: &Policy,
    alert: &Alert,
    act: &Act,
) -> rusqlite::Result<Option<Refusal>> {
    let state = alert.state;
    if !state.is_live() {
        return Ok(Some(Refusal::State { state, why: "it is over" }));
    }
    if act.reason().is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
        return Ok(Some(Refusal::ReasonTooLong { max: REASON_CHARS_MAX }));
    }
    let needs_reason = match act {
        Act::Acknowledge { .. } if state == State::Acknowledged => {
            return Ok(Some(Refusal::State { state, why: "somebody has it already" }));
        }
        Act::Snooze { mins, .. } => {
            let max_mins = policy.snooze_max_mins(alert.severity);
            if *mins == 0 || *mins > max_mins {
                return Ok(Some(Refusal::TooLong { asked_mins: *mins, max_mins }));
            }
            if state == State::Snoozed {
                // Otherwise a snooze could be made longer without end, and nobody would be asked again.
                return Ok(Some(Refusal::State { state, why: "acknowledge it, or wait until it wakes" }));
            }
            true
        }
        Act::Override { .. } => true,
        Act::Resolve { .. } => holds(conn, alert)?,
        Act::Acknowledge { .. } | Act::Escalate { .. } => false,
    };
    Ok((needs_reason && act.reason().is_none()).then_some(Refusal::ReasonMissing))
}

/// Does a rule still say what it said.
fn holds(conn: &Connection, alert: &Alert) -> rusqlite::Result<bool> {
    let found = conn
        .prepare_cached("SELECT 1 FROM alert_part WHERE alert = ?1 AND state = 'active' LIMIT 1")?
        .query_row(params![alert.key], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

fn acknowledge(
    ground: &Ground<'_>,
    mut alert: Alert,
    by: &str,
    reason: Option<&str>,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let before = alert.state;
    alert.state = State::Acknowledged;
    alert.silence = None;
    alert.inhibited_by = None;
    alert.owner = Some(by.to_owned());
    alert.acknowledged_at = alert.acknowledged_at.or(Some(now));
    alert.timer_at = policy.forgotten_after(alert.severity, now);
    let taken = Record { what: Step::Acknowledged, before: Some(before), by, reason };
    let done = record(conn, &mut alert, &taken, now)?;
    outbox::cancel(conn, &alert.tenant, &alert.id, now)?;
    Ok(vec![done])
}

fn snooze(
    ground: &Ground<'_>,
    mut alert: Alert,
    by: &str,
    reason: Option<&str>,
    mins: u32,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, now, .. } = *ground;
    let before = alert.state;
    alert.state = State::Snoozed;
    alert.silence = None;
    alert.inhibited_by = None;
    alert.owner = Some(by.to_owned());
    alert.timer_at = Some(later(now, mins));
    let put_off = Record { what: Step::Snoozed, before: Some(before), by, reason };
    let done = record(conn, &mut alert, &put_off, now)?;
    outbox::cancel(conn, &alert.tenant, &alert.id, now)?;
    Ok(vec![done])
}

fn finish(
    ground: &Ground<'_>,
    mut alert: Alert,
    by: &str,
    reason: Option<&str>,
    what: Step,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let before = alert.state;
    end(&mut alert, State::Resolved, now);
    alert.is_overridden = what == Step::Overridden;
    let ended = Record { what, before: Some(before), by, reason };
    let mut done = vec![record(conn, &mut alert, &ended, now)?];
    tell::over(conn, policy, &alert, now)?;
    done.extend(inhibit::stop(ground, &alert)?);
    Ok(done)
}
