//! Counts of passed rules, and the score that they make.

use std::fmt;

use fhir::Kind;

use crate::Dimension;
use crate::table::Rule;

/// Rules that passed, of those that could be assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// How many passed.
    pub passed: u16,
    /// How many were assessed; not zero.
    pub assessed: u16,
}

impl Fraction {
    /// In thousandths, rounded half up.
    pub fn thousandths(self) -> u16 {
        let (passed, assessed) = (u32::from(self.passed), u32::from(self.assessed));
        u16::try_from((passed * 2000 + assessed) / (assessed * 2)).unwrap_or(1000)
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.passed, self.assessed)
    }
}

/// A rule that did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The rule, for programs: `patient-birth-date`.
    pub rule: &'static str,
    /// Its dimension.
    pub dimension: Dimension,
    /// FHIRPath of the place.
    pub place: String,
    /// What is wrong, for people; no value of the resource is repeated.
    pub text: &'static str,
}

/// The quality of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualityScore {
    /// By dimension, in the order of [`Dimension::ALL`]; `None` was not assessed.
    pub dimensions: [Option<Fraction>; 6],
    /// The mean of the assessed dimensions in thousandths, rounded half up; `None` when none was.
    pub overall_thousandths: Option<u16>,
    /// What did not pass, in the order of the rules.
    pub failures: Vec<Failure>,
}

impl QualityScore {
    /// One dimension.
    pub fn of(&self, dimension: Dimension) -> Option<Fraction> {
        self.dimensions[dimension as usize]
    }

    /// The mean of the assessed dimensions, from 0 to 1, exact to three decimals.
    pub fn overall(&self) -> Option<f64> {
        self.overall_thousandths.map(|thousandths| f64::from(thousandths) / 1000.0)
    }
}

/// Counts while rules are checked.
pub(crate) struct Tally {
    kind: Kind,
    counts: [(u16, u16); 6],
    failures: Vec<Failure>,
}

impl Tally {
    pub(crate) fn new(kind: Kind) -> Tally {
        Tally { kind, counts: [(0, 0); 6], failures: Vec::new() }
    }

    /// A rule was assessed; when it failed, `place` is where below the resource.
    pub(crate) fn count(&mut self, rule: &Rule, passed: bool, place: impl FnOnce() -> String) {
        let (n_passed, n_assessed) = &mut self.counts[rule.dimension as usize];
        *n_passed = n_passed.saturating_add(u16::from(passed));
        *n_assessed = n_assessed.saturating_add(1);
        if !passed {
            let place = format!("{}.{}", self.kind, place());
            let failure = Failure { rule: rule.slug, dimension: rule.dimension, place, text: rule.text };
            self.failures.push(failure);
        }
    }

    pub(crate) fn finish(self) -> QualityScore {
        let dimensions =
            self.counts.map(|(passed, assessed)| (assessed > 0).then_some(Fraction { passed, assessed }));
        QualityScore { dimensions, overall_thousandths: mean(&dimensions), failures: self.failures }
    }
}

/// The exact mean of the fractions, rounded once: six denominators of 16 bits fit into 128.
fn mean(fractions: &[Option<Fraction>; 6]) -> Option<u16> {
    let fractions = || fractions.iter().flatten();
    let common: u128 = fractions().map(|fraction| u128::from(fraction.assessed)).product();
    let sum: u128 = fractions()
        .map(|fraction| common / u128::from(fraction.assessed) * u128::from(fraction.passed))
        .sum();
    let n = u128::try_from(fractions().count()).unwrap_or(0);
    let whole = common * n;
    if n == 0 {
        return None;
    }
    u16::try_from((sum * 2000 + whole) / (whole * 2)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fractions: &[(u16, u16)], expected: Option<u16>) {
        let mut all = [None; 6];
        for (slot, (passed, assessed)) in all.iter_mut().zip(fractions) {
            *slot = Some(Fraction { passed: *passed, assessed: *assessed });
        }
        assert_eq!(mean(&all), expected, "{fractions:?}");
    }

    #[test]
    fn the_mean_is_exact_and_rounded_once() {
        check(&[], None);
        check(&[(1, 1)], Some(1000));
        check(&[(0, 1)], Some(0));
        check(&[(3, 5), (0, 1)], Some(300));
        check(&[(1, 3), (1, 3), (1, 3)], Some(333));
        check(&[(2, 3)], Some(667));
        check(&[(1, 2000)], Some(1)); // 0.5 is rounded up
        check(&[(65535, 65535); 6], Some(1000));
        assert_eq!(Fraction { passed: 2, assessed: 3 }.thousandths(), 667);
    }

    proptest::proptest! {
        #[test]
        fn the_mean_is_near_the_mean_of_doubles(fractions in proptest::collection::vec((0u16..50, 50u16..500), 1..6)) {
            let mut all = [None; 6];
            for (slot, (passed, assessed)) in all.iter_mut().zip(&fractions) {
                *slot = Some(Fraction { passed: *passed, assessed: *assessed });
            }
            let sum: f64 = fractions.iter().map(|(passed, assessed)| f64::from(*passed) / f64::from(*assessed)).sum();
            let expected = sum / fractions.len() as f64 * 1000.0;
            proptest::prop_assert!((f64::from(mean(&all).unwrap()) - expected).abs() <= 0.5 + 1e-6);
        }
    }
}
