//! The simple detector: more than twice the average of thirty days that end a week before, without the days that were flagged themselves.

use super::detect::{Look, Options};

/// Days of a baseline, days between it and the tested day, and fewest days; of weeks a quarter.
pub(super) struct Shape {
    pub(super) baseline: usize,
    pub(super) guard: usize,
    pub(super) fewest: usize,
}

/// Thirty days, a week of guard.
pub(super) const DAYS: Shape = Shape { baseline: 30, guard: 7, fewest: 14 };
/// Eight weeks, two of guard.
pub(super) const WEEKS: Shape = Shape { baseline: 8, guard: 2, fewest: 4 };

/// Counts of the baseline of a day: the newest that end before the guard band and were not flagged. When an outbreak lasts so long that too few are
/// left, its days count: what lasts is no outbreak.
pub(super) fn baseline(counts: &[u64], flags: &[bool], at: usize, shape: &Shape) -> Option<Vec<f64>> {
    let end = at.checked_sub(shape.guard)?;
    let earliest = end.saturating_sub(4 * shape.baseline);
    let newest = |with_flagged: bool| -> Vec<f64> {
        let days = (earliest..end).rev().filter(|day| with_flagged || !flags[*day]);
        days.take(shape.baseline).map(|day| counts[day] as f64).collect()
    };
    let calm = newest(false);
    let chosen = if calm.len() < shape.fewest { newest(true) } else { calm };
    (chosen.len() >= shape.fewest).then_some(chosen)
}

/// Every day; `None` without a baseline.
pub(super) fn simple(counts: &[u64], shape: &Shape, options: &Options) -> Vec<Option<Look>> {
    let mut flags = vec![false; counts.len()];
    let mut looks = Vec::with_capacity(counts.len());
    for at in 0..counts.len() {
        let look = baseline(counts, &flags, at, shape).map(|baseline| {
            let expected = baseline.iter().sum::<f64>() / baseline.len() as f64;
            let count = counts[at];
            let is_flagged = match expected {
                // After a month without any, the first case is one too many.
                0.0 => count > 0,
                _ => count >= options.cases_min && count as f64 > 2.0 * expected,
            };
            let statistic = (expected > 0.0).then(|| count as f64 / expected);
            Look { expected: Some(expected), bound: Some(2.0 * expected), statistic, is_flagged }
        });
        flags[at] = look.as_ref().is_some_and(|look| look.is_flagged);
        looks.push(look);
    }
    looks
}
