//! Acute kidney injury by KDIGO, from creatinine over time: stage 0 to 3, and against what it was compared.
//!
//! Source: KDIGO Clinical Practice Guideline for Acute Kidney Injury, Kidney Int Suppl 2012;2:1, section 2.1 and table 2: a rise of at least
//! 0.3 mg/dL within 48 h, or to at least 1.5 times the baseline within 7 days; stage 2 from 2.0 times, stage 3 from 3.0 times or from
//! 4.0 mg/dL once the criteria are met. Urine output is not looked at.
//!
//! **Baseline:** the lowest value of the 7 days before; without one, the median of the 8th to the 365th day before (the rule of the NHS England
//! algorithm); without either nothing is judged. No baseline is ever estimated.

use crate::{NotComputed, Number};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// The rise that counts within [`RISE_WITHIN`], in mg/dL.
const RISE: Number = Number::of(3, 1);
const RISE_WITHIN: i64 = 48 * HOUR;
const BASELINE_WITHIN: i64 = 7 * DAY;
/// How long before the latest value creatinine is looked at, in microseconds.
pub const LOOKBACK_MICROS: i64 = 365 * DAY;
/// From here stage 3, once the criteria are met, in mg/dL.
const STAGE_3_FROM: Number = Number::of(4, 0);

/// A creatinine value in mg/dL and when it was taken, in microseconds.
pub type Creatinine = (i64, Number);

/// What the latest value was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// The lowest value of the 7 days before.
    LowestOfWeek,
    /// The median of the 8th to the 365th day before.
    MedianOfYear,
}

impl Baseline {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Baseline::LowestOfWeek => "the lowest value of the 7 days before",
            Baseline::MedianOfYear => "the median of the 8th to the 365th day before",
        }
    }
}

/// The answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Aki {
    /// 0: the criteria are not met.
    pub stage: u8,
    /// What the ratio was taken of.
    pub baseline: Baseline,
    /// Its value in mg/dL.
    pub baseline_value: Number,
    /// Whether the rise of 0.3 mg/dL within 48 h is there.
    pub rise_in_48_h: bool,
}

/// Stages are patient data and do not print.
impl std::fmt::Debug for Aki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Aki")
    }
}

fn median(mut values: Vec<Number>) -> Option<Number> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let sum = values[values.len() / 2 - 1].plus(upper)?;
    sum.scaled(5, 10, (sum.parts().1 + 1).min(18), crate::Rounding::HalfUp)
}

/// Limits are cut to this many places of mg/dL: values that were converted from µmol/L are rounded in the fifth, and twice 120 µmol/L is to be
/// 240 µmol/L. Results in mg/dL have at most three places and are compared exactly.
const LIMIT_PLACES: u8 = 4;

/// Is `value` at least `tenths` tenths of `baseline`.
fn at_least_times(value: Number, baseline: Number, tenths: i64) -> bool {
    baseline.scaled(tenths, 10, LIMIT_PLACES, crate::Rounding::Down).is_some_and(|limit| value >= limit)
}

/// The stage of the latest of some values, which are in the order of time.
///
/// # Errors
/// There is no earlier value to compare with; dialysis.
pub fn aki(values: &[Creatinine], dialysis: bool) -> Result<Aki, NotComputed> {
    if dialysis {
        return Err(NotComputed::NotSteady);
    }
    let missing = NotComputed::Missing { what: "an earlier creatinine" };
    let Some(((now, value), earlier)) = values.split_last() else { return Err(missing) };
    let within = |span: i64| earlier.iter().filter(move |(at, _)| now - at <= span);
    let week = within(BASELINE_WITHIN).map(|(_, value)| *value).min();
    let year = || {
        median(
            within(LOOKBACK_MICROS).filter(|(at, _)| now - at > BASELINE_WITHIN).map(|(_, v)| *v).collect(),
        )
    };
    let (baseline, baseline_value) = match (week, year()) {
        (Some(lowest), _) => (Baseline::LowestOfWeek, lowest),
        (None, Some(median)) => (Baseline::MedianOfYear, median),
        (None, None) => return Err(missing),
    };
    let rise_in_48_h = within(RISE_WITHIN).any(|(_, before)| {
        before.plus(RISE).is_some_and(|limit| *value >= limit.rounded(LIMIT_PLACES, crate::Rounding::Down))
    });
    let times = |tenths| at_least_times(*value, baseline_value, tenths);
    let stage = match () {
        () if !rise_in_48_h && !times(15) => 0,
        () if times(30) || *value >= STAGE_3_FROM => 3,
        () if times(20) => 2,
        () => 1,
    };
    Ok(Aki { stage, baseline, baseline_value, rise_in_48_h })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::tests::number;

    /// Values with their hours.
    fn check(values: &[(i64, &str)], expected: (u8, Baseline, bool)) {
        let values: Vec<Creatinine> =
            values.iter().map(|(hour, value)| (hour * HOUR, number(value))).collect();
        let found = aki(&values, false).unwrap();
        assert_eq!((found.stage, found.baseline, found.rise_in_48_h), expected);
    }

    #[test]
    fn a_rise_within_48_hours() {
        check(&[(0, "1.0"), (48, "1.3")], (1, Baseline::LowestOfWeek, true));
        check(&[(0, "1.0"), (48, "1.29")], (0, Baseline::LowestOfWeek, false));
        check(&[(0, "1.0"), (49, "1.3")], (0, Baseline::LowestOfWeek, false));
        check(&[(0, "1.2"), (24, "1.0"), (49, "1.3")], (1, Baseline::LowestOfWeek, true));
    }

    #[test]
    fn a_ratio_within_7_days_and_its_stages() {
        check(&[(0, "1.0"), (168, "1.5")], (1, Baseline::LowestOfWeek, false));
        check(&[(0, "1.0"), (168, "1.49")], (0, Baseline::LowestOfWeek, false));
        check(&[(0, "0.6"), (168, "1.19")], (1, Baseline::LowestOfWeek, false));
        check(&[(0, "0.6"), (168, "1.2")], (2, Baseline::LowestOfWeek, false));
        check(&[(0, "1.0"), (168, "2.9")], (2, Baseline::LowestOfWeek, false));
        check(&[(0, "1.0"), (168, "3.0")], (3, Baseline::LowestOfWeek, false));
        check(&[(0, "3.7"), (48, "4.0")], (3, Baseline::LowestOfWeek, true));
        check(&[(0, "3.7"), (48, "3.99")], (0, Baseline::LowestOfWeek, false));
        check(&[(0, "3.6"), (48, "3.99")], (1, Baseline::LowestOfWeek, true));
        // 80, 120, 160 µmol/L, converted.
        check(&[(0, "0.90498"), (168, "1.35747")], (1, Baseline::LowestOfWeek, false));
        check(&[(0, "1.35747"), (168, "2.71493")], (2, Baseline::LowestOfWeek, false));
        // Four and more, but the criteria are not met: chronic, not acute.
        check(&[(0, "4.0"), (48, "4.1")], (0, Baseline::LowestOfWeek, false));
    }

    #[test]
    fn without_a_week_the_median_of_the_year() {
        check(&[(0, "0.8"), (24, "1.0"), (48, "1.2"), (400, "1.5")], (1, Baseline::MedianOfYear, false));
        check(&[(0, "0.8"), (24, "1.0"), (48, "1.2"), (400, "1.49")], (0, Baseline::MedianOfYear, false));
        check(&[(0, "0.8"), (24, "1.2"), (400, "1.5")], (1, Baseline::MedianOfYear, false));
        check(&[(0, "1.0"), (8_760, "1.5")], (1, Baseline::MedianOfYear, false));
        let old: Vec<Creatinine> = vec![(0, number("1.0")), (8_761 * HOUR, number("9"))];
        assert_eq!(aki(&old, false), Err(NotComputed::Missing { what: "an earlier creatinine" }));
    }

    #[test]
    fn what_is_not_judged() {
        let alone = [(0, number("9"))];
        assert_eq!(aki(&alone, false), Err(NotComputed::Missing { what: "an earlier creatinine" }));
        assert_eq!(aki(&[], false), Err(NotComputed::Missing { what: "an earlier creatinine" }));
        assert_eq!(aki(&alone, true), Err(NotComputed::NotSteady));
        assert!(Baseline::LowestOfWeek.words().contains("7 days"));
    }
}
