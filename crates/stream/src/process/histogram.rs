//! A histogram of durations with buckets of a fixed ratio: quantiles within 10 %, without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets: 16 µs times 1.2 to the power of the index, up to about four minutes; the last takes what is longer.
const BUCKETS: usize = 92;
const FIRST_MICROS: f64 = 16.0;
const RATIO: f64 = 1.2;

/// Counts of durations.
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: std::array::from_fn(|_| AtomicU64::new(0)), micros: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts `n` durations of the same length.
    pub(crate) fn add(&self, micros: u64, n: u64) {
        self.buckets[bucket_of(micros)].fetch_add(n, Ordering::Relaxed);
        self.micros.fetch_add(micros.saturating_mul(n), Ordering::Relaxed);
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// Their sum.
    pub(crate) fn sum_micros(&self) -> u64 {
        self.micros.load(Ordering::Relaxed)
    }

    /// The upper end of the bucket in which a share of them ends; `None` when there were none.
    pub(crate) fn quantile(&self, share: f64) -> Option<u64> {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return None;
        }
        let wanted = (total as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let found = counts.iter().position(|count| {
            below += count;
            below >= wanted
        });
        Some(end_of(found.unwrap_or(BUCKETS - 1)))
    }
}

fn bucket_of(micros: u64) -> usize {
    if micros as f64 <= FIRST_MICROS {
        return 0;
    }
    let steps = (micros as f64 / FIRST_MICROS).log(RATIO).ceil();
    (steps as usize).min(BUCKETS - 1)
}

fn end_of(bucket: usize) -> u64 {
    (FIRST_MICROS * RATIO.powi(i32::try_from(bucket).unwrap_or(i32::MAX))).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (1..=10_000).for_each(|micros| histogram.add(micros, 1));
        for (share, expected) in [(0.5, 5_000.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let found = histogram.quantile(share).unwrap() as f64;
            assert!((1.0..1.21).contains(&(found / expected)), "{share}: {found}");
        }
        assert_eq!((histogram.count(), histogram.sum_micros()), (10_000, 50_005_000));
        histogram.add(u64::MAX, 1);
        assert!(histogram.quantile(1.0).unwrap() > 200_000_000);
    }
}
