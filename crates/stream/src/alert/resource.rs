//! An alert as FHIR: `Flag`, or `DetectedIssue` for what is about orders. A projection for whoever asks, and what is written to the store when
//! `alerts.fhir` says so.

use fhir::Instant;
use rules::Severity;
use serde_json::{Value, json};

use super::model::{Alert, State};
use crate::process::provenance::labels_of;

/// The types that alerts are written as.
pub(crate) const FLAG: &str = "Flag";
/// Of alerts about orders.
pub(crate) const DETECTED_ISSUE: &str = "DetectedIssue";
const RULE: &str = "urn:salus:rule";
const ALERT: &str = "urn:salus:alert";
const SEVERITY: &str = "urn:salus:severity";

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
        "category": [
            {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/flag-category",
                "code": if alert.is_population() { "admin" } else { "clinical" },
            }]},
            {"coding": [{"system": SEVERITY, "code": alert.severity.name()}]},
        ],
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
    if let Some(order) = order_of(alert) {
        issue["implicated"] = json!([order]);
    }
    if alert.is_overridden || alert.acknowledged_at.is_some() {
        let at = alert.acknowledged_at.or(alert.ended_at).map(Instant::to_rfc3339_millis);
        let action = if alert.is_overridden { "overridden" } else { "acknowledged" };
        issue["mitigation"] = json!([{"action": {"text": action}}]);
        if let Some(at) = at {
            issue["mitigation"][0]["date"] = json!(at);
        }
    }
    issue
}

/// The order that an alert is about, when it came from the store: `MedicationRequest/ID/VERSION` is its event.
fn order_of(alert: &Alert) -> Option<Value> {
    let id = alert.opening.strip_prefix("MedicationRequest/")?.split('/').next()?;
    fhir::is_id(id).then(|| json!({"reference": format!("MedicationRequest/{id}")}))
}

/// The alert as it is written to the store. Tags would only become more there, so that its state is in the elements; labels are those of its events.
pub(crate) fn stored_of(alert: &Alert, kind: &str) -> Value {
    let mut resource = if kind == DETECTED_ISSUE { detected_issue_of(alert) } else { flag_of(alert) };
    let mut meta = json!({"source": format!("{ALERT}:{}", alert.id)});
    let labels = labels_of(&alert.about.privacy);
    if !labels.is_empty() {
        let labels =
            labels.iter().map(|label| json!({"system": label.text("system"), "code": label.text("code")}));
        meta["security"] = labels.collect();
    }
    resource["meta"] = meta;
    resource
}

fn tags(alert: &Alert) -> Value {
    json!([
        {"system": SEVERITY, "code": alert.severity.name()},
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
