//! Direct standardisation: the rate a population would have with the age structure of a standard.
//!
//! Intervals: Fay and Feuer, Stat Med 1997;16:791 (gamma); Tiwari, Clegg and Zou, Stat Methods Med Res 2006;15:547 (modified gamma, upper
//! limit); normal. Standard: 2000 US standard population, Census P25-1130, 19 age groups as SEER publishes them.

use super::{Confidence, Interval, NotEstimable};
use crate::special::gamma_quantile;

/// One age group of the 2000 US standard population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandardGroup {
    /// First completed year of age.
    pub age_years_min: u16,
    /// Last completed year of age; the oldest group is open.
    pub age_years_max: u16,
    /// People.
    pub people: u64,
}

const fn group(age_years_min: u16, age_years_max: u16, people: u64) -> StandardGroup {
    StandardGroup { age_years_min, age_years_max, people }
}

/// 2000 US standard population, 19 age groups, 274,633,642 people.
pub const US2000: [StandardGroup; 19] = [
    group(0, 0, 3_794_901),
    group(1, 4, 15_191_619),
    group(5, 9, 19_919_840),
    group(10, 14, 20_056_779),
    group(15, 19, 19_819_518),
    group(20, 24, 18_257_225),
    group(25, 29, 17_722_067),
    group(30, 34, 19_511_370),
    group(35, 39, 22_179_956),
    group(40, 44, 22_479_229),
    group(45, 49, 19_805_793),
    group(50, 54, 17_224_359),
    group(55, 59, 13_307_234),
    group(60, 64, 10_654_272),
    group(65, 69, 9_409_940),
    group(70, 74, 8_725_574),
    group(75, 79, 7_414_559),
    group(80, 84, 4_900_234),
    group(85, u16::MAX, 4_259_173),
];

/// The number of the age group of [`US2000`] for an age in completed years.
pub fn us2000_group_of(age_years: u16) -> usize {
    US2000.iter().position(|group| age_years <= group.age_years_max).unwrap_or(US2000.len() - 1)
}

/// Events and person-time of one age group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stratum {
    /// Events.
    pub events: u64,
    /// People or person-years; above zero.
    pub person_time: f64,
}

/// A standardised rate per unit of person-time, with the intervals of three methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standardised {
    /// Events by person-time, as they are.
    pub crude: f64,
    /// With the age structure of the standard.
    pub adjusted: f64,
    /// Standard error of the adjusted rate.
    pub standard_error: f64,
    /// Fay and Feuer's gamma interval: the default; also right without events.
    pub fay_feuer: Interval,
    /// Tiwari's modification: the same lower limit, a closer upper one.
    pub tiwari: Interval,
    /// Normal interval; may go below zero.
    pub normal: Interval,
}

/// The directly standardised rate. Weights are people of the standard, or shares; they are divided by their sum.
///
/// # Errors
/// The numbers of strata and weights differ, a weight is negative or all are zero, or a stratum has no person-time: such strata must be
/// merged with a neighbour first.
pub fn standardise(
    strata: &[Stratum],
    weights: &[f64],
    confidence: Confidence,
) -> Result<Standardised, NotEstimable> {
    let sum: f64 = weights.iter().sum();
    if strata.len() != weights.len() || weights.iter().any(|w| *w < 0.0) || !(sum > 0.0 && sum.is_finite()) {
        return Err(NotEstimable::WrongWeights);
    }
    if strata.iter().any(|stratum| !(stratum.person_time > 0.0 && stratum.person_time.is_finite())) {
        return Err(NotEstimable::NoDenominator);
    }
    // What one event in the stratum adds to the adjusted rate.
    let steps: Vec<f64> =
        strata.iter().zip(weights).map(|(s, weight)| weight / sum / s.person_time).collect();
    let events = || strata.iter().map(|stratum| stratum.events as f64);
    let adjusted: f64 = events().zip(&steps).map(|(events, step)| events * step).sum();
    let variance: f64 = events().zip(&steps).map(|(events, step)| events * step * step).sum();
    let largest = steps.iter().copied().fold(0.0, f64::max);
    let n_strata = steps.len() as f64;
    let mean = steps.iter().sum::<f64>() / n_strata;
    let mean_square = steps.iter().map(|step| step * step).sum::<f64>() / n_strata;
    let (tail, half) = (confidence.tail(), confidence.z() * variance.sqrt());
    let limit = |p: f64, mean: f64, variance: f64| {
        if variance > 0.0 { gamma_quantile(p, mean * mean / variance, variance / mean) } else { 0.0 }
    };
    let low = limit(tail, adjusted, variance);
    let high = |step: f64, square: f64| limit(1.0 - tail, adjusted + step, variance + square);
    let person_time: f64 = strata.iter().map(|stratum| stratum.person_time).sum();
    Ok(Standardised {
        crude: events().sum::<f64>() / person_time,
        adjusted,
        standard_error: variance.sqrt(),
        fay_feuer: Interval { low, high: high(largest, largest * largest) },
        tiwari: Interval { low, high: high(mean, mean_square) },
        normal: Interval { low: adjusted - half, high: adjusted + half },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::near;
    use super::*;

    /// All malignant cancers, black females, SEER 9, 2000-2004 (seer.cancer.gov, tutorial on age-adjusted rates, step 3).
    const SEER: [(u64, f64); 19] = [
        (29, 139_879.0),
        (87, 553_189.0),
        (67, 736_212.0),
        (71, 770_999.0),
        (87, 651_390.0),
        (177, 639_159.0),
        (290, 676_354.0),
        (657, 736_557.0),
        (1072, 724_826.0),
        (1691, 700_200.0),
        (2428, 617_437.0),
        (2931, 516_541.0),
        (2881, 361_170.0),
        (2817, 259_440.0),
        (2817, 206_204.0),
        (2744, 172_087.0),
        (2634, 142_958.0),
        (1884, 99_654.0),
        (1705, 92_692.0),
    ];

    fn us2000() -> Vec<f64> {
        US2000.iter().map(|group| group.people as f64).collect()
    }

    fn of(strata: &[(u64, f64)], weights: &[f64]) -> Result<Standardised, NotEstimable> {
        let strata: Vec<Stratum> = strata
            .iter()
            .map(|(events, person_time)| Stratum { events: *events, person_time: *person_time })
            .collect();
        standardise(&strata, weights, Confidence::P95)
    }

    #[test]
    fn the_published_example_agrees() {
        let found = of(&SEER, &us2000()).unwrap();
        let per_100k = |rate: f64| rate * 100_000.0;
        near(per_100k(found.crude), 307.709, 5e-4);
        near(per_100k(found.adjusted), 400.304, 5e-4);
        near(per_100k(found.standard_error), 2.480_219, 5e-7);
        let check = |interval: Interval, low: f64, high: f64| {
            near(per_100k(interval.low), low, 5e-5);
            near(per_100k(interval.high), high, 5e-5);
        };
        check(found.fay_feuer, 395.4574, 405.1987);
        check(found.tiwari, 395.4574, 405.1926);
        check(found.normal, 395.4429, 405.1651);
        let small = of(&[(2, 4000.0), (5, 3000.0), (11, 1500.0)], &[0.5, 0.3, 0.2]).unwrap();
        near(per_100k(small.adjusted), 221.6667, 5e-5);
        check(small.fay_feuer, 130.8309, 352.7123);
    }

    #[test]
    fn the_standard_is_whole() {
        assert_eq!(US2000.iter().map(|group| group.people).sum::<u64>(), 274_633_642);
        let shares = [
            0.013_818, 0.055_316, 0.072_532, 0.073_031, 0.072_167, 0.066_478, 0.064_530, 0.071_045,
            0.080_762, 0.081_852, 0.072_117, 0.062_718, 0.048_454, 0.038_794, 0.034_264, 0.031_772,
            0.026_998, 0.017_843, 0.015_509,
        ];
        for (group, share) in US2000.iter().zip(shares) {
            near(group.people as f64 / 274_633_642.0, share, 5.1e-7);
        }
        for (age, expected) in [(0, 0), (1, 1), (4, 1), (5, 2), (84, 17), (85, 18), (130, 18)] {
            assert_eq!(us2000_group_of(age), expected, "{age} years");
        }
    }

    #[test]
    fn what_cannot_be_standardised_says_why() {
        assert_eq!(of(&[(1, 10.0)], &[0.5, 0.5]), Err(NotEstimable::WrongWeights));
        assert_eq!(of(&[(1, 10.0)], &[0.0]), Err(NotEstimable::WrongWeights));
        assert_eq!(of(&[(1, 10.0)], &[-1.0]), Err(NotEstimable::WrongWeights));
        assert_eq!(of(&[], &[]), Err(NotEstimable::WrongWeights));
        assert_eq!(of(&[(1, 0.0)], &[1.0]), Err(NotEstimable::NoDenominator));
        let none = of(&[(0, 100.0), (0, 50.0)], &[0.5, 0.5]).unwrap();
        assert_eq!((none.adjusted, none.fay_feuer.low), (0.0, 0.0));
        // Exact Poisson upper limit of no event, 3.688879, in the stratum where one event weighs most.
        near(none.fay_feuer.high, 3.688_879 * 0.01, 1e-7);
    }

    proptest! {
        #[test]
        fn intervals_contain_the_rate_and_equal_rates_are_not_moved(
            events in proptest::collection::vec(0u64..200, 2..8), rate in 0.0001f64..0.5,
        ) {
            let weights: Vec<f64> = (1..=events.len()).map(|n| n as f64).collect();
            let strata: Vec<(u64, f64)> = events.iter().map(|n| (*n, (n + 1) as f64 / rate)).collect();
            let found = of(&strata, &weights).unwrap();
            prop_assert!(found.fay_feuer.contains(found.adjusted) && found.tiwari.contains(found.adjusted));
            prop_assert!(found.tiwari.high <= found.fay_feuer.high);
            let equal: Vec<(u64, f64)> = events.iter().map(|n| (n + 1, (n + 1) as f64 / rate)).collect();
            let found = of(&equal, &weights).unwrap();
            prop_assert!((found.adjusted - rate).abs() < 1e-12 && (found.crude - rate).abs() < 1e-12);
        }
    }
}
