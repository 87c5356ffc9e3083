//! Which level of risk a rule gave a patient: the qualitative risks of a RiskAssessment, in force from its occurrence (or for the time that the
//! prediction is about, when that is stated).

use fhir::{Resource, Value};

use super::patient_of;
use crate::extract::{covered, period_of};
use crate::query::Relation;
use crate::rows::{IndexRows, RelationRow};

pub(super) fn add(resource: &Resource, bases: &[String], rows: &mut IndexRows) {
    if resource.kind().name() != "RiskAssessment" {
        return;
    }
    let value = resource.value();
    if matches!(value.text("status"), Some("entered-in-error" | "cancelled")) {
        return;
    }
    let subject = value.get("subject").and_then(|subject| subject.text("reference"));
    let Some(patient) = subject.and_then(|text| patient_of(text, bases)) else { return };
    let by_day = value.get("occurrenceDateTime").and_then(covered).map(|day| (day.low, i64::MAX));
    let by_period = value.get("occurrencePeriod").and_then(period_of).map(|period| (period.low, period.high));
    let occurrence = by_day.or(by_period).unwrap_or((i64::MIN, i64::MAX));
    for prediction in value.get("prediction").map(Value::each).unwrap_or_default() {
        let when = prediction.get("whenPeriod").and_then(period_of).map(|period| (period.low, period.high));
        let (low, high) = when.unwrap_or(occurrence);
        let codings = prediction.get("qualitativeRisk").and_then(|risk| risk.get("coding")).map(Value::each);
        for coding in codings.unwrap_or_default() {
            rows.relations.extend(coding.text("code").map(|code| RelationRow {
                relation: Relation::Risk,
                patient: patient.into(),
                system: coding.text("system").map(Into::into),
                code: code.into(),
                low,
                high,
            }));
        }
    }
}
