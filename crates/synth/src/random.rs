//! Chance: one stream of numbers per patient, from the seed. Only `+ - * /` on floats, so that every machine draws the same people.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of random numbers.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of a number within a seed. Streams do not overlap, whatever is drawn from them.
    pub(crate) fn of(seed: u64, stream: u64) -> Draw {
        let mut key = *b"........salus synthetic people 1";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        Draw(rng)
    }

    /// A number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        // 53 bits are what a float holds.
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        let width = i64::from(high.max(low)) - i64::from(low) + 1;
        low + (self.unit() * width as f64) as i32
    }

    /// One of a list.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let last = items.len() - 1;
        &items[((self.unit() * items.len() as f64) as usize).min(last)]
    }

    /// The position of one weight among weights.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (at, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        weights.len() - 1
    }

    /// Nearly normal: twelve uniform numbers, never further than six deviations from the mean.
    pub(crate) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.unit()).sum();
        mean + deviation * (sum - 6.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let first = |seed, stream| Draw::of(seed, stream).unit();
        assert_eq!(first(1, 1), first(1, 1));
        assert_ne!(first(1, 1), first(1, 2));
        assert_ne!(first(1, 1), first(2, 1));
    }

    #[test]
    fn draws_stay_in_their_bounds() {
        let mut draw = Draw::of(7, 7);
        let mut seen = [0; 3];
        for _ in 0..3_000 {
            seen[draw.between(0, 2) as usize] += 1;
            assert!((0.0..1.0).contains(&draw.unit()));
            assert!(draw.weighted(&[0.0, 1.0, 0.0]) == 1);
        }
        assert!(seen.iter().all(|n| *n > 900), "{seen:?}");
        let mean = (0..3_000).map(|_| draw.normal(10.0, 2.0)).sum::<f64>() / 3_000.0;
        assert!((mean - 10.0).abs() < 0.15, "{mean}");
    }
}
