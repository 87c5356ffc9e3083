//! An alert as FHIR: `Flag`, or `DetectedIssue` for what is about orders. A projection: nothing is stored.

use fhir::Instant;
use rules::Severity;
use serde_json::{Value, json};

use super::model::{Alert, State};

const RULE: &str = "urn:salus:rule";
const ALERT: &str = "urn:salus:alert";

/// The alert as a `Flag`: active while it is live, entered in error when it was retracted.
pub fn flag_of(alert: &Alert) -> Value {
    let status = match alert.state {
        State::Resolved => "inactive",
        State::Retracted => "entered-in-error",
        _ => "active",
    };
    let mut flag = json!({
        "resourceType": "Flag",
        "id": alert.id,
        "meta": {"tag": tags(alert)},
        "identifier": [{"system": ALERT, "value": alert.id}],
        "status": status,
        "category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/flag-category",
            "code": if alert.is_population() { "admin" } else { "clinical" },
        }]}],
        "code": code(alert),
        "subject": subject(alert),
        "period": period(alert),
        "author": {"display": "salus"},
    });
    if let Some(encounter) = reference_of(alert.about.encounter.as_deref(), "Encounter") {
        flag["encounter"] = encounter;
    }
    flag
}

/// The alert as a `DetectedIssue`: final once somebody has ended it, entered in error when it was retracted.
pub fn detected_issue_of(alert: &Alert) -> Value {
    let status = match alert.state {
        State::Resolved => "final",
        State::Retracted => "entered-in-error",
        _ => "preliminary",
    };
    let severity = match alert.severity {
        Severity::Critical | Severity::High => "high",
        Severity::Medium => "moderate",
        Severity::Low | Severity::Info => "low",
    };
    let mut issue = json!({
        "resourceType": "DetectedIssue",
        "id": alert.id,
        "meta": {"tag": tags(alert)},
        "identifier": [{"system": ALERT, "value": alert.id}],
        "status": status,
        "code": code(alert),
        "severity": severity,
        "identifiedDateTime": alert.at.to_rfc3339_millis(),
        "author": {"display": "salus"},
        "detail": alert.message,
    });
    if !alert.is_population() {
        issue["patient"] = subject(alert);
    }
    if alert.is_overridden || alert.acknowledged_at.is_some() {
        let at = alert.acknowledged_at.or(alert.ended_at).map(Instant::to_rfc3339_millis);
        let action = if alert.is_overridden { "overridden" } else { "acknowledged" };
        issue["mitigation"] = json!([{"action": {"text": action}, "date": at}]);
    }
    issue
}

fn tags(alert: &Alert) -> Value {
    json!([
        {"system": "urn:salus:severity", "code": alert.severity.name()},
        {"system": "urn:salus:alert-state", "code": alert.state.name()},
    ])
}

fn code(alert: &Alert) -> Value {
    json!({
        "coding": [{"system": RULE, "version": alert.version, "code": alert.rule}],
        "text": alert.message,
    })
}

fn period(alert: &Alert) -> Value {
    let mut period = json!({"start": alert.at.to_rfc3339_millis()});
    // An alert may be about what happened after a clock was set back: a period does not end before it starts.
    if let Some(end) = alert.ended_at {
        period["end"] = json!(end.max(alert.at).to_rfc3339_millis());
    }
    period
}

/// `Patient/ID`, a business identifier, or the population by its name.
fn subject(alert: &Alert) -> Value {
    if alert.is_population() {
        return json!({"type": "Group", "display": alert.subject.trim_start_matches("population:")});
    }
    match alert.subject.split_once('|') {
        Some((system, value)) => {
            json!({"type": "Patient", "identifier": {"system": system, "value": value}})
        }
        None => json!({"reference": alert.subject}),
    }
}

fn reference_of(text: Option<&str>, kind: &str) -> Option<Value> {
    let text = text?;
    match text.split_once('|') {
        Some((system, value)) => {
            Some(json!({"type": kind, "identifier": {"system": system, "value": value}}))
        }
        None if text.contains('/') => Some(json!({"reference": text})),
        None => Some(json!({"type": kind, "identifier": {"value": text}})),
    }
}
