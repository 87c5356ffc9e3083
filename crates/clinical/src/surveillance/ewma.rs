//! EWMA of NSSP-ESSENCE: two exponentially weighted averages, one for slow and one for sudden rises, against a baseline with a guard band.
//!
//! Source: the method of NSSP-ESSENCE as CDC publishes it (Rnssp, `alert_ewma`; Burkom et al., Sci Rep 2021;11:11003): baseline of 11 to 28 days
//! that ends three days before, weights 0.4 and 0.9, Student's t with baseline days - 1 degrees of freedom, quantiles rounded to 5 places.

use super::mean_and_sd;
use crate::special::{t_quantile, t_upper};

const BASELINE_MIN: usize = 11;
const BASELINE_MAX: usize = 28;
const GUARD: usize = 2;
const WEIGHTS: [f64; 2] = [0.4, 0.9];
/// Below this probability it alerts; also where averages are clipped.
const P_ALERT: f64 = 0.01;
/// Below this probability it warns.
const P_WARNING: f64 = 0.05;

/// What a day shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// As expected (blue).
    None,
    /// p below 0.05 (yellow).
    Warning,
    /// p below 0.01 (red).
    Alert,
}

/// One tested day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Mean of the baseline.
    pub expected: f64,
    /// The larger of the two statistics.
    pub statistic: f64,
    /// Its upper tail probability.
    pub p: f64,
    /// What it shows.
    pub signal: Signal,
}

/// Standard deviation of the average less the baseline mean, of `n` days, with its lower bound.
fn sigma(w: f64, sd: f64, n: f64, warning: f64) -> f64 {
    let keep = 1.0 - w;
    let overlap = 2.0 * keep.powf(GUARD as f64 + 1.0) * (1.0 - keep.powf(n)) / n;
    let correction = (w / (2.0 - w) + 1.0 / n - overlap).sqrt();
    let lowest = w / warning * (1.0 + 0.5 * keep * keep);
    let constant = (0.1289 - (0.2414 - 0.1826 * keep.powi(4)) * (10.0 * P_WARNING).ln()) * w / warning;
    lowest.max(sd * correction + constant)
}

fn rounded(x: f64) -> f64 {
    (x * 1e5).round() / 1e5
}

/// Every day of a series; `None` for the first 13, which have no baseline.
pub fn ewma(counts: &[f64]) -> Vec<Option<Look>> {
    let mut averages = [counts.first().copied().unwrap_or_default(); 2];
    let mut looks = Vec::with_capacity(counts.len());
    for (day, count) in counts.iter().enumerate() {
        for (average, w) in averages.iter_mut().zip(WEIGHTS) {
            if day > 0 {
                *average = w * count + (1.0 - w) * *average;
            }
        }
        let end = day.saturating_sub(GUARD);
        looks.push((end >= BASELINE_MIN).then(|| {
            let baseline = &counts[end.saturating_sub(BASELINE_MAX)..end];
            look(baseline, &mut averages)
        }));
    }
    looks
}

/// Tests the averages of a day and clips them, so that one outbreak does not hide the next.
fn look(baseline: &[f64], averages: &mut [f64; 2]) -> Look {
    let n = baseline.len() as f64;
    let (expected, sd) = mean_and_sd(baseline);
    let (alert, warning) =
        (rounded(t_quantile(1.0 - P_ALERT, n - 1.0)), rounded(t_quantile(1.0 - P_WARNING, n - 1.0)));
    let mut largest = f64::NEG_INFINITY;
    for (average, w) in averages.iter_mut().zip(WEIGHTS) {
        let sigma = sigma(w, sd, n, warning);
        let statistic = (*average - expected) / sigma;
        if statistic.abs() > alert {
            *average = expected + statistic.signum() * alert * sigma;
        }
        largest = largest.max(statistic);
    }
    let p = t_upper(largest, n - 1.0);
    let signal = match p {
        _ if p < P_ALERT => Signal::Alert,
        _ if p < P_WARNING => Signal::Warning,
        _ => Signal::None,
    };
    Look { expected, statistic: largest, p, signal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::tests::near;

    const SERIES: [u8; 36] = [
        12, 15, 11, 14, 18, 9, 8, 13, 16, 12, 15, 17, 10, 9, 14, 15, 13, 16, 19, 11, 8, 12, 17, 14, 15, 18,
        10, 9, 13, 16, 14, 17, 33, 35, 20, 15,
    ];

    /// Day from 1, expected, statistic, p.
    const REFERENCE: [(usize, f64, f64, f64); 23] = [
        (14, 13.0, -0.93139, 8.13205e-1),
        (15, 13.33333, 0.05962, 4.76765e-1),
        (16, 13.07692, 0.57675, 2.87385e-1),
        (17, 12.78571, 0.27923, 3.92229e-1),
        (18, 12.86667, 0.93915, 1.81787e-1),
        (19, 13.0, 1.92544, 3.66737e-2),
        (20, 13.0, 0.70070, 2.46777e-1),
        (21, 13.16667, -0.92294, 8.15523e-1),
        (22, 13.47368, -0.59656, 7.20886e-1),
        (23, 13.35, 1.02354, 1.59455e-1),
        (24, 13.09524, 0.47213, 3.20972e-1),
        (25, 13.04545, 0.75914, 2.28103e-1),
        (26, 13.21739, 1.48890, 7.53552e-2),
        (27, 13.25, 0.14004, 4.44923e-1),
        (28, 13.32, -0.96814, 8.28684e-1),
        (29, 13.5, -0.28593, 6.11357e-1),
        (30, 13.37037, 0.74072, 2.32750e-1),
        (31, 13.21429, 0.35791, 3.61598e-1),
        (32, 13.25, 1.10819, 1.38777e-1),
        (33, 13.28571, 5.73823, 2.11427e-6),
        (34, 13.39286, 6.46854, 3.10817e-7),
        (35, 13.5, 2.88362, 3.81368e-3),
        (36, 14.03571, 1.03505, 1.54915e-1),
    ];

    #[test]
    fn the_reference_series_agrees() {
        let looks = ewma(&SERIES.map(f64::from));
        assert_eq!(looks.iter().filter(|look| look.is_none()).count(), 13);
        for (day, expected, statistic, p) in REFERENCE {
            let look = looks[day - 1].unwrap();
            near(look.expected, expected, 5e-6);
            near(look.statistic, statistic, 5e-6);
            near(look.p, p, 5e-6 * p.max(1e-2));
        }
        let signals = |wanted| {
            (1..)
                .zip(&looks)
                .filter(move |(_, look)| look.is_some_and(|look| look.signal == wanted))
                .map(|(day, _)| day)
        };
        assert_eq!(signals(Signal::Alert).collect::<Vec<usize>>(), [33, 34, 35]);
        assert_eq!(signals(Signal::Warning).collect::<Vec<usize>>(), [19]);
    }

    #[test]
    fn short_series_and_zeros() {
        assert!(ewma(&[]).is_empty());
        assert!(ewma(&[1.0; 13]).iter().all(Option::is_none));
        let mut counts = vec![0.0; 40];
        assert_eq!(ewma(&counts)[39].unwrap().signal, Signal::None);
        counts[39] = 3.0;
        assert_eq!(ewma(&counts)[39].unwrap().signal, Signal::Alert);
    }
}
