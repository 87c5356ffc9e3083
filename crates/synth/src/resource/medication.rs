//! MedicationRequest: long-term drugs for chronic diseases, short courses for complaints.

use fhir::Value;

use super::condition::{references, status_word};
use crate::day::Moment;
use crate::make::{Code, concept, object, one, reference, word};
use crate::record::Record;

/// Adds a prescription of a visit for a condition.
pub(crate) fn add(
    record: &mut Record<'_>,
    drug: Code,
    condition: &str,
    (encounter, at): (&str, Moment),
    is_over: bool,
) {
    let id = record.next_id();
    let per_day = record.draw.between(1, 2);
    let text = if per_day == 1 { "Once daily" } else { "Twice daily" };
    let timing = object([(
        "repeat",
        object([("frequency", per_day.into()), ("period", 1.into()), ("periodUnit", word("d"))]),
    )]);
    let members = [
        ("status", status_word(is_over)),
        ("intent", word("order")),
        ("medicationCodeableConcept", concept(&[drug], drug.display)),
        ("subject", record.subject()),
        ("encounter", reference("Encounter", encounter)),
        ("authoredOn", at.plus(10).text().into()),
        ("requester", record.own_practitioner()),
        ("reasonReference", references(condition)),
        ("dosageInstruction", one(object([("text", word(text)), ("timing", timing)]))),
        ("dispenseRequest", refills(record, is_over)),
    ];
    record.add("MedicationRequest", id, members);
}

fn refills(record: &mut Record<'_>, is_over: bool) -> Value {
    if is_over {
        return Value::Null;
    }
    object([("numberOfRepeatsAllowed", record.draw.between(1, 5).into())])
}
