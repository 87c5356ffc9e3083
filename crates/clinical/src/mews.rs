//! MEWS: five vital signs to a score of acute illness, 0 to 14; from 5, urgent review.
//!
//! Source: Subbe et al., Validation of a modified Early Warning Score in medical admissions, QJM 2001;94:521, table 1. For adults. Fractions of
//! rates and pressures count as the worse neighbour, temperature is rounded half up to 0.1 °C, as for NEWS2. New confusion is not in the paper:
//! it counts as one point, like reacting to voice.

use crate::news2::Consciousness;
use crate::quantity::{PulsePerMin, RespirationsPerMin, SystolicMmHg, TemperatureCelsius};
use crate::{NotComputed, Number, Rounding, Subject};

/// Adults: from 16 years, as admitted to the study's unit.
pub const AGE_YEARS_MIN: u16 = 16;

/// What was measured; `None` is missing, and never normal.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// Systolic blood pressure.
    pub systolic: Option<SystolicMmHg>,
    /// Pulse.
    pub pulse: Option<PulsePerMin>,
    /// Respiratory rate.
    pub respirations: Option<RespirationsPerMin>,
    /// Body temperature.
    pub temperature: Option<TemperatureCelsius>,
    /// Level of consciousness.
    pub consciousness: Option<Consciousness>,
}

/// Vital signs are patient data and do not print.
impl std::fmt::Debug for Signs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signs")
    }
}

/// Points that are certain, and how many of the five signs are missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mews {
    /// Points of what is there; the score is at least this.
    pub points: u8,
    /// Missing signs; the score is whole at 0.
    pub n_missing: u8,
}

/// Scores are patient data and do not print.
impl std::fmt::Debug for Mews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mews")
    }
}

/// Points by the highest value of each row.
type Rows = &'static [(i32, u8)];

const SYSTOLIC: Rows = &[(70, 3), (80, 2), (100, 1), (199, 0), (i32::MAX, 2)];
const PULSE: Rows = &[(40, 2), (50, 1), (100, 0), (110, 1), (129, 2), (i32::MAX, 3)];
const RESPIRATIONS: Rows = &[(8, 2), (14, 0), (20, 1), (29, 2), (i32::MAX, 3)];
/// In tenths of a degree Celsius.
const TEMPERATURE: Rows = &[(349, 2), (384, 0), (i32::MAX, 2)];

fn row(rows: Rows, value: Number, rounding: Rounding) -> u8 {
    let (digits, _) = value.rounded(0, rounding).parts();
    rows.iter().find(|(highest, _)| digits <= i64::from(*highest)).map_or(0, |(_, points)| *points)
}

/// A value between two whole numbers has the points of the worse one.
fn worse(rows: Rows, value: Number) -> u8 {
    row(rows, value, Rounding::Down).max(row(rows, value, Rounding::Up))
}

fn temperature_points(temperature: TemperatureCelsius) -> u8 {
    let tenths = temperature.number().scaled(10, 1, 0, Rounding::HalfUp).expect("below 470 tenths");
    row(TEMPERATURE, tenths, Rounding::HalfUp)
}

/// MEWS of what was measured; what is missing adds no point and is counted.
///
/// # Errors
/// The age is unknown or below 16 years; pregnancy.
pub fn mews(signs: &Signs, subject: Subject) -> Result<Mews, NotComputed> {
    subject.age_from(AGE_YEARS_MIN)?;
    subject.not_pregnant()?;
    let points = [
        signs.systolic.map(|pressure| worse(SYSTOLIC, pressure.number())),
        signs.pulse.map(|pulse| worse(PULSE, pulse.number())),
        signs.respirations.map(|rate| worse(RESPIRATIONS, rate.number())),
        signs.temperature.map(temperature_points),
        signs.consciousness.map(|level| match level {
            Consciousness::Alert => 0,
            Consciousness::Confusion | Consciousness::Voice => 1,
            Consciousness::Pain => 2,
            Consciousness::Unresponsive => 3,
        }),
    ];
    let n_missing = points.iter().filter(|points| points.is_none()).count() as u8;
    Ok(Mews { points: points.iter().flatten().sum(), n_missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::tests::number;
    use crate::subject::tests::person;

    fn points(signs: Signs) -> u8 {
        mews(&signs, person(60, true)).unwrap().points
    }

    #[test]
    fn every_boundary() {
        let check = |of: &dyn Fn(Number) -> Signs, expected: &[(&str, u8)]| {
            for (value, expected) in expected {
                assert_eq!(points(of(number(value))), *expected, "{value}");
            }
        };
        let systolic = |n| Signs { systolic: SystolicMmHg::of(n).ok(), ..Signs::default() };
        check(&systolic, &[("0", 3), ("70", 3), ("70.5", 3), ("71", 2), ("80", 2), ("81", 1), ("100", 1)]);
        check(&systolic, &[("101", 0), ("199", 0), ("199.5", 2), ("200", 2)]);
        let pulse = |n| Signs { pulse: PulsePerMin::of(n).ok(), ..Signs::default() };
        check(&pulse, &[("0", 2), ("40", 2), ("41", 1), ("50", 1), ("51", 0), ("100", 0), ("101", 1)]);
        check(&pulse, &[("110", 1), ("111", 2), ("129", 2), ("129.5", 3), ("130", 3)]);
        let rate = |n| Signs { respirations: RespirationsPerMin::of(n).ok(), ..Signs::default() };
        check(&rate, &[("0", 2), ("8", 2), ("9", 0), ("14", 0), ("15", 1), ("20", 1), ("21", 2)]);
        check(&rate, &[("29", 2), ("30", 3)]);
        let warm = |n| Signs { temperature: TemperatureCelsius::of(n).ok(), ..Signs::default() };
        check(
            &warm,
            &[("34.9", 2), ("34.94", 2), ("34.95", 0), ("35", 0), ("38.4", 0), ("38.45", 2), ("38.5", 2)],
        );
    }

    #[test]
    fn consciousness_and_what_is_missing() {
        let level = |level| points(Signs { consciousness: Some(level), ..Signs::default() });
        let all = [Consciousness::Alert, Consciousness::Confusion, Consciousness::Voice];
        assert_eq!(all.map(level), [0, 1, 1]);
        assert_eq!([Consciousness::Pain, Consciousness::Unresponsive].map(level), [2, 3]);
        assert_eq!(mews(&Signs::default(), person(16, false)).unwrap().n_missing, 5);
        let young = mews(&Signs::default(), person(15, false));
        assert_eq!(young, Err(NotComputed::TooYoung { age_years_min: 16 }));
        let unknown = mews(&Signs::default(), Subject::default());
        assert_eq!(unknown, Err(NotComputed::AgeUnknown { age_years_min: 16 }));
        let pregnant = Subject { pregnancy: crate::Pregnancy::PregnantOrPostPartum, ..person(30, true) };
        assert_eq!(mews(&Signs::default(), pregnant), Err(NotComputed::Pregnant));
    }
}
