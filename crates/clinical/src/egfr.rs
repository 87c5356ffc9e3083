//! Estimated glomerular filtration rate by CKD-EPI 2021 (creatinine, without race) and its KDIGO category.
//!
//! Source: Inker et al., N Engl J Med 2021;385:1737 (table of equations); categories: KDIGO 2012/2024 CKD guideline.

use crate::quantity::CreatinineMgPerDl;
use crate::{NotComputed, Sex, Subject};

/// The equation holds from 18 years.
pub const AGE_YEARS_MIN: u16 = 18;

/// KDIGO categories, by the rate as it is reported: a whole number of mL/min/1.73 m².
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// From 90.
    G1,
    /// 60 to 89.
    G2,
    /// 45 to 59.
    G3a,
    /// 30 to 44.
    G3b,
    /// 15 to 29.
    G4,
    /// Below 15.
    G5,
}

impl Stage {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Stage::G1 => "G1",
            Stage::G2 => "G2",
            Stage::G3a => "G3a",
            Stage::G3b => "G3b",
            Stage::G4 => "G4",
            Stage::G5 => "G5",
        }
    }
}

/// Is kidney function steady, as the estimate presumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Kidney {
    /// Nothing else is recorded.
    #[default]
    Steady,
    /// Acute kidney injury: creatinine lags behind the filtration.
    AcuteInjury,
    /// Dialysis: creatinine follows the machine.
    Dialysis,
}

/// An estimated filtration rate.
#[derive(Clone, Copy, PartialEq)]
pub struct Egfr {
    /// In mL/min/1.73 m², unrounded.
    pub ml_per_min_per_173: f64,
    /// As it is reported: rounded half up.
    pub reported: u16,
    /// Category of the reported number, so that a report never reads "90, G2".
    pub stage: Stage,
}

impl std::fmt::Debug for Egfr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Egfr")
    }
}

/// Category of a reported rate in mL/min/1.73 m².
pub fn stage_of(reported: u16) -> Stage {
    match reported {
        90.. => Stage::G1,
        60..=89 => Stage::G2,
        45..=59 => Stage::G3a,
        30..=44 => Stage::G3b,
        15..=29 => Stage::G4,
        0..=14 => Stage::G5,
    }
}

/// 142 × min(Scr/κ, 1)^α × max(Scr/κ, 1)^-1.200 × 0.9938^age × 1.012 for women; κ 0.7 and 0.9, α -0.241 and -0.302 (women, men).
///
/// # Errors
/// Age unknown or below 18; sex unknown; pregnancy; acute injury or dialysis.
pub fn egfr(creatinine: CreatinineMgPerDl, subject: Subject, kidney: Kidney) -> Result<Egfr, NotComputed> {
    let age = subject.age_from(AGE_YEARS_MIN)?;
    let sex = subject.known_sex()?;
    subject.not_pregnant()?;
    if kidney != Kidney::Steady {
        return Err(NotComputed::NotSteady);
    }
    let (kappa, alpha, factor) = match sex {
        Sex::Female => (0.7, -0.241, 1.012),
        Sex::Male => (0.9, -0.302, 1.0),
    };
    let ratio = creatinine.number().to_f64() / kappa;
    let rate = 142.0
        * ratio.min(1.0).powf(alpha)
        * ratio.max(1.0).powf(-1.2)
        * 0.9938_f64.powi(i32::from(age))
        * factor;
    // Between 0.5 (40 mg/dL at 130 years) and 240 (0.1 mg/dL at 18): a small positive number.
    let reported = (rate + 0.5).floor() as u16;
    Ok(Egfr { ml_per_min_per_173: rate, reported, stage: stage_of(reported) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::quantity::CreatinineUmolPerL;
    use crate::quantity::tests::number;
    use crate::subject::tests::person;
    use crate::{Number, Pregnancy};

    fn of(mg: &str, age: u16, female: bool) -> Egfr {
        egfr(CreatinineMgPerDl::of(number(mg)).unwrap(), person(age, female), Kidney::Steady).unwrap()
    }

    #[test]
    fn the_reference_program_agrees() {
        let check = |mg: &str, age, female, expected: f64, stage| {
            let found = of(mg, age, female);
            assert!((found.ml_per_min_per_173 - expected).abs() <= 0.005, "{mg} {age} {female}");
            assert_eq!(found.stage, stage);
        };
        check("1.0", 50, true, 68.63, Stage::G2);
        check("1.0", 50, false, 91.69, Stage::G1);
        check("0.6", 30, true, 123.76, Stage::G1);
        check("0.8", 30, false, 122.10, Stage::G1);
        check("2.5", 70, false, 26.96, Stage::G4);
        check("0.7", 40, true, 112.05, Stage::G1);
        check("0.9", 40, false, 110.73, Stage::G1);
    }

    #[test]
    fn both_units_give_the_same_rate() {
        let umol = CreatinineUmolPerL::of(number("88.4")).unwrap();
        let found = egfr(umol.into(), person(50, true), Kidney::Steady).unwrap();
        let expected = of("1.0", 50, true);
        // A compiler that computes one of the two beforehand may round the last bit of a power otherwise.
        assert!((found.ml_per_min_per_173 - expected.ml_per_min_per_173).abs() < 1e-9);
        assert_eq!((found.reported, found.stage), (expected.reported, expected.stage));
    }

    #[test]
    fn categories_change_by_one_unit() {
        let edges = [(90, Stage::G1), (60, Stage::G2), (45, Stage::G3a), (30, Stage::G3b), (15, Stage::G4)];
        for (edge, stage) in edges {
            assert_eq!(stage_of(edge), stage);
            assert!(stage_of(edge - 1) > stage, "{edge}");
            assert_eq!(stage_of(edge + 1), stage);
        }
        assert_eq!(stage_of(0), Stage::G5);
    }

    #[test]
    fn it_says_why_not() {
        let check = |subject, kidney, expected| {
            let creatinine = CreatinineMgPerDl::of(number("1")).unwrap();
            assert_eq!(egfr(creatinine, subject, kidney).unwrap_err(), expected);
        };
        let woman = person(30, true);
        check(person(17, true), Kidney::Steady, NotComputed::TooYoung { age_years_min: 18 });
        check(Subject { sex: None, ..woman }, Kidney::Steady, NotComputed::Missing { what: "sex" });
        check(woman, Kidney::AcuteInjury, NotComputed::NotSteady);
        check(woman, Kidney::Dialysis, NotComputed::NotSteady);
        let pregnant = Subject { pregnancy: Pregnancy::PregnantOrPostPartum, ..woman };
        check(pregnant, Kidney::Steady, NotComputed::Pregnant);
        check(Subject::default(), Kidney::Steady, NotComputed::AgeUnknown { age_years_min: 18 });
    }

    proptest! {
        #[test]
        fn more_creatinine_and_more_years_lower_the_rate(hundredths in 10i64..3999, age in 18u16..130, female: bool) {
            let rate = |hundredths, age| of(&Number::of(hundredths, 2).to_string(), age, female).ml_per_min_per_173;
            prop_assert!(rate(hundredths + 1, age) < rate(hundredths, age));
            prop_assert!(rate(hundredths, age + 1) < rate(hundredths, age));
        }
    }
}
