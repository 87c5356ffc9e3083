//! The sensitive column: is a group diverse enough, and is it distributed like the whole.

use std::collections::BTreeMap;
use std::fmt;

use crate::PrivacyError;

/// Small differences of floating point numbers are no violation.
const TOLERANCE: f64 = 1e-9;

/// How diverse a class must be (l-diversity).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Diversity {
    /// At least so many different values.
    Distinct(usize),
    /// Entropy of at least `ln l`: as uncertain as `l` equally frequent values.
    Entropy(f64),
}

/// A sensitive column over ordered levels.
pub struct Sensitive {
    name: String,
    levels: Vec<u32>,
    n_levels: usize,
}

impl Sensitive {
    /// A column whose values are all among `order`, which lists the levels from low to high. Name a missing value `""` there.
    pub fn new(name: &str, order: &[&str], values: &[&str]) -> Result<Sensitive, PrivacyError> {
        let index: BTreeMap<&str, u32> = order.iter().copied().zip(0..).collect();
        if index.len() != order.len() {
            let problem = "lists a level twice".to_owned();
            return Err(PrivacyError::BadParameter { name: "order", problem });
        }
        let mut levels = Vec::with_capacity(values.len());
        for (row, value) in values.iter().enumerate() {
            let problem = "not among the levels of its order: add it there";
            let absent = || PrivacyError::BadValue { column: name.to_owned(), row, problem };
            levels.push(*index.get(value).ok_or_else(absent)?);
        }
        Ok(Sensitive { name: name.to_owned(), levels, n_levels: order.len() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Rows per level: what [`super::Anonymizer::with_reference`] takes, summed over the strata.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.n_levels];
        self.levels.iter().for_each(|level| counts[*level as usize] += 1);
        counts
    }

    fn counts_of(&self, rows: &[u32]) -> Vec<u64> {
        let mut counts = vec![0; self.n_levels];
        rows.iter().for_each(|row| counts[self.levels[*row as usize] as usize] += 1);
        counts
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sensitive(`{}`, {} rows)", self.name, self.len())
    }
}

/// What a group must keep.
pub(super) struct Rule<'a> {
    pub(super) column: &'a Sensitive,
    pub(super) diversity: Option<Diversity>,
    pub(super) closeness: Option<f64>,
    pub(super) reference: Vec<u64>,
}

impl Rule<'_> {
    pub(super) fn holds(&self, rows: &[u32]) -> bool {
        if self.diversity.is_none() && self.closeness.is_none() {
            return true;
        }
        let counts = self.column.counts_of(rows);
        let diverse = match self.diversity {
            Some(Diversity::Distinct(l)) => counts.iter().filter(|n| **n > 0).count() >= l,
            Some(Diversity::Entropy(l)) => entropy(&counts) >= l.ln() - TOLERANCE,
            None => true,
        };
        diverse && self.closeness.is_none_or(|t| distance(&counts, &self.reference) <= t + TOLERANCE)
    }
}

/// `ln n - Σ c ln c / n`.
fn entropy(counts: &[u64]) -> f64 {
    let n = counts.iter().sum::<u64>() as f64;
    let sum: f64 = counts.iter().filter(|c| **c > 0).map(|c| *c as f64 * (*c as f64).ln()).sum();
    n.ln() - sum / n
}

/// Earth mover's distance of ordered levels: the sum of the differences of the cumulated shares over (levels - 1).
fn distance(a: &[u64], b: &[u64]) -> f64 {
    if a.len() < 2 {
        return 0.0;
    }
    let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    let (n_a, n_b) = (total(a), total(b));
    let (mut carried, mut sum) = (0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        carried += *x as f64 / n_a - *y as f64 / n_b;
        sum += f64::abs(carried);
    }
    sum / (a.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_shares() {
        let check =
            |counts: &[u64], expected: f64| assert!((entropy(counts) - expected).abs() < 1e-12, "{counts:?}");
        check(&[5, 5], 2f64.ln());
        check(&[1, 1, 1, 0], 3f64.ln());
        check(&[7, 0], 0.0);
        check(&[3, 1], 0.562_335_144_618_808_3);
    }

    #[test]
    fn distances_of_the_salary_example() {
        // Li, Li, Venkatasubramanian, "t-Closeness", 2007: salaries of 3k to 11k; {3k,4k,5k} is 0.375 away, {6k,8k,11k} 0.167.
        let all = [1u64; 9];
        let check =
            |group: [u64; 9], expected: f64| assert!((distance(&group, &all) - expected).abs() < 1e-3);
        check([1, 1, 1, 0, 0, 0, 0, 0, 0], 0.375);
        check([0, 0, 0, 1, 0, 1, 0, 0, 1], 0.167);
        check(all, 0.0);
    }
}
