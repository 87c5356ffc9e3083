//! Encounter: clinic and emergency visits, and stays with their discharge.

use compact_str::CompactString;
use fhir::Value;

use crate::course::{Disposition, Reason, Setting, Visit};
use crate::make::{ACT_CODE, Code, code, concept, object, one, period, reference, snomed, word};
use crate::record::Record;

const NUBC: &str = "http://www.nubc.org/patient-discharge";
const DISPOSITION: &str = "http://terminology.hl7.org/CodeSystem/discharge-disposition";
pub(crate) const KNEE_REPLACEMENT: Code = snomed("609588000", "Total replacement of knee joint (procedure)");

/// Adds the Encounter of a visit, with the conditions it was about.
pub(crate) fn add(record: &mut Record<'_>, id: CompactString, visit: &Visit, conditions: &[CompactString]) {
    let (class, kind) = class_and_type(visit.setting);
    let hospital = matches!(visit.setting, Setting::Emergency | Setting::Inpatient);
    let practitioner =
        if hospital { record.practitioner(5 + record.person.number % 2) } else { record.own_practitioner() };
    let location = match visit.setting {
        Setting::Inpatient => "ward",
        Setting::Emergency => "emergency",
        _ => "clinic",
    };
    let place = reference("Location", &format!("loc-{}-{location}", record.person.county.fips));
    let planned = matches!(visit.reason, Reason::KneeReplacement);
    let members = [
        ("status", word("finished")),
        ("class", class.coding()),
        ("type", one(kind.concept())),
        ("priority", priority(visit, planned)),
        ("subject", record.subject()),
        ("participant", one(object([("individual", practitioner)]))),
        ("period", period(visit.start.text(), Some(visit.end.text()))),
        ("reasonCode", reason(visit)),
        ("diagnosis", diagnoses(conditions)),
        ("hospitalization", hospitalization(visit)),
        ("location", one(object([("location", place)]))),
        ("serviceProvider", record.organization(if hospital { "hospital" } else { "clinic" })),
    ];
    record.add("Encounter", id, members);
}

fn class_and_type(setting: Setting) -> (Code, Code) {
    let ambulatory = code(ACT_CODE, "AMB", "ambulatory");
    match setting {
        Setting::Wellness => (ambulatory, snomed("185349003", "Encounter for check up (procedure)")),
        Setting::Clinic => (ambulatory, snomed("185347001", "Encounter for problem (procedure)")),
        Setting::Emergency => {
            (code(ACT_CODE, "EMER", "emergency"), snomed("50849002", "Emergency room admission (procedure)"))
        }
        Setting::Inpatient => (
            code(ACT_CODE, "IMP", "inpatient encounter"),
            snomed("32485007", "Hospital admission (procedure)"),
        ),
    }
}

fn priority(visit: &Visit, planned: bool) -> Value {
    const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActPriority";
    match visit.setting {
        Setting::Inpatient if planned => code(SYSTEM, "EL", "elective").concept(),
        Setting::Inpatient | Setting::Emergency => code(SYSTEM, "EM", "emergency").concept(),
        _ => Value::Null,
    }
}

fn reason(visit: &Visit) -> Value {
    match visit.reason {
        Reason::CheckUp => Value::Null,
        Reason::Complaint(complaint) => one(concept(&[complaint.snomed, complaint.icd10], complaint.text)),
        Reason::Chronic(chronic) => {
            let disease = chronic.disease();
            one(concept(&[disease.snomed, disease.icd10], disease.text))
        }
        Reason::KneeReplacement => one(KNEE_REPLACEMENT.concept()),
    }
}

fn diagnoses(conditions: &[CompactString]) -> Value {
    if conditions.is_empty() {
        return Value::Null;
    }
    let link = |id: &CompactString| object([("condition", reference("Condition", id))]);
    conditions.iter().map(link).collect::<Vec<_>>().into()
}

fn hospitalization(visit: &Visit) -> Value {
    if visit.setting != Setting::Inpatient {
        return Value::Null;
    }
    let (plain, nubc) = match visit.disposition {
        Disposition::Home => (("home", "Home"), ("01", "Discharged to Home or Self Care")),
        Disposition::Nursing => {
            (("snf", "Skilled nursing facility"), ("03", "Discharged to Skilled Nursing Facility"))
        }
        Disposition::HomeHealth => (("home", "Home"), ("06", "Discharged to Home Health Service")),
        Disposition::AgainstAdvice => {
            (("aadvice", "Left against advice"), ("07", "Left Against Medical Advice"))
        }
        Disposition::Died => (("exp", "Expired"), ("20", "Expired")),
    };
    let disposition = concept(&[code(DISPOSITION, plain.0, plain.1), code(NUBC, nubc.0, nubc.1)], "");
    let source = code(
        "http://terminology.hl7.org/CodeSystem/admit-source",
        "emd",
        "From accident/emergency department",
    );
    let unplanned = !matches!(visit.reason, Reason::KneeReplacement);
    let again = code("http://terminology.hl7.org/CodeSystem/v2-0092", "R", "Re-admission");
    object([
        ("admitSource", if unplanned { source.concept() } else { Value::Null }),
        ("reAdmission", if visit.is_readmission { again.concept() } else { Value::Null }),
        ("dischargeDisposition", disposition),
    ])
}
