//! Immunization: influenza by season, and what is due at an age.

use crate::course::{Setting, Visit};
use crate::day::{Day, Moment};
use crate::make::{CVX, Code, code, concept, object, one, reference, word};
use crate::planted;
use crate::record::Record;

const INFLUENZA: Code = code(CVX, "140", "Influenza, seasonal, injectable, preservative free");
/// Ages in years with the vaccine given at the check-ups of that age.
const SCHEDULE: [(i32, i32, Code); 6] = [
    (0, 0, code(CVX, "20", "DTaP")),
    (1, 1, code(CVX, "03", "MMR")),
    (2, 3, code(CVX, "21", "varicella")),
    (4, 6, code(CVX, "10", "IPV")),
    (11, 12, code(CVX, "115", "Tdap")),
    (66, 69, code(CVX, "33", "pneumococcal polysaccharide vaccine, 23 valent")),
];

/// The influenza vaccination of the last season that is over; it is given wherever people are, mostly outside visits.
pub(crate) fn add_influenza(record: &mut Record<'_>) {
    let vaccinated = record.draw.chance(planted::INFLUENZA.rate(!record.person.is_insured()));
    let day = Day::of(record.end.year() - 1, 9, 1).plus(record.draw.between(0, 115));
    let minute = record.draw.between(9 * 60, 17 * 60);
    let within = day < record.person.last_day(record.end) && day > record.person.birth.plus(180);
    if vaccinated && within {
        add(record, INFLUENZA, day.at(minute, record.person.county.offset_hours), None);
    }
}

/// What is due at a check-up.
pub(crate) fn add_due(record: &mut Record<'_>, visit: &Visit, encounter: &str) {
    if visit.setting != Setting::Wellness {
        return;
    }
    let age = record.person.birth.age_on(visit.day());
    for (from, to, vaccine) in SCHEDULE {
        if (from..=to).contains(&age) && record.draw.chance(0.7) {
            add(record, vaccine, visit.start.plus(15), Some(encounter));
        }
    }
}

fn add(record: &mut Record<'_>, vaccine: Code, at: Moment, encounter: Option<&str>) {
    let id = record.next_id();
    let members = [
        ("status", word("completed")),
        ("vaccineCode", concept(&[vaccine], "")),
        ("patient", record.subject()),
        ("encounter", encounter.map_or(fhir::Value::Null, |id| reference("Encounter", id))),
        ("occurrenceDateTime", at.text().into()),
        ("primarySource", true.into()),
        ("performer", one(object([("actor", record.organization("clinic"))]))),
    ];
    record.add("Immunization", id, members);
}
