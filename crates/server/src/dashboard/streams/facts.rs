//! Alerts as pages show them: pure projections.

use fhir::Instant;
use gate::Permit;
use serde_json::Value;
use stream::alert::{Alert, Part, Policy, State, Transition, Whole};
use ui::alerts::{Delivery, Person, Said, Seen, Step};

/// The id of a Patient in a canonical subject.
pub(crate) fn person_id(subject: &str) -> Option<&str> {
    subject.strip_prefix("Patient/")
}

/// An alert of a row.
pub(crate) fn alert_of(
    alert: &Alert,
    person: Person,
    policy: &Policy,
    permit: &Permit,
    n_rules: u64,
) -> ui::alerts::Alert {
    let quiet = match (&alert.silence, &alert.inhibited_by) {
        _ if alert.is_urgent() => None,
        (Some(_), _) => Some("silenced".to_owned()),
        (None, Some(_)) => Some("another alert covers it".to_owned()),
        (None, None) => None,
    };
    ui::alerts::Alert {
        id: alert.id.clone(),
        rule: alert.rule.clone(),
        version: alert.version.clone(),
        severity: alert.severity.name().to_owned(),
        state: alert.state.name().to_owned(),
        message: alert.message.clone(),
        person,
        unit: alert.about.unit.clone(),
        at: alert.at,
        raised_at: alert.raised_at,
        respond_by: alert.respond_by,
        snoozed_until: alert.timer_at.filter(|_| alert.state == State::Snoozed),
        owner: alert.owner.as_ref().map(|owner| who(owner, permit)),
        n_grouped: n_rules,
        snooze_max_mins: policy.snooze_max_mins(alert.severity),
        seq: alert.seq,
        measure: alert.seen.get(0).and_then(|seen| text(seen, "name")),
        quiet,
    }
}

/// The caller reads "you"; of others, what the ledger calls them.
fn who(principal: &str, permit: &Permit) -> String {
    if principal == permit.principal() { "you".to_owned() } else { principal.to_owned() }
}

/// An alert in full.
pub(super) fn whole_of(
    whole: &Whole,
    person: Person,
    policy: &Policy,
    permit: &Permit,
) -> ui::alerts::AlertFacts {
    ui::alerts::AlertFacts {
        alert: alert_of(&whole.alert, person, policy, permit, whole.parts.len() as u64),
        seen: seen_of(&whole.alert.seen),
        trail: whole.history.iter().map(|step| step_of(step, permit)).collect(),
        deliveries: whole.deliveries.iter().map(delivery_of).collect(),
        said: whole.parts.iter().map(said_of).collect(),
    }
}

fn text(of: &Value, name: &str) -> Option<String> {
    of.get(name).and_then(Value::as_str).map(String::from)
}

fn instant(of: &Value) -> Option<Instant> {
    of.as_i64().map(Instant).or_else(|| Instant::parse(of.as_str()?))
}

fn seen_of(seen: &Value) -> Vec<Seen> {
    let one = |value: &Value| {
        Some(Seen {
            name: text(value, "name")?,
            value: text(value, "value")?,
            unit: text(value, "unit"),
            at: value.get("at").and_then(instant)?,
            event: text(value, "event")?,
            source: text(value, "source").unwrap_or_default(),
            position: None,
        })
    };
    seen.as_array().into_iter().flatten().filter_map(one).collect()
}

fn step_of(step: &Transition, permit: &Permit) -> Step {
    Step {
        at: step.at,
        what: step.what.name().to_owned(),
        state: step.after.name().to_owned(),
        by: who(&step.by, permit),
        reason: step.reason.clone(),
    }
}

fn said_of(part: &Part) -> Said {
    Said {
        rule: part.rule.clone(),
        version: part.version.clone(),
        severity: part.severity.name().to_owned(),
        state: part.state.clone(),
        message: part.message.clone(),
        at: part.at,
    }
}

fn delivery_of(delivery: &notify::outbox::Delivery) -> Delivery {
    let last = delivery.attempts.last();
    Delivery {
        channel: delivery.channel.clone(),
        to: delivery.receiver.clone(),
        status: match delivery.state.as_str() {
            "dead" => "failed".to_owned(),
            "pending" => "waiting".to_owned(),
            state => state.to_owned(),
        },
        attempts: delivery.attempts.len() as u64,
        at: last.map(|attempt| attempt.ended_at.unwrap_or(attempt.begun_at)),
        error: last
            .filter(|attempt| attempt.outcome.as_deref() != Some("delivered"))
            .and_then(|attempt| attempt.detail.clone()),
    }
}
