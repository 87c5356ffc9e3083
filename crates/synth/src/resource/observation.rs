//! What all observations have in common.

use compact_str::CompactString;
use fhir::Value;

use crate::day::Moment;
use crate::make::{Code, OBSERVATION_CATEGORY, code, one, reference};
use crate::record::Record;

pub(crate) const VITAL_SIGNS: Code = code(OBSERVATION_CATEGORY, "vital-signs", "Vital Signs");
pub(crate) const LABORATORY: Code = code(OBSERVATION_CATEGORY, "laboratory", "Laboratory");
pub(crate) const SURVEY: Code = code(OBSERVATION_CATEGORY, "survey", "Survey");
pub(crate) const SOCIAL_HISTORY: Code = code(OBSERVATION_CATEGORY, "social-history", "Social History");

/// Where and when something was observed.
pub(crate) struct Context<'a> {
    pub(crate) encounter: &'a str,
    pub(crate) at: Moment,
}

/// What was observed.
pub(crate) struct Seen {
    pub(crate) category: Value,
    pub(crate) code: Code,
    pub(crate) performer: Value,
    pub(crate) value: (&'static str, Value),
    pub(crate) interpretation: Value,
    pub(crate) range: Value,
}

impl Seen {
    /// An observation of one category and a value, without range.
    pub(crate) fn new(category: Code, code: Code, key: &'static str, value: Value) -> Seen {
        let category = one(category.concept());
        Seen {
            category,
            code,
            performer: Value::Null,
            value: (key, value),
            interpretation: Value::Null,
            range: Value::Null,
        }
    }
}

/// Adds a final Observation and gives its id.
pub(crate) fn add(record: &mut Record<'_>, context: &Context<'_>, seen: Seen) -> CompactString {
    let id = record.next_id();
    let members = [
        ("status", crate::make::word("final")),
        ("category", seen.category),
        ("code", seen.code.concept()),
        ("subject", record.subject()),
        ("encounter", reference("Encounter", context.encounter)),
        ("effectiveDateTime", context.at.text().into()),
        ("performer", seen.performer),
        seen.value,
        ("interpretation", seen.interpretation),
        ("referenceRange", seen.range),
    ];
    record.add("Observation", id.clone(), members);
    id
}

/// `H`, `L` or `N` against a range whose ends may be open.
pub(crate) fn interpretation(value: f64, low: Option<f64>, high: Option<f64>) -> Value {
    const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    let (letter, display) = match (low, high) {
        (Some(low), _) if value < low => ("L", "Low"),
        (_, Some(high)) if value > high => ("H", "High"),
        _ => ("N", "Normal"),
    };
    one(code(SYSTEM, letter, display).concept())
}
