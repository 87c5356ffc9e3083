//! CUSUM on a moving baseline: each day is measured in standard deviations of the calm days before.

use clinical::surveillance::cusum::Cusum;

use super::detect::{Look, Options};
use super::simple::{DAYS, baseline};

/// What is allowed per day, and where it alerts, in standard deviations.
const ALLOWANCE: f64 = 0.5;
const DECISION: f64 = 4.0;

/// Every day; `None` without a baseline. The sum begins again at zero after an alert.
pub(super) fn cusum(counts: &[u64], options: &Options) -> Vec<Option<Look>> {
    let mut sum = Cusum::new(ALLOWANCE, DECISION);
    let mut before = 0.0;
    let mut flags = vec![false; counts.len()];
    let mut looks = Vec::with_capacity(counts.len());
    for at in 0..counts.len() {
        let look = baseline(counts, &flags, at, &DAYS).map(|baseline| {
            let n = baseline.len() as f64;
            let expected = baseline.iter().sum::<f64>() / n;
            let squares: f64 = baseline.iter().map(|count| (count - expected).powi(2)).sum();
            let sd = (squares / (n - 1.0)).sqrt().max(options.sd_min);
            let step = sum.add(counts[at] as f64, expected, sd);
            let bound = Some(expected + sd * (DECISION + ALLOWANCE - before));
            before = if step.alert { 0.0 } else { step.sum };
            Look { expected: Some(expected), bound, statistic: Some(step.sum), is_flagged: step.alert }
        });
        flags[at] = look.as_ref().is_some_and(|look| look.is_flagged);
        looks.push(look);
    }
    looks
}
