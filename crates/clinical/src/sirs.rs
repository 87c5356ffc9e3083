//! SIRS: four criteria of systemic inflammation; from 2, look for an infection.
//!
//! Source: Bone et al., Definitions for sepsis and organ failure (ACCP/SCCM consensus), Chest 1992;101:1644: temperature > 38 °C or < 36 °C;
//! heart rate > 90/min; respiratory rate > 20/min or PaCO2 < 32 mmHg; white cells > 12 or < 4 × 10⁹/L or more than 10 % bands. For adults.

use crate::{NotComputed, Number, Subject};

/// Adults: from 18 years.
pub const AGE_YEARS_MIN: u16 = 18;

const TEMPERATURE_ABOVE: Number = Number::of(38, 0);
const TEMPERATURE_BELOW: Number = Number::of(36, 0);
const PULSE_ABOVE: Number = Number::of(90, 0);
const RESPIRATIONS_ABOVE: Number = Number::of(20, 0);
const PACO2_BELOW: Number = Number::of(32, 0);
const WHITE_CELLS_ABOVE: Number = Number::of(12, 0);
const WHITE_CELLS_BELOW: Number = Number::of(4, 0);
const BANDS_ABOVE: Number = Number::of(10, 0);

/// What was measured; `None` is missing, and never normal.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// Body temperature, °C.
    pub temperature: Option<Number>,
    /// Heart rate, /min.
    pub pulse: Option<Number>,
    /// Respiratory rate, /min.
    pub respirations: Option<Number>,
    /// Arterial carbon dioxide, mm\[Hg\].
    pub paco2: Option<Number>,
    /// White cells, 10*9/L.
    pub white_cells: Option<Number>,
    /// Bands, % of white cells.
    pub bands: Option<Number>,
}

/// Vital signs are patient data and do not print.
impl std::fmt::Debug for Signs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signs")
    }
}

/// Criteria that are met for certain, and how many of the four could not be judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sirs {
    /// Criteria that are met; there are at least this many.
    pub points: u8,
    /// Criteria of which nothing is known.
    pub n_missing: u8,
}

/// Scores are patient data and do not print.
impl std::fmt::Debug for Sirs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sirs")
    }
}

/// Met by either; the first is needed to say no, because the second is measured seldom.
fn either(usual: Option<bool>, seldom: Option<bool>) -> Option<bool> {
    if seldom == Some(true) { seldom } else { usual }
}

/// SIRS of what was measured. A criterion with an alternative (PaCO2, bands) is met by either, and judged not met by rate or count alone.
///
/// # Errors
/// The age is unknown or below 18 years; pregnancy.
pub fn sirs(signs: &Signs, subject: Subject) -> Result<Sirs, NotComputed> {
    subject.age_from(AGE_YEARS_MIN)?;
    subject.not_pregnant()?;
    let criteria = [
        signs.temperature.map(|t| t > TEMPERATURE_ABOVE || t < TEMPERATURE_BELOW),
        signs.pulse.map(|rate| rate > PULSE_ABOVE),
        either(
            signs.respirations.map(|rate| rate > RESPIRATIONS_ABOVE),
            signs.paco2.map(|p| p < PACO2_BELOW),
        ),
        either(
            signs.white_cells.map(|cells| cells > WHITE_CELLS_ABOVE || cells < WHITE_CELLS_BELOW),
            signs.bands.map(|bands| bands > BANDS_ABOVE),
        ),
    ];
    let count = |wanted: Option<bool>| criteria.iter().filter(|met| **met == wanted).count() as u8;
    Ok(Sirs { points: count(Some(true)), n_missing: count(None) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::tests::number;
    use crate::subject::tests::person;

    fn found(signs: Signs) -> (u8, u8) {
        let found = sirs(&signs, person(60, true)).unwrap();
        (found.points, found.n_missing)
    }

    #[test]
    fn limits_are_exclusive() {
        let check = |of: &dyn Fn(Option<Number>) -> Signs, expected: &[(&str, u8)]| {
            for (value, expected) in expected {
                assert_eq!(found(of(Some(number(value)))).0, *expected, "{value}");
            }
        };
        let none = Signs::default();
        check(
            &|temperature| Signs { temperature, ..none },
            &[("36", 0), ("35.9", 1), ("38", 0), ("38.1", 1)],
        );
        check(&|pulse| Signs { pulse, ..none }, &[("90", 0), ("91", 1)]);
        check(&|respirations| Signs { respirations, ..none }, &[("20", 0), ("21", 1)]);
        check(&|paco2| Signs { paco2, ..none }, &[("32", 0), ("31.9", 1)]);
        check(&|white_cells| Signs { white_cells, ..none }, &[("4", 0), ("3.9", 1), ("12", 0), ("12.1", 1)]);
        check(&|bands| Signs { bands, ..none }, &[("10", 0), ("11", 1)]);
    }

    #[test]
    fn an_alternative_alone_does_not_say_no() {
        let n = |text| Some(number(text));
        assert_eq!(found(Signs { paco2: n("40"), bands: n("2"), ..Signs::default() }), (0, 4));
        assert_eq!(found(Signs { respirations: n("18"), paco2: n("30"), ..Signs::default() }), (1, 3));
        let all = Signs {
            temperature: n("39"),
            pulse: n("120"),
            respirations: n("30"),
            white_cells: n("2"),
            ..Signs::default()
        };
        assert_eq!(found(all), (4, 0));
    }

    #[test]
    fn adults_who_are_not_pregnant() {
        let score = |subject| sirs(&Signs::default(), subject).map(|found| found.n_missing);
        assert_eq!(score(person(17, true)), Err(NotComputed::TooYoung { age_years_min: 18 }));
        assert_eq!(score(Subject::default()), Err(NotComputed::AgeUnknown { age_years_min: 18 }));
        let pregnant = Subject { pregnancy: crate::Pregnancy::PregnantOrPostPartum, ..person(30, true) };
        assert_eq!(score(pregnant), Err(NotComputed::Pregnant));
    }
}
