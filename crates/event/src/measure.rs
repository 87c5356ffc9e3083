//! The measures that are known by a short name: LOINC codes, names that senders use, canonical units, limits of what can be true.

use std::collections::HashMap;
use std::sync::LazyLock;

use clinical::Number;

mod table;

use table::TABLE;

/// What kind of value a measure has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number.
    Number,
    /// Consciousness: `A`, `C`, `V`, `P`, `U`.
    Consciousness,
    /// Breathing: `air`, `oxygen`.
    Breathing,
}

/// A measure with a short name.
#[derive(Debug)]
pub struct Measure {
    /// Its short name.
    pub name: &'static str,
    /// LOINC codes, the one that is written first.
    pub loincs: &'static [&'static str],
    /// Other names that senders use, in lower case.
    pub aliases: &'static [&'static str],
    /// UCUM code of the canonical unit; empty for texts.
    pub unit: &'static str,
    /// Is the unit so usual that it need not be said.
    pub is_conventional: bool,
    /// The lowest value that is taken. What is impossible in a living person but can be shown by a device (a heart rate of 0) is within.
    pub low: i32,
    /// The highest value that is taken.
    pub high: i32,
    /// Is it a vital sign, rather than a result of a laboratory.
    pub is_vital: bool,
    /// What its values are.
    pub form: Form,
}

/// A name with which the unit comes: `temp_f`.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) measure: &'static Measure,
    pub(crate) unit: Option<&'static str>,
}

/// Names that say the unit.
const WITH_UNIT: [(&str, &str, &str); 12] = [
    ("temp_c", "temperature", "Cel"),
    ("temp_f", "temperature", "[degF]"),
    ("temperature_c", "temperature", "Cel"),
    ("temperature_f", "temperature", "[degF]"),
    ("temperature_celsius", "temperature", "Cel"),
    ("temperature_fahrenheit", "temperature", "[degF]"),
    ("glucose_mg_dl", "glucose", "mg/dL"),
    ("glucose_mmol_l", "glucose", "mmol/L"),
    ("creatinine_mg_dl", "creatinine", "mg/dL"),
    ("creatinine_umol_l", "creatinine", "umol/L"),
    ("haemoglobin_g_dl", "haemoglobin", "g/dL"),
    ("hemoglobin_g_dl", "haemoglobin", "g/dL"),
];

static BY_NAME: LazyLock<HashMap<&'static str, Named>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for measure in &TABLE {
        for name in std::iter::once(&measure.name).chain(measure.aliases) {
            names.insert(*name, Named { measure, unit: None });
        }
    }
    for (name, measure, unit) in WITH_UNIT {
        let measure = TABLE.iter().find(|known| known.name == measure).expect("the name is of the table");
        names.insert(name, Named { measure, unit: Some(unit) });
    }
    names
});

static BY_LOINC: LazyLock<HashMap<&'static str, &'static Measure>> = LazyLock::new(|| {
    TABLE.iter().flat_map(|measure| measure.loincs.iter().map(move |code| (*code, measure))).collect()
});

/// All measures.
pub fn measures() -> &'static [Measure] {
    &TABLE
}

/// The measure of a LOINC code.
pub fn measure_of_loinc(code: &str) -> Option<&'static Measure> {
    BY_LOINC.get(code).copied()
}

/// The measure of a short name or one that senders use; upper and lower case are the same.
pub fn measure_named(name: &str) -> Option<&'static Measure> {
    named(name).map(|named| named.measure)
}

pub(crate) fn named(name: &str) -> Option<&'static Named> {
    if let Some(found) = BY_NAME.get(name) {
        return Some(found);
    }
    BY_NAME.get(name.to_ascii_lowercase().replace([' ', '-'], "_").as_str())
}

impl Measure {
    /// Can a value be taken: also one that no living person has, but none that no device shows.
    pub fn is_sane(&self, value: Number) -> bool {
        Number::from(self.low) <= value && value <= Number::from(self.high)
    }

    /// The LOINC code that is written.
    pub fn loinc(&self) -> Option<&'static str> {
        self.loincs.first().copied()
    }
}

/// The letter of a level of consciousness: `Alert`, `V`, `new confusion`.
pub(crate) fn consciousness(text: &str) -> Option<&'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "a" | "alert" | "awake" => Some("A"),
        "c" | "confused" | "confusion" | "new confusion" | "acute confusion" => Some("C"),
        "v" | "voice" | "verbal" | "responds to voice" => Some("V"),
        "p" | "pain" | "responds to pain" => Some("P"),
        "u" | "unresponsive" | "unconscious" => Some("U"),
        _ => None,
    }
}

/// `air` or `oxygen`.
pub(crate) fn breathing(text: &str) -> Option<&'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "air" | "room air" | "ra" | "false" | "no" | "0" => Some("air"),
        "oxygen" | "o2" | "supplemental oxygen" | "true" | "yes" | "1" => Some("oxygen"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clinical::code::check_loinc;
    use clinical::units::{analyte_of, convert, parse_unit};

    use super::*;

    #[test]
    fn names_and_codes_are_of_one_measure_and_units_convert() {
        let (mut names, mut codes) = (Vec::new(), Vec::new());
        for measure in measures() {
            names.push(measure.name);
            names.extend(measure.aliases);
            codes.extend(measure.loincs);
            for code in measure.loincs {
                assert!(check_loinc(code).is_ok(), "{code}");
            }
            if measure.unit.is_empty() {
                assert_ne!(measure.form, Form::Number);
                continue;
            }
            let unit = parse_unit(measure.unit).unwrap_or_else(|| panic!("{} is a unit", measure.unit));
            assert_eq!(unit.ucum(), measure.unit);
            for code in measure.loincs.iter().filter(|code| analyte_of(code).is_some()) {
                assert!(convert(code, Number::from(1), unit, unit).is_ok(), "{code} has {}", measure.unit);
            }
            assert!(measure.low < measure.high && measure.is_sane(Number::from(measure.high)));
        }
        for list in [&mut names, &mut codes] {
            let n = list.len();
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), n, "each is there once");
        }
        assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
    }

    #[test]
    fn names_that_senders_use() {
        let check = |name: &str, expected: &str| {
            assert_eq!(measure_named(name).map(|measure| measure.name), Some(expected), "{name}");
        };
        check("heart_rate", "heart_rate");
        check("HR", "heart_rate");
        check("bp_systolic", "systolic");
        check("SpO2", "spo2");
        check("K", "potassium");
        check("GLU", "glucose");
        check("HGB", "haemoglobin");
        check("Oxygen Saturation", "spo2");
        check("temp_f", "temperature");
        assert!(measure_named("mood").is_none());
        assert_eq!(measure_of_loinc("2823-3").map(|measure| measure.name), Some("potassium"));
    }
}
