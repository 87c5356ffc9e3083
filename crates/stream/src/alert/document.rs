//! Alerts as JSON that scripts read: the answers of `/api/v1/alerts` and `salus alerts --json`. Keys are only added.

use fhir::Instant;
use notify::outbox::Delivery;
use serde_json::{Value, json};

use super::burden::Burden;
use super::desk::Whole;
use super::model::{Alert, Part, State, Transition};
use super::query::Page;
use super::silence::Silence;

fn at(instant: Option<Instant>) -> Value {
    instant.map_or(Value::Null, |instant| Value::from(instant.to_rfc3339_millis()))
}

/// One alert.
pub fn alert(alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "rule": alert.rule,
        "version": alert.version,
        "topic": alert.topic,
        "patient": if alert.is_population() { Value::Null } else { json!(alert.subject) },
        "subject": alert.subject,
        "severity": alert.severity.name(),
        "peak": alert.peak.name(),
        "state": alert.state.name(),
        "message": alert.message,
        "seen": alert.seen,
        "at": alert.at.to_rfc3339_millis(),
        "raised_at": alert.raised_at.to_rfc3339_millis(),
        "changed_at": alert.changed_at.to_rfc3339_millis(),
        "ended_at": at(alert.ended_at),
        "respond_by": at(alert.respond_by),
        "acknowledged_at": at(alert.acknowledged_at),
        "owner": alert.owner,
        "overridden": alert.is_overridden,
        "next_at": at(alert.timer_at),
        "level": alert.level,
        "silence": alert.silence,
        "inhibited_by": alert.inhibited_by,
        "opening": alert.opening,
        "event": alert.event,
        "unit": alert.about.unit,
        "encounter": alert.about.encounter,
        "organization": alert.about.organization,
        "region": alert.about.region,
        "population": alert.about.population,
        "privacy": alert.about.privacy,
        "seq": alert.seq,
    })
}

/// A page of a list: `{"alerts", "next"}`.
pub fn page(page: &Page) -> Value {
    json!({"alerts": page.alerts.iter().map(alert).collect::<Vec<_>>(), "next": page.next})
}

/// One step.
pub fn transition(transition: &Transition) -> Value {
    json!({
        "seq": transition.seq,
        "what": transition.what.name(),
        "before": transition.before.map(State::name),
        "after": transition.after.name(),
        "severity": transition.severity.name(),
        "at": transition.at.to_rfc3339_millis(),
        "by": transition.by,
        "reason": transition.reason,
    })
}

fn part(part: &Part) -> Value {
    json!({
        "rule": part.rule,
        "version": part.version,
        "opening": part.opening,
        "severity": part.severity.name(),
        "immediate": part.is_immediate,
        "state": part.state,
        "message": part.message,
        "seen": part.seen,
        "at": part.at.to_rfc3339_millis(),
        "event": part.event,
    })
}

fn delivery(delivery: &Delivery) -> Value {
    let attempts = delivery.attempts.iter().map(|attempt| {
        json!({
            "begun_at": attempt.begun_at.to_rfc3339_millis(),
            "ended_at": at(attempt.ended_at),
            "outcome": attempt.outcome,
            "detail": attempt.detail,
        })
    });
    json!({
        "receiver": delivery.receiver,
        "channel": delivery.channel,
        "address": delivery.address,
        "what": delivery.purpose,
        "state": delivery.state,
        "put_at": delivery.put_at.to_rfc3339_millis(),
        "ended_at": at(delivery.ended_at),
        "idempotency_key": delivery.idempotency,
        "attempts": attempts.collect::<Vec<_>>(),
    })
}

/// An alert with its parts, trail and messages.
pub fn whole(whole: &Whole) -> Value {
    let mut document = alert(&whole.alert);
    document["parts"] = whole.parts.iter().map(part).collect();
    document["history"] = whole.history.iter().map(transition).collect();
    document["deliveries"] = whole.deliveries.iter().map(delivery).collect();
    document
}

/// A silence.
pub fn silence(silence: &Silence) -> Value {
    json!({
        "id": silence.id,
        "subject": silence.subject,
        "topic": silence.topic,
        "rule": silence.rule,
        "unit": silence.unit,
        "begins_at": silence.begins_at.to_rfc3339_millis(),
        "ends_at": silence.ends_at.to_rfc3339_millis(),
        "by": silence.by,
        "reason": silence.reason,
        "lifted_at": at(silence.lifted_at),
    })
}

/// The burden of alarms; what cannot be said is null, never 0.
pub fn burden(burden: &Burden) -> Value {
    json!({
        "alerts": burden.alerts,
        "urgent": burden.urgent,
        "acknowledged": burden.acknowledged,
        "overridden": burden.overridden,
        "retracted": burden.retracted,
        "escalated": burden.escalated,
        "share_acknowledged": burden.share_acknowledged(),
        "share_overridden": burden.share_overridden(),
        "median_acknowledgement_secs": burden.median_secs,
        "bed_days": burden.bed_days,
        "per_bed_day": burden.per_bed_day(),
    })
}
