//! Rates and what can be said about them: intervals, comparisons, standardisation, inequality, suppression of small cells.
//!
//! Every number names its method, because methods differ. What has no estimate is [`NotEstimable`] or `None`, never 0.

pub mod inequality;
pub mod rate;
pub mod standardise;
pub mod suppression;

use crate::special::normal_quantile;

/// A two-sided interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

impl Interval {
    /// Both limits multiplied, for rates per 100,000.
    #[must_use]
    pub fn times(self, factor: f64) -> Interval {
        Interval { low: self.low * factor, high: self.high * factor }
    }

    /// Is a value within it, limits included.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// How sure an interval is: between 0 and 1, usually 0.95.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence(f64);

impl Confidence {
    /// 95 %.
    pub const P95: Confidence = Confidence(0.95);

    /// A level between 0 and 1, both excluded.
    pub fn of(level: f64) -> Option<Confidence> {
        (level > 0.0 && level < 1.0).then_some(Confidence(level))
    }

    /// The share outside, on one side.
    fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }

    /// The normal quantile of the two-sided level: 1.96 for 95 %.
    fn z(self) -> f64 {
        normal_quantile(1.0 - self.tail())
    }
}

/// Why a statistic has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEstimable {
    /// Nobody at risk.
    #[error("not estimable: the denominator is zero")]
    NoDenominator,
    /// More events than people.
    #[error("not estimable: the numerator is larger than the denominator")]
    NumeratorTooLarge,
    /// A ratio or logarithm of nothing.
    #[error("not estimable: no events in one of the groups")]
    NoEvents,
    /// Inequality among fewer than two groups.
    #[error("not estimable: at least two groups with people are needed")]
    TooFewGroups,
    /// Strata that do not fit together.
    #[error("not estimable: there must be one weight per stratum, and the weights must not sum to zero")]
    WrongWeights,
    /// A rate that is negative or not a number.
    #[error("not estimable: a rate is negative or not a number")]
    WrongRate,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Equal to the printed digits of a reference.
    pub(crate) fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected} ± {tolerance}");
    }

    #[test]
    fn levels_are_between_zero_and_one() {
        assert_eq!(Confidence::of(0.95), Some(Confidence::P95));
        for level in [0.0, 1.0, -0.1, 1.5, f64::NAN] {
            assert!(Confidence::of(level).is_none(), "{level}");
        }
        near(Confidence::P95.z(), 1.959_963_985, 1e-9);
    }
}
