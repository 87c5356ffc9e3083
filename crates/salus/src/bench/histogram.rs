//! How long things took, in memory that does not grow with their number: a run that watches memory must not be what grows.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Width of a class.
const STEP_MICROS: usize = 10;
/// Longest time that is told apart from longer ones.
const SECS_MAX: usize = 20;

/// Counts in classes of ten microseconds. Shared by those who measure.
pub(crate) struct Histogram {
    classes: Box<[AtomicU32]>,
    n: AtomicU64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        let n_classes = SECS_MAX * 1_000_000 / STEP_MICROS + 1;
        Histogram { classes: (0..n_classes).map(|_| AtomicU32::new(0)).collect(), n: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self, took: Duration) {
        let class = usize::try_from(took.as_micros()).unwrap_or(usize::MAX) / STEP_MICROS;
        self.classes[class.min(self.classes.len() - 1)].fetch_add(1, Ordering::Relaxed);
        self.n.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn n(&self) -> u64 {
        self.n.load(Ordering::Relaxed)
    }

    /// The time that a share of all stayed below or at, rounded up to a class; `None` when there are none.
    pub(crate) fn quantile_ms(&self, share: f64) -> Option<f64> {
        let rank = (share * self.n() as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let class = self.classes.iter().position(|class| {
            below += u64::from(class.load(Ordering::Relaxed));
            below >= rank
        })?;
        Some(((class + 1) * STEP_MICROS) as f64 / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let histogram = Histogram::new();
        assert_eq!(histogram.quantile_ms(0.5), None);
        for micros in 0..1_000 {
            histogram.add(Duration::from_micros(micros * 100 + 5));
        }
        assert_eq!(histogram.n(), 1_000);
        for (share, expected) in [(0.0, 0.01), (0.5, 49.91), (0.99, 98.91), (1.0, 99.91)] {
            assert_eq!(histogram.quantile_ms(share), Some(expected), "{share}");
        }
        histogram.add(Duration::from_secs(3_600));
        assert_eq!(histogram.quantile_ms(1.0), Some(20_000.01));
    }
}
