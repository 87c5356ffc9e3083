//! MELD 3.0 and its predecessor MELD-Na 2016: how ill a liver is, 6 to 40.
//!
//! Sources: Kim et al., Gastroenterology 2021;161:1887 (MELD 3.0); OPTN policy 9 (MELD 3.0 since July 2023, with the 1.33 points for both
//! sexes at 12 to 17 years; MELD-Na since January 2016). Below 12 years PELD is used, which is not computed here.

use crate::quantity::{AlbuminGPerDl, BilirubinMgPerDl, CreatinineMgPerDl, Inr, SodiumMmolPerL};
use crate::{NotComputed, Number, Sex, Subject};

/// Both hold from 12 years.
pub const AGE_YEARS_MIN: u16 = 12;
const AGE_YEARS_ADULT: u16 = 18;

/// Creatinine, or dialysis at least twice (or 24 hours of continuous haemodialysis) within the week, which counts as the formula's highest creatinine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renal {
    /// Measured.
    Creatinine(CreatinineMgPerDl),
    /// On dialysis.
    Dialysis,
}

/// The laboratory values of both formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labs {
    /// Total bilirubin; below 1.0 mg/dL counts as 1.0.
    pub bilirubin: BilirubinMgPerDl,
    /// Sodium; counted within 125 to 137 mmol/L.
    pub sodium: SodiumMmolPerL,
    /// INR; below 1.0 counts as 1.0.
    pub inr: Inr,
    /// Creatinine; counted from 1.0 to 3.0 mg/dL (MELD 3.0) or 4.0 mg/dL (MELD-Na).
    pub renal: Renal,
}

/// A MELD of either kind.
#[derive(Clone, Copy, PartialEq)]
pub struct Meld {
    /// 6 to 40, rounded half up.
    pub score: u8,
    /// Before rounding and clamping.
    pub unrounded: f64,
}

impl std::fmt::Debug for Meld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meld")
    }
}

impl Meld {
    fn of(unrounded: f64) -> Meld {
        // Halves come from decimals such as 0.82 × 5; a billionth keeps them halves in binary.
        let score = (unrounded + 0.5 + 1e-9).floor().clamp(6.0, 40.0) as u8;
        Meld { score, unrounded }
    }
}

fn within(number: Number, low: f64, high: f64) -> f64 {
    number.to_f64().clamp(low, high)
}

fn renal_within(renal: Renal, high: f64) -> f64 {
    match renal {
        Renal::Creatinine(creatinine) => within(creatinine.number(), 1.0, high),
        Renal::Dialysis => high,
    }
}

/// 1.33 (women, and everybody below 18) + 4.56 ln bilirubin + 0.82 (137 − Na) − 0.24 (137 − Na) ln bilirubin + 9.09 ln INR
/// + 11.14 ln creatinine + 1.85 (3.5 − albumin) − 1.83 (3.5 − albumin) ln creatinine + 6; albumin within 1.5 to 3.5 g/dL.
///
/// # Errors
/// Age unknown or below 12; sex of an adult unknown.
pub fn meld3(labs: &Labs, albumin: AlbuminGPerDl, subject: Subject) -> Result<Meld, NotComputed> {
    let age = subject.age_from(AGE_YEARS_MIN)?;
    let points = if age < AGE_YEARS_ADULT || subject.known_sex()? == Sex::Female { 1.33 } else { 0.0 };
    let bilirubin = within(labs.bilirubin.number(), 1.0, f64::INFINITY).ln();
    let sodium = 137.0 - within(labs.sodium.number(), 125.0, 137.0);
    let inr = within(labs.inr.number(), 1.0, f64::INFINITY).ln();
    let creatinine = renal_within(labs.renal, 3.0).ln();
    let albumin = 3.5 - within(albumin.number(), 1.5, 3.5);
    Ok(Meld::of(
        points + 4.56 * bilirubin + 0.82 * sodium - 0.24 * sodium * bilirubin
            + 9.09 * inr
            + 11.14 * creatinine
            + 1.85 * albumin
            - 1.83 * albumin * creatinine
            + 6.0,
    ))
}

/// MELD(i) = 10 × (0.957 ln creatinine + 0.378 ln bilirubin + 1.120 ln INR + 0.643, to one place); above 11 it becomes
/// MELD(i) + 1.32 (137 − Na) − 0.033 MELD(i) (137 − Na).
///
/// # Errors
/// Age unknown or below 12.
pub fn meld_na_2016(labs: &Labs, subject: Subject) -> Result<Meld, NotComputed> {
    subject.age_from(AGE_YEARS_MIN)?;
    let bilirubin = within(labs.bilirubin.number(), 1.0, f64::INFINITY).ln();
    let inr = within(labs.inr.number(), 1.0, f64::INFINITY).ln();
    let creatinine = renal_within(labs.renal, 4.0).ln();
    let initial = 0.957 * creatinine + 0.378 * bilirubin + 1.120 * inr + 0.643;
    let initial = (initial * 10.0 + 0.5 + 1e-9).floor();
    if initial <= 11.0 {
        return Ok(Meld::of(initial));
    }
    let sodium = 137.0 - within(labs.sodium.number(), 125.0, 137.0);
    Ok(Meld::of(initial + 1.32 * sodium - 0.033 * initial * sodium))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::quantity::tests::number;
    use crate::subject::tests::person;

    fn labs(bilirubin: &str, sodium: &str, inr: &str, creatinine: &str) -> Labs {
        Labs {
            bilirubin: BilirubinMgPerDl::of(number(bilirubin)).unwrap(),
            sodium: SodiumMmolPerL::of(number(sodium)).unwrap(),
            inr: Inr::of(number(inr)).unwrap(),
            renal: Renal::Creatinine(CreatinineMgPerDl::of(number(creatinine)).unwrap()),
        }
    }

    fn albumin(text: &str) -> AlbuminGPerDl {
        AlbuminGPerDl::of(number(text)).unwrap()
    }

    #[test]
    fn the_reference_program_agrees() {
        let check = |values: [&str; 5], female, score, unrounded: f64| {
            let [bilirubin, sodium, inr, creatinine, alb] = values;
            let labs = labs(bilirubin, sodium, inr, creatinine);
            let found = meld3(&labs, albumin(alb), person(50, female)).unwrap();
            assert_eq!(found.score, score, "{values:?}");
            assert!((found.unrounded - unrounded).abs() <= 0.000_05, "{values:?}: {}", found.unrounded);
        };
        check(["3.0", "130", "1.8", "1.5", "2.8"], true, 27, 26.8695);
        check(["3.0", "130", "1.8", "1.5", "2.8"], false, 26, 25.5395);
        check(["0.5", "145", "0.9", "0.6", "4.5"], false, 6, 6.0);
        check(["50", "120", "6", "5", "1.0"], true, 40, 51.9469);
        check(["2.5", "135", "1.5", "1.2", "3.0"], false, 18, 17.8534);
        let sodium_score = meld_na_2016(&labs("3.0", "130", "1.8", "1.5"), person(50, false)).unwrap();
        assert_eq!(sodium_score.score, 25);
    }

    #[test]
    fn meld_na_agrees_with_the_reference_program() {
        for (values, score) in [
            (["22.5", "128", "1.7", "6.5"], 38),
            (["45.0", "137", "4.3", "0.6"], 37),
            (["9.1", "140", "1.1", "6.5"], 29),
            (["0.5", "125", "0.9", "1.9"], 24),
            (["9.1", "140", "1.1", "3.3"], 27),
            (["22.5", "120", "4.3", "1.1"], 37),
            (["0.5", "137", "1.1", "3.3"], 19),
            (["3.7", "125", "2.6", "1.1"], 30),
            (["0.5", "125", "4.3", "4.0"], 38),
            (["9.1", "125", "1.1", "0.6"], 26),
            (["0.5", "125", "1.1", "1.1"], 8),
            (["1.4", "128", "1.7", "1.1"], 22),
            (["22.5", "137", "1.1", "1.1"], 20),
            (["45.0", "125", "2.6", "1.9"], 39),
            (["0.5", "128", "2.6", "1.1"], 25),
            (["1.4", "128", "0.9", "1.9"], 22),
            (["45.0", "137", "1.0", "1.0"], 21),
            (["1.0", "137", "4.3", "1.0"], 23),
            (["1.0", "137", "1.0", "4.0"], 20),
            (["1.0", "125", "1.0", "2.0"], 24),
        ] {
            let [bilirubin, sodium, inr, creatinine] = values;
            let found = meld_na_2016(&labs(bilirubin, sodium, inr, creatinine), person(50, false)).unwrap();
            assert_eq!(found.score, score, "{values:?}");
        }
    }

    #[test]
    fn floors_and_caps_hold_one_unit_beyond_them() {
        let base = ["2.0", "130", "1.5", "1.5", "3.0"];
        let score = |values: [&str; 5]| {
            let [bilirubin, sodium, inr, creatinine, alb] = values;
            meld3(&labs(bilirubin, sodium, inr, creatinine), albumin(alb), person(50, true))
                .unwrap()
                .unrounded
        };
        let with = |at: usize, text: &'static str| {
            let mut values = base;
            values[at] = text;
            score(values)
        };
        // (input, inside the limit, the limit, beyond it)
        for (at, inside, limit, beyond) in [
            (0, "1.1", "1.0", "0.9"),
            (1, "126", "125", "124"),
            (1, "136", "137", "138"),
            (2, "1.1", "1.0", "0.9"),
            (3, "1.1", "1.0", "0.9"),
            (3, "2.9", "3.0", "3.1"),
            (4, "1.6", "1.5", "1.4"),
            (4, "3.4", "3.5", "3.6"),
        ] {
            assert_eq!(with(at, limit), with(at, beyond), "input {at} at {limit}");
            assert!((with(at, inside) - with(at, limit)).abs() > 1e-6, "input {at} at {limit}");
        }
        let meld_na = |creatinine| {
            meld_na_2016(&labs("2", "137", "2", creatinine), person(50, true)).unwrap().unrounded
        };
        assert_eq!(meld_na("4.0"), meld_na("4.1"));
        assert!(meld_na("3.6") < meld_na("4.0"));
    }

    #[test]
    fn dialysis_counts_as_the_highest_creatinine() {
        let on_dialysis = Labs { renal: Renal::Dialysis, ..labs("2", "130", "1.5", "1") };
        let at_three = labs("2", "130", "1.5", "3.0");
        let at_four = labs("2", "130", "1.5", "4.0");
        let who = person(50, false);
        assert_eq!(meld3(&on_dialysis, albumin("3"), who), meld3(&at_three, albumin("3"), who));
        assert_eq!(meld_na_2016(&on_dialysis, who), meld_na_2016(&at_four, who));
    }

    #[test]
    fn from_twelve_years_and_alike_for_both_sexes_below_eighteen() {
        let labs = labs("3.0", "130", "1.8", "1.5");
        let score = |age, female| meld3(&labs, albumin("2.8"), person(age, female)).map(|meld| meld.score);
        assert_eq!(score(11, true), Err(NotComputed::TooYoung { age_years_min: 12 }));
        assert_eq!((score(12, false), score(17, false), score(18, false)), (Ok(27), Ok(27), Ok(26)));
        let nobody = Subject { age_years: Some(40), ..Subject::default() };
        assert_eq!(meld3(&labs, albumin("2.8"), nobody), Err(NotComputed::Missing { what: "sex" }));
        assert!(meld_na_2016(&labs, Subject::default()).is_err());
    }

    proptest! {
        #[test]
        fn a_score_is_six_to_forty_and_rises_with_the_inr(
            bilirubin in 1i64..800, sodium in 90i64..200, inr in 5i64..199, creatinine in 1i64..400, alb in 5i64..80, female: bool,
        ) {
            let tenths = |n| Number::of(n, 1).to_string();
            let at = |inr| labs(&tenths(bilirubin), &sodium.to_string(), &tenths(inr), &tenths(creatinine));
            let of = |inr| meld3(&at(inr), albumin(&tenths(alb)), person(50, female)).unwrap();
            prop_assert!((6..=40).contains(&of(inr).score));
            prop_assert!(of(inr).unrounded <= of(inr + 1).unrounded);
            let meld_na = meld_na_2016(&at(inr), person(50, female)).unwrap();
            prop_assert!((6..=40).contains(&meld_na.score));
        }
    }
}
