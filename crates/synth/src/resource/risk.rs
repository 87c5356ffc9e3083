//! RiskAssessment by the rule `chronic-burden` version 1, and the glycaemic goal of people with diabetes.

use compact_str::CompactString;
use fhir::Value;

use super::condition::references;
use crate::day::Moment;
use crate::disease::Chronic;
use crate::make::{code, decimal, loinc, object, one, quantity, reference, word};
use crate::record::Record;

/// The rule adds up over chronic conditions: 2 % at the start, 1 % per ten years of age over 40, 3 % per condition, at most 90 %.
/// Low is below 8 %, moderate below 16 %, high from there.
pub(crate) fn add(record: &mut Record<'_>, conditions: &[CompactString], (encounter, at): (&str, Moment)) {
    if conditions.is_empty() || record.person.age < 40 || !record.draw.chance(0.7) {
        return;
    }
    let decades = f64::from((record.person.age - 40).max(0) / 10);
    let risk = (0.02 + 0.01 * decades + 0.03 * conditions.len() as f64).min(0.9);
    let (level, display) = match risk {
        ..0.08 => ("low", "Low likelihood"),
        ..0.16 => ("moderate", "Moderate likelihood"),
        _ => ("high", "High likelihood"),
    };
    let level = code("http://terminology.hl7.org/CodeSystem/risk-probability", level, display);
    let basis: Vec<Value> = conditions.iter().map(|id| reference("Condition", id)).collect();
    let prediction = object([
        ("outcome", object([("text", word("Hospital admission within 12 months"))])),
        ("probabilityDecimal", decimal(risk, 2)),
        ("qualitativeRisk", level.concept()),
    ]);
    let id = record.next_id();
    let method = object([
        ("system", word("urn:salus:rule")),
        ("version", word("1")),
        ("code", word("chronic-burden")),
        ("display", word("Burden of chronic conditions")),
    ]);
    let members = [
        ("status", word("final")),
        ("method", object([("coding", one(method))])),
        ("subject", record.subject()),
        ("encounter", reference("Encounter", encounter)),
        ("occurrenceDateTime", at.plus(25).text().into()),
        ("performer", record.own_practitioner()),
        ("basis", basis.into()),
        ("prediction", one(prediction)),
    ];
    record.add("RiskAssessment", id, members);
}

/// The goal of an HbA1c below 8 %.
pub(crate) fn add_goal(record: &mut Record<'_>, diabetes: &str, at: Moment) {
    let person = record.person;
    if !person.has(Chronic::Diabetes) || !record.draw.chance(0.5) {
        return;
    }
    let id = record.next_id();
    let measure = loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood");
    let limit = object([("high", quantity(8.0, 1, "%", "%"))]);
    let members = [
        ("lifecycleStatus", word("active")),
        ("description", object([("text", word("HbA1c below 8 %"))])),
        ("subject", record.subject()),
        ("startDate", at.day().text().into()),
        ("target", one(object([("measure", measure.concept()), ("detailRange", limit)]))),
        ("addresses", references(diabetes)),
    ];
    record.add("Goal", id, members);
}
