//! Consent to sharing: permit for many, deny for a few, nothing on file for the rest.

use crate::day::Moment;
use crate::make::{ACT_CODE, code, loinc, object, one, period, word};
use crate::record::Record;

/// Adds a Consent given at a visit, or none.
pub(crate) fn add(record: &mut Record<'_>, at: Moment) {
    let decision = match record.draw.unit() {
        ..0.30 => "permit",
        ..0.36 => "deny",
        _ => return,
    };
    let id = record.next_id();
    let scope =
        code("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy", "Privacy Consent");
    let policy = code(ACT_CODE, "OPTIN", "opt-in");
    let members = [
        ("status", word("active")),
        ("scope", scope.concept()),
        ("category", one(loinc("59284-0", "Patient Consent").concept())),
        ("patient", record.subject()),
        ("dateTime", at.text().into()),
        ("organization", one(record.organization("clinic"))),
        ("policyRule", policy.concept()),
        ("provision", object([("type", word(decision)), ("period", period(at.day().text(), None))])),
    ];
    record.add("Consent", id, members);
}
