//! Condition: chronic diseases, complaints that pass, and social needs.

use compact_str::CompactString;
use fhir::Value;

use crate::course::Visit;
use crate::day::Day;
use crate::disease::{Chronic, Complaint};
use crate::make::{ACT_CODE, Code, code, concept, object, one, reference, word};
use crate::record::Record;

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
pub(crate) const PROBLEM: Code = code(CATEGORY, "problem-list-item", "Problem List Item");
const DIAGNOSIS: Code = code(CATEGORY, "encounter-diagnosis", "Encounter Diagnosis");

/// What all conditions have.
pub(crate) struct Facts<'a> {
    pub(crate) codes: &'a [Code],
    pub(crate) text: &'static str,
    pub(crate) categories: &'a [Code],
    pub(crate) encounter: Option<&'a str>,
    pub(crate) onset: Day,
    pub(crate) abatement: Option<Day>,
    pub(crate) recorded: Day,
    pub(crate) meta: Value,
}

/// Adds a Condition and gives its id.
pub(crate) fn add(record: &mut Record<'_>, facts: Facts<'_>) -> CompactString {
    let id = record.next_id();
    let (status, display) =
        if facts.abatement.is_some() { ("resolved", "Resolved") } else { ("active", "Active") };
    let clinical = code("http://terminology.hl7.org/CodeSystem/condition-clinical", status, display);
    let verified =
        code("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed", "Confirmed");
    let categories: Vec<Value> = facts.categories.iter().map(|category| category.concept()).collect();
    let members = [
        ("meta", facts.meta),
        ("clinicalStatus", clinical.concept()),
        ("verificationStatus", verified.concept()),
        ("category", categories.into()),
        ("code", concept(facts.codes, facts.text)),
        ("subject", record.subject()),
        ("encounter", facts.encounter.map_or(Value::Null, |encounter| reference("Encounter", encounter))),
        ("onsetDateTime", facts.onset.text().into()),
        ("abatementDateTime", facts.abatement.map_or(Value::Null, |day| day.text().into())),
        ("recordedDate", facts.recorded.text().into()),
    ];
    record.add("Condition", id.clone(), members);
    id
}

/// A chronic disease; it is recorded at the first visit after its onset, when there is one.
pub(crate) fn add_chronic(
    record: &mut Record<'_>,
    (chronic, onset): (Chronic, Day),
    visit: Option<(&str, Day)>,
) -> CompactString {
    let disease = chronic.disease();
    let facts = Facts {
        codes: &[disease.snomed, disease.icd10],
        text: disease.text,
        categories: &[PROBLEM],
        encounter: visit.map(|(encounter, _)| encounter),
        onset,
        abatement: None,
        recorded: visit.map_or(onset, |(_, day)| day),
        meta: sensitivity(chronic),
    };
    add(record, facts)
}

/// A complaint of a visit; it has passed when its days are over before the end or death.
pub(crate) fn add_complaint(
    record: &mut Record<'_>,
    complaint: &Complaint,
    visit: &Visit,
    encounter: &str,
) -> CompactString {
    let over = visit.day().plus(complaint.days);
    let facts = Facts {
        codes: &[complaint.snomed, complaint.icd10],
        text: complaint.text,
        categories: &[DIAGNOSIS],
        encounter: Some(encounter),
        onset: visit.day(),
        abatement: (over < record.person.last_day(record.end)).then_some(over),
        recorded: visit.day(),
        meta: Value::Null,
    };
    add(record, facts)
}

/// Substance use and mental health are labelled as restricted.
fn sensitivity(chronic: Chronic) -> Value {
    let label = match chronic {
        Chronic::OpioidUse => code(ACT_CODE, "SUD", "substance use disorder information sensitivity"),
        Chronic::Depression | Chronic::Anxiety => {
            code(ACT_CODE, "PSY", "psychiatry disorder information sensitivity")
        }
        _ => return Value::Null,
    };
    let restricted = code("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R", "restricted");
    object([("security", vec![restricted.coding(), label.coding()].into())])
}

/// A list of one reference to a condition.
pub(crate) fn references(id: &str) -> Value {
    one(reference("Condition", id))
}

/// The status text of a condition that is over or not, for other resources that follow it.
pub(crate) fn status_word(over: bool) -> Value {
    word(if over { "completed" } else { "active" })
}
