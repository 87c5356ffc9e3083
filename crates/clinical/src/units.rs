//! Conversion of units per analyte, exact and rounded once. There is no generic way from mass to moles: each analyte has its own factor.
//!
//! A result is rounded half up to the places in the table, which are finer than any laboratory reports, so that there and back is the same
//! value; how many are shown is the page's to say. Thresholds are compared with the converted value and print their unit.

mod table;

use std::fmt;

pub use table::{Analyte, analyte_of, analytes};

use crate::{Number, Rounding};

/// A unit of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// `mg/dL`.
    MgPerDl,
    /// `g/dL`.
    GPerDl,
    /// `g/L`.
    GPerL,
    /// `mmol/L`.
    MmolPerL,
    /// `umol/L`.
    UmolPerL,
    /// `meq/L`.
    MeqPerL,
    /// `U/L`.
    UPerL,
    /// `10*9/L`.
    E9PerL,
    /// `10*3/uL`.
    E3PerUl,
    /// `/uL`.
    PerUl,
    /// `{INR}`: a ratio, a number without unit.
    Inr,
    /// `Cel`.
    Celsius,
    /// `[degF]`.
    Fahrenheit,
    /// `K`.
    Kelvin,
    /// `kg`.
    Kg,
    /// `g`.
    G,
    /// `[lb_av]`.
    Pound,
    /// `cm`.
    Cm,
    /// `m`.
    M,
    /// `[in_i]`.
    Inch,
    /// `/min`.
    PerMin,
    /// `%`.
    Percent,
    /// `mm[Hg]`.
    MmHg,
    /// `kPa`.
    KPa,
    /// `L/min`.
    LPerMin,
    /// `{score}`: points.
    Score,
    /// `[pH]`.
    Ph,
    /// `s`.
    Second,
}

/// UCUM codes, each followed by the other spellings that are understood.
const SPELLINGS: [(Unit, &[&str]); 28] = [
    (Unit::MgPerDl, &["mg/dL", "mg/dl", "mg/100mL"]),
    (Unit::GPerDl, &["g/dL", "g/dl"]),
    (Unit::GPerL, &["g/L", "g/l"]),
    (Unit::MmolPerL, &["mmol/L", "mmol/l"]),
    (Unit::UmolPerL, &["umol/L", "umol/l", "\u{b5}mol/L", "\u{b5}mol/l", "\u{3bc}mol/L", "\u{3bc}mol/l"]),
    (Unit::MeqPerL, &["meq/L", "meq/l", "mEq/L"]),
    (Unit::UPerL, &["U/L", "U/l", "[iU]/L", "IU/L"]),
    (Unit::E9PerL, &["10*9/L", "10^9/L", "G/L"]),
    (
        Unit::E3PerUl,
        &["10*3/uL", "10^3/uL", "10*3/\u{b5}L", "10^3/\u{b5}L", "10*3/\u{3bc}L", "10^3/\u{3bc}L", "K/uL"],
    ),
    (Unit::PerUl, &["/uL", "/\u{b5}L", "/\u{3bc}L", "/mm3"]),
    (Unit::Inr, &["{INR}", "1"]),
    (Unit::Celsius, &["Cel", "\u{b0}C", "degC"]),
    (Unit::Fahrenheit, &["[degF]", "\u{b0}F", "degF"]),
    (Unit::Kelvin, &["K"]),
    (Unit::Kg, &["kg"]),
    (Unit::G, &["g"]),
    (Unit::Pound, &["[lb_av]", "lb", "lbs"]),
    (Unit::Cm, &["cm"]),
    (Unit::M, &["m"]),
    (Unit::Inch, &["[in_i]", "in"]),
    (
        Unit::PerMin,
        &[
            "/min",
            "1/min",
            "{beats}/min",
            "{breaths}/min",
            "{Beats}/min",
            "bpm",
            "beats/min",
            "breaths/min",
            "BPM",
        ],
    ),
    (Unit::Percent, &["%"]),
    (Unit::MmHg, &["mm[Hg]", "mmHg", "mm Hg", "MMHG", "mmhg", "mm(Hg)", "mm(hg)"]),
    (Unit::KPa, &["kPa"]),
    (Unit::LPerMin, &["L/min", "l/min", "LPM"]),
    (Unit::Score, &["{score}", "score", "{points}"]),
    (Unit::Ph, &["[pH]", "pH"]),
    (Unit::Second, &["s", "sec"]),
];

impl Unit {
    /// Its UCUM code.
    pub fn ucum(self) -> &'static str {
        SPELLINGS.iter().find(|(unit, _)| *unit == self).expect("every unit is spelt").1[0]
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ucum())
    }
}

/// A unit of its UCUM code or a spelling that can mean nothing else. Upper and lower case differ: `MG/DL` is none.
pub fn parse_unit(text: &str) -> Option<Unit> {
    SPELLINGS.iter().find(|(_, spellings)| spellings.contains(&text.trim_ascii())).map(|(unit, _)| *unit)
}

/// Why a value was not converted; such values go on a worklist that clinicians see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConverted {
    /// No factor is known for this LOINC code.
    #[error("not converted: no conversion is defined for this LOINC code; add it to the table of analytes")]
    UnknownAnalyte,
    /// The unit is not one of this analyte.
    #[error("not converted: `{unit}` is no unit of {analyte}; check the unit")]
    WrongUnit {
        /// The analyte.
        analyte: &'static str,
        /// The unit that does not fit.
        unit: Unit,
    },
    /// The result has more than 18 digits.
    #[error("not converted: the value is too large or too fine; check it")]
    OutOfRange,
}

/// A value of the analyte of a LOINC code in another unit. In the same unit it is returned as it came.
///
/// # Errors
/// The code is not in the table, a unit is not one of the analyte, or the result has too many digits.
pub fn convert(loinc: &str, value: Number, from: Unit, to: Unit) -> Result<Number, NotConverted> {
    let analyte = analyte_of(loinc).ok_or(NotConverted::UnknownAnalyte)?;
    let (from_scale, to_scale) = (analyte.scale_of(from)?, analyte.scale_of(to)?);
    if from == to {
        return Ok(value);
    }
    let (offset, offset_places) = from_scale.offset;
    let above_zero = value.plus(Number::of(-offset, offset_places)).ok_or(NotConverted::OutOfRange)?;
    let multiplier = from_scale.multiplier * to_scale.divisor;
    let divisor = from_scale.divisor * to_scale.multiplier;
    let converted = above_zero.scaled(multiplier, divisor, to_scale.places, Rounding::HalfUp);
    let (offset, offset_places) = to_scale.offset;
    converted.and_then(|value| value.plus(Number::of(offset, offset_places))).ok_or(NotConverted::OutOfRange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::check_loinc;
    use crate::quantity::tests::number;

    fn check(loinc: &str, value: &str, from: Unit, expected: &str, to: Unit) {
        let found = convert(loinc, number(value), from, to).map(|value| value.to_string());
        assert_eq!(found.as_deref(), Ok(expected), "{loinc}: {value} {from} in {to}");
    }

    #[test]
    fn known_conversions() {
        check("2345-7", "100", Unit::MgPerDl, "5.5506", Unit::MmolPerL);
        check("2345-7", "7.0", Unit::MmolPerL, "126.112", Unit::MgPerDl);
        check("14749-6", "18.016", Unit::MgPerDl, "1.0000", Unit::MmolPerL);
        check("2160-0", "1", Unit::MgPerDl, "88.400", Unit::UmolPerL);
        check("14682-9", "88.4", Unit::UmolPerL, "1.00000", Unit::MgPerDl);
        check("17861-6", "10.02", Unit::MgPerDl, "2.5000", Unit::MmolPerL);
        check("2000-8", "2.5", Unit::MmolPerL, "10.020", Unit::MgPerDl);
        check("19123-9", "2.431", Unit::MgPerDl, "1.0000", Unit::MmolPerL);
        check("2093-3", "200", Unit::MgPerDl, "5.1720", Unit::MmolPerL);
        check("2571-8", "150", Unit::MgPerDl, "1.6936", Unit::MmolPerL);
        check("1975-2", "1", Unit::MgPerDl, "17.104", Unit::UmolPerL);
        check("718-7", "13.5", Unit::GPerDl, "135.000", Unit::GPerL);
        check("718-7", "135", Unit::GPerL, "13.5000", Unit::GPerDl);
        check("1751-7", "35", Unit::GPerL, "3.5000", Unit::GPerDl);
        check("8310-5", "98.6", Unit::Fahrenheit, "37.0000", Unit::Celsius);
        check("8310-5", "37", Unit::Celsius, "98.6000", Unit::Fahrenheit);
        check("8310-5", "-40", Unit::Celsius, "-40.0000", Unit::Fahrenheit);
        check("8310-5", "310.15", Unit::Kelvin, "37.0000", Unit::Celsius);
        check("8310-5", "100.4", Unit::Fahrenheit, "311.1500", Unit::Kelvin);
        check("29463-7", "154", Unit::Pound, "69.853225", Unit::Kg);
        check("29463-7", "3500", Unit::G, "3.500000", Unit::Kg);
        check("8302-2", "70", Unit::Inch, "177.8000", Unit::Cm);
        check("8302-2", "1.78", Unit::M, "178.0000", Unit::Cm);
        check("2345-7", "100.50", Unit::MgPerDl, "100.50", Unit::MgPerDl);
        check("2951-2", "140", Unit::MeqPerL, "140.0000", Unit::MmolPerL);
        check("777-3", "250000", Unit::PerUl, "250.00000", Unit::E9PerL);
        check("2524-7", "18.016", Unit::MgPerDl, "2.0000", Unit::MmolPerL);
        check("1995-0", "4.008", Unit::MgPerDl, "1.0000", Unit::MmolPerL);
        check("2019-8", "5.33", Unit::KPa, "39.9783", Unit::MmHg);
        check("8480-6", "120", Unit::MmHg, "15.99868", Unit::KPa);
        check("777-3", "250", Unit::E3PerUl, "250.00000", Unit::E9PerL);
    }

    #[test]
    fn what_does_not_convert_says_so() {
        let problem = |loinc, value, from, to| convert(loinc, number(value), from, to).unwrap_err();
        assert_eq!(problem("4548-4", "7", Unit::MmolPerL, Unit::MgPerDl), NotConverted::UnknownAnalyte);
        let wrong = NotConverted::WrongUnit { analyte: "sodium", unit: Unit::MgPerDl };
        assert_eq!(problem("2951-2", "140", Unit::MmolPerL, Unit::MgPerDl), wrong);
        let wrong = NotConverted::WrongUnit { analyte: "glucose", unit: Unit::UmolPerL };
        assert_eq!(problem("2345-7", "100", Unit::UmolPerL, Unit::MgPerDl), wrong);
        assert_eq!(problem("2345-7", "100", Unit::MgPerDl, Unit::UmolPerL), wrong);
        // Moles of haemoglobin are of the monomer to some and the tetramer to others.
        assert!(convert("718-7", number("8"), Unit::MmolPerL, Unit::GPerDl).is_err());
        let large = "999999999999999999";
        assert_eq!(problem("718-7", large, Unit::GPerDl, Unit::GPerL), NotConverted::OutOfRange);
    }

    #[test]
    fn units_are_spelt_and_nothing_is_guessed() {
        for (unit, spellings) in SPELLINGS {
            for spelling in spellings {
                assert_eq!(parse_unit(spelling), Some(unit));
            }
            assert_eq!(unit.ucum(), spellings[0]);
        }
        assert_eq!(parse_unit(" mg/dL "), Some(Unit::MgPerDl));
        for text in ["", "MG/DL", "mg", "mol/L", "C", "F", "MEQ/L", "mg/dL.", "g/l.", "u/l"] {
            assert_eq!(parse_unit(text), None, "{text}");
        }
    }

    #[test]
    fn the_table_is_sound() {
        let mut codes: Vec<&str> = analytes().iter().flat_map(|analyte| analyte.loincs).copied().collect();
        let n_codes = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), n_codes, "a code has one analyte");
        for code in codes {
            assert!(check_loinc(code).is_ok(), "{code}");
        }
    }

    proptest! {
        /// Values with up to two decimal places come back as they were.
        #[test]
        fn there_and_back_is_the_same_value(hundredths in -10_000i64..200_000, which in 0usize..64) {
            let value = Number::of(hundredths, 2);
            for analyte in analytes() {
                let units: Vec<Unit> = analyte.units().collect();
                let (from, to) = (units[which % units.len()], units[which / 8 % units.len()]);
                let there = convert(analyte.loincs[0], value, from, to).unwrap();
                let back = convert(analyte.loincs[0], there, to, from).unwrap();
                prop_assert_eq!(back.rounded(2, Rounding::HalfUp).to_string(), value.to_string(), "{} {} {}", analyte.name, from, to);
            }
        }

        #[test]
        fn conversion_keeps_the_order(a in 0i64..100_000, b in 0i64..100_000) {
            let convert = |n| convert("2345-7", Number::of(n, 1), Unit::MgPerDl, Unit::MmolPerL).unwrap();
            prop_assert_eq!(convert(a).cmp(&convert(b)), a.cmp(&b));
        }
    }
}
