//! Proportions and rates with their intervals, and comparisons of two of them.
//!
//! Sources: Wilson, JASA 1927;22:209; Clopper and Pearson, Biometrika 1934;26:404; Garwood, Biometrika 1936;28:437 (exact Poisson); Byar's
//! approximation in Breslow and Day, IARC 1987, vol. II; ratios and differences: Rothman, Greenland and Lash, Modern Epidemiology, 3rd ed., ch. 14.

use super::{Confidence, Interval, NotEstimable};
use crate::special::{beta_quantile, chi_squared_quantile};

/// Events among people, each of whom has at most one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    events: u64,
    people: u64,
}

impl Proportion {
    /// # Errors
    /// Nobody at risk, or more events than people.
    pub fn of(events: u64, people: u64) -> Result<Proportion, NotEstimable> {
        match people {
            0 => Err(NotEstimable::NoDenominator),
            _ if events > people => Err(NotEstimable::NumeratorTooLarge),
            _ => Ok(Proportion { events, people }),
        }
    }

    /// The estimate.
    pub fn value(self) -> f64 {
        self.events as f64 / self.people as f64
    }

    /// Wilson's score interval: good at every size, the default for proportions.
    pub fn wilson(self, confidence: Confidence) -> Interval {
        let (n, p, z) = (self.people as f64, self.value(), confidence.z());
        let z2 = z * z;
        let centre = p + z2 / (2.0 * n);
        let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        let limit = |x: f64| (x / (1.0 + z2 / n)).clamp(0.0, 1.0);
        Interval {
            low: if self.events == 0 { 0.0 } else { limit(centre - half) },
            high: if self.events == self.people { 1.0 } else { limit(centre + half) },
        }
    }

    /// Clopper and Pearson's exact interval: never too narrow, often too wide.
    pub fn clopper_pearson(self, confidence: Confidence) -> Interval {
        let (events, others) = (self.events as f64, (self.people - self.events) as f64);
        let tail = confidence.tail();
        Interval {
            low: if self.events == 0 { 0.0 } else { beta_quantile(tail, events, others + 1.0) },
            high: if self.events == self.people {
                1.0
            } else {
                beta_quantile(1.0 - tail, events + 1.0, others)
            },
        }
    }
}

/// Exact (Garwood) interval of a Poisson count.
pub fn poisson_exact(count: u64, confidence: Confidence) -> Interval {
    let (count, tail) = (count as f64, confidence.tail());
    Interval {
        low: chi_squared_quantile(tail, 2.0 * count) / 2.0,
        high: chi_squared_quantile(1.0 - tail, 2.0 * count + 2.0) / 2.0,
    }
}

/// Byar's approximation of the interval of a Poisson count.
pub fn poisson_byar(count: u64, confidence: Confidence) -> Interval {
    let (count, z) = (count as f64, confidence.z());
    let limit = |count: f64, z: f64| count * (1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt())).powi(3);
    Interval { low: if count > 0.0 { limit(count, -z) } else { 0.0 }, high: limit(count + 1.0, z) }
}

/// Events in person-time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    events: u64,
    person_time: f64,
}

impl Rate {
    /// # Errors
    /// No person-time.
    pub fn of(events: u64, person_time: f64) -> Result<Rate, NotEstimable> {
        if person_time > 0.0 && person_time.is_finite() {
            Ok(Rate { events, person_time })
        } else {
            Err(NotEstimable::NoDenominator)
        }
    }

    /// The estimate per unit of person-time.
    pub fn value(self) -> f64 {
        self.events as f64 / self.person_time
    }

    /// Exact interval.
    pub fn exact(self, confidence: Confidence) -> Interval {
        poisson_exact(self.events, confidence).times(1.0 / self.person_time)
    }
}

/// A comparison of two estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Ratio or difference.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
}

fn log_ratio(value: f64, variance: f64, confidence: Confidence) -> Comparison {
    let half = confidence.z() * variance.sqrt();
    Comparison { value, interval: Interval { low: value * (-half).exp(), high: value * half.exp() } }
}

/// Ratio of two rates of person-time, log-normal interval.
///
/// # Errors
/// No events in one of them.
pub fn rate_ratio(rate: Rate, reference: Rate, confidence: Confidence) -> Result<Comparison, NotEstimable> {
    if rate.events == 0 || reference.events == 0 {
        return Err(NotEstimable::NoEvents);
    }
    let variance = 1.0 / rate.events as f64 + 1.0 / reference.events as f64;
    Ok(log_ratio(rate.value() / reference.value(), variance, confidence))
}

/// Ratio of two proportions, log-normal interval.
///
/// # Errors
/// No events in one of them.
pub fn risk_ratio(
    risk: Proportion,
    reference: Proportion,
    confidence: Confidence,
) -> Result<Comparison, NotEstimable> {
    if risk.events == 0 || reference.events == 0 {
        return Err(NotEstimable::NoEvents);
    }
    let variance = |p: Proportion| (1.0 - p.value()) / p.events as f64;
    Ok(log_ratio(risk.value() / reference.value(), variance(risk) + variance(reference), confidence))
}

/// Difference of two rates of person-time, normal interval.
pub fn rate_difference(rate: Rate, reference: Rate, confidence: Confidence) -> Comparison {
    let variance = |rate: Rate| rate.value() / rate.person_time;
    let value = rate.value() - reference.value();
    let half = confidence.z() * (variance(rate) + variance(reference)).sqrt();
    Comparison { value, interval: Interval { low: value - half, high: value + half } }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::near;
    use super::*;

    const P95: Confidence = Confidence::P95;

    fn check(found: Interval, low: f64, high: f64) {
        near(found.low, low, 1e-6);
        near(found.high, high, 1e-6);
    }

    #[test]
    fn counts_agree_with_the_reference() {
        for (count, low, high, byar_low, byar_high) in [
            (0, 0.0, 3.688_879, 0.0, 3.668_012),
            (1, 0.025_318, 5.571_643, 0.013_072, 5.563_756),
            (3, 0.618_672, 8.767_273, 0.602_973, 8.765_364),
            (10, 4.795_389, 18.390_356, 4.787_450, 18.391_459),
            (65, 50.165_628, 82.847_836, 50.163_188, 82.849_139),
            (100, 81.363_991, 121.626_794, 81.362_105, 121.627_938),
        ] {
            check(poisson_exact(count, P95), low, high);
            check(poisson_byar(count, P95), byar_low, byar_high);
        }
    }

    #[test]
    fn proportions_agree_with_the_reference() {
        for (events, people, wilson, exact) in [
            (0, 10, (0.0, 0.277_533), (0.0, 0.308_497)),
            (1, 10, (0.017_876, 0.404_150), (0.002_529, 0.445_016)),
            (15, 148, (0.062_386, 0.160_487), (0.057_844, 0.161_650)),
            (81, 263, (0.255_289, 0.366_210), (0.252_737, 0.367_622)),
            (56, 70, (0.691_834, 0.876_953), (0.687_264, 0.886_120)),
            (10, 10, (0.722_467, 1.0), (0.691_503, 1.0)),
        ] {
            let found = Proportion::of(events, people).unwrap();
            check(found.wilson(P95), wilson.0, wilson.1);
            check(found.clopper_pearson(P95), exact.0, exact.1);
        }
        assert_eq!(Proportion::of(0, 0), Err(NotEstimable::NoDenominator));
        assert_eq!(Proportion::of(11, 10), Err(NotEstimable::NumeratorTooLarge));
    }

    #[test]
    fn comparisons_agree_with_the_reference() {
        let (rate, reference) = (Rate::of(45, 1000.0).unwrap(), Rate::of(30, 1200.0).unwrap());
        let ratio = rate_ratio(rate, reference, P95).unwrap();
        near(ratio.value, 1.8, 1e-12);
        check(ratio.interval, 1.134_077, 2.856_950);
        let risks = (Proportion::of(45, 1000).unwrap(), Proportion::of(30, 1200).unwrap());
        check(risk_ratio(risks.0, risks.1, P95).unwrap().interval, 1.142_827, 2.835_074);
        let difference = rate_difference(rate, reference, P95);
        near(difference.value, 0.02, 1e-12);
        check(difference.interval, 0.004_097_295, 0.035_902_71);
        assert_eq!(rate.exact(P95), poisson_exact(45, P95).times(1.0 / 1000.0));
        let none = Rate::of(0, 10.0).unwrap();
        assert_eq!(rate_ratio(none, reference, P95), Err(NotEstimable::NoEvents));
        assert_eq!(Rate::of(1, 0.0), Err(NotEstimable::NoDenominator));
        assert_eq!(Rate::of(1, f64::NAN), Err(NotEstimable::NoDenominator));
    }

    #[test]
    fn large_counts_keep_their_precision() {
        for count in [100_000, 10_000_000, 1_000_000_000] {
            let (exact, byar) = (poisson_exact(count, P95), poisson_byar(count, P95));
            near(exact.low / byar.low, 1.0, 1e-8);
            near(exact.high / byar.high, 1.0, 1e-8);
            let half = Proportion::of(count, count * 2).unwrap();
            let (exact, wilson) = (half.clopper_pearson(P95), half.wilson(P95));
            near(exact.low, wilson.low, 0.6 / count as f64);
            near(exact.high, wilson.high, 0.6 / count as f64);
        }
    }

    proptest! {
        #[test]
        fn intervals_contain_the_estimate(events in 0u64..500, others in 0u64..500, more in 1u64..400, level in 0.5f64..0.999) {
            let confidence = Confidence::of(level).unwrap();
            let found = Proportion::of(events, events + others + 1).unwrap();
            for interval in [found.wilson(confidence), found.clopper_pearson(confidence)] {
                prop_assert!(interval.contains(found.value()));
                prop_assert!(0.0 <= interval.low && interval.high <= 1.0);
            }
            for interval in [poisson_exact(events, confidence), poisson_byar(events, confidence)] {
                prop_assert!(interval.contains(events as f64));
            }
            let (rate, reference) = (Rate::of(events + 1, 900.0).unwrap(), Rate::of(more, 700.0).unwrap());
            let ratio = rate_ratio(rate, reference, confidence).unwrap();
            prop_assert!(ratio.interval.contains(ratio.value));
            let difference = rate_difference(rate, reference, confidence);
            prop_assert!(difference.interval.contains(difference.value));
        }

        /// Exact: with the limits as the truth, a result as extreme has the probability of one tail.
        #[test]
        fn clopper_pearson_inverts_the_binomial(people in 1u64..30, share in 0.0f64..1.0) {
            let events = (share * people as f64) as u64;
            let interval = Proportion::of(events, people).unwrap().clopper_pearson(P95);
            let upper_tail = |p: f64, from: u64| {
                let choose = |k: u64| (1..=k).map(|i| (people - k + i) as f64 / i as f64).product::<f64>();
                (from..=people).map(|k| choose(k) * p.powi(k as i32) * (1.0 - p).powi((people - k) as i32)).sum::<f64>()
            };
            if events > 0 {
                prop_assert!((upper_tail(interval.low, events) - 0.025).abs() < 1e-9);
            }
            if events < people {
                prop_assert!((1.0 - upper_tail(interval.high, events + 1) - 0.025).abs() < 1e-9);
            }
        }
    }
}
