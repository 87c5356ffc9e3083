//! qSOFA: three bedside signs to 0 to 3 points; from 2, an infection may be sepsis.
//!
//! Source: Singer et al., The Third International Consensus Definitions for Sepsis and Septic Shock (Sepsis-3), JAMA 2016;315:801, box 4:
//! respiratory rate ≥ 22/min, altered mentation (GCS below 15, here anything but Alert), systolic pressure ≤ 100 mmHg. For adults.

use crate::news2::Consciousness;
use crate::quantity::{RespirationsPerMin, SystolicMmHg};
use crate::{NotComputed, Number, Subject};

/// Adults: from 18 years.
pub const AGE_YEARS_MIN: u16 = 18;
const RESPIRATIONS_MIN: Number = Number::of(22, 0);
const SYSTOLIC_MAX: Number = Number::of(100, 0);

/// Points that are certain, and how many of the three signs are missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Qsofa {
    /// Points of what is there; the score is at least this.
    pub points: u8,
    /// Missing signs; the score is whole at 0.
    pub n_missing: u8,
}

/// Scores are patient data and do not print.
impl std::fmt::Debug for Qsofa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Qsofa")
    }
}

/// qSOFA of what was measured; what is missing adds no point and is counted.
///
/// # Errors
/// The age is unknown or below 18 years; pregnancy (the sign has other limits then).
pub fn qsofa(
    respirations: Option<RespirationsPerMin>,
    consciousness: Option<Consciousness>,
    systolic: Option<SystolicMmHg>,
    subject: Subject,
) -> Result<Qsofa, NotComputed> {
    subject.age_from(AGE_YEARS_MIN)?;
    subject.not_pregnant()?;
    let signs = [
        respirations.map(|rate| rate.number() >= RESPIRATIONS_MIN),
        consciousness.map(|level| level != Consciousness::Alert),
        systolic.map(|pressure| pressure.number() <= SYSTOLIC_MAX),
    ];
    let count = |wanted: Option<bool>| signs.iter().filter(|sign| **sign == wanted).count() as u8;
    Ok(Qsofa { points: count(Some(true)), n_missing: count(None) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::tests::number;
    use crate::subject::tests::person;

    fn check(rr: &str, level: Option<Consciousness>, sbp: &str, expected: (u8, u8)) {
        let rr = (!rr.is_empty()).then(|| RespirationsPerMin::of(number(rr)).unwrap());
        let sbp = (!sbp.is_empty()).then(|| SystolicMmHg::of(number(sbp)).unwrap());
        let found = qsofa(rr, level, sbp, person(60, true)).unwrap();
        assert_eq!((found.points, found.n_missing), expected);
    }

    #[test]
    fn limits_are_inclusive_and_missing_is_counted() {
        check("21.9", Some(Consciousness::Alert), "100.1", (0, 0));
        check("22", Some(Consciousness::Alert), "101", (1, 0));
        check("21", Some(Consciousness::Confusion), "101", (1, 0));
        check("21", Some(Consciousness::Alert), "100", (1, 0));
        check("0", Some(Consciousness::Unresponsive), "0", (2, 0));
        check("22", None, "", (1, 2));
        check("", None, "", (0, 3));
    }

    #[test]
    fn adults_who_are_not_pregnant() {
        let score = |subject| qsofa(None, None, None, subject).map(|found| found.n_missing);
        assert_eq!(score(person(18, true)), Ok(3));
        assert_eq!(score(person(17, true)), Err(NotComputed::TooYoung { age_years_min: 18 }));
        assert_eq!(score(Subject::default()), Err(NotComputed::AgeUnknown { age_years_min: 18 }));
        let pregnant = Subject { pregnancy: crate::Pregnancy::PregnantOrPostPartum, ..person(30, true) };
        assert_eq!(score(pregnant), Err(NotComputed::Pregnant));
    }
}
