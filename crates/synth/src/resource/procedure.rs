//! Procedure: colonoscopy, knee replacement, spirometry, chest X-ray.

use fhir::Value;

use super::encounter::KNEE_REPLACEMENT;
use crate::course::{Reason, Setting, Visit};
use crate::day::Moment;
use crate::disease::Chronic;
use crate::make::{Code, object, one, period, reference, snomed, word};
use crate::person::LANGUAGES;
use crate::planted;
use crate::record::Record;

const COLONOSCOPY: Code = snomed("73761001", "Colonoscopy (procedure)");
const SPIROMETRY: Code = snomed("127783003", "Spirometry (procedure)");
const CHEST_X_RAY: Code = snomed("399208008", "Plain X-ray of chest (procedure)");

/// A colonoscopy in the last ten years, for those of 50 to 75; it may lie before the visits of the record.
pub(crate) fn add_colonoscopy(record: &mut Record<'_>) {
    let person = record.person;
    let english = LANGUAGES[person.language].0 == "en";
    let done = record.draw.chance(planted::COLONOSCOPY.rate(!english));
    let day = record.end.plus(-record.draw.between(10, 3_600));
    let minute = record.draw.between(8 * 60, 15 * 60);
    if done && (50..=75).contains(&person.age) && day < person.last_day(record.end) {
        let at = day.at(minute, person.county.offset_hours);
        add(record, COLONOSCOPY, (at, 35), None);
    }
}

/// What is done at a visit.
pub(crate) fn add_all(record: &mut Record<'_>, visit: &Visit, encounter: &str) {
    let person = record.person;
    let lungs = person.has(Chronic::Copd) || person.has(Chronic::Asthma);
    if lungs && visit.setting == Setting::Wellness && record.draw.chance(0.5) {
        add(record, SPIROMETRY, (visit.start.plus(10), 10), Some(encounter));
    }
    if visit.setting != Setting::Inpatient {
        return;
    }
    match visit.reason {
        Reason::KneeReplacement => add(record, KNEE_REPLACEMENT, (visit.start.plus(60), 95), Some(encounter)),
        _ if record.draw.chance(0.5) => add(record, CHEST_X_RAY, (visit.start.plus(40), 10), Some(encounter)),
        _ => (),
    }
}

fn add(record: &mut Record<'_>, procedure: Code, (at, minutes): (Moment, i32), encounter: Option<&str>) {
    let id = record.next_id();
    let performer = record.practitioner(5 + record.person.number % 2);
    let members = [
        ("status", word("completed")),
        ("code", procedure.concept()),
        ("subject", record.subject()),
        ("encounter", encounter.map_or(Value::Null, |id| reference("Encounter", id))),
        ("performedPeriod", period(at.text(), Some(at.plus(minutes).text()))),
        ("performer", one(object([("actor", performer)]))),
    ];
    record.add("Procedure", id, members);
}
