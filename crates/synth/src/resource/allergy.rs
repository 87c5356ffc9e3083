//! AllergyIntolerance: what a seventh of the people do not tolerate.

use crate::day::Moment;
use crate::make::{Code, code, one, snomed, word};
use crate::record::Record;

const ALLERGIES: [(&str, Code); 4] = [
    ("medication", snomed("91936005", "Allergy to penicillin (finding)")),
    ("food", snomed("91935009", "Allergy to peanut (finding)")),
    ("environment", snomed("232350006", "House dust mite allergy (finding)")),
    ("food", snomed("300913006", "Allergy to shellfish (finding)")),
];

/// Adds an allergy recorded at a visit, or none.
pub(crate) fn add(record: &mut Record<'_>, at: Moment) {
    if !record.draw.chance(0.14) {
        return;
    }
    let (category, allergy) = *record.draw.pick(&ALLERGIES);
    let severe = record.draw.chance(0.2);
    let id = record.next_id();
    let clinical =
        code("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active", "Active");
    let verified = code(
        "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
        "confirmed",
        "Confirmed",
    );
    let members = [
        ("clinicalStatus", clinical.concept()),
        ("verificationStatus", verified.concept()),
        ("type", word("allergy")),
        ("category", one(word(category))),
        ("criticality", word(if severe { "high" } else { "low" })),
        ("code", allergy.concept()),
        ("patient", record.subject()),
        ("recordedDate", at.text().into()),
    ];
    record.add("AllergyIntolerance", id, members);
}
