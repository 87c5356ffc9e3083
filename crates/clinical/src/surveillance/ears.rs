//! EARS C1, C2 and C3: a count against the mean and standard deviation of the seven days before it.
//!
//! Source: Hutwagner et al., J Urban Health 2003;80:i89; Fricker, Hegler and Dunfee, Stat Med 2008;27:3407 (C3 by its definition, with today's
//! C2 in the sum: the R package `surveillance` leaves it out). The baseline of C1 ends the day before, that of C2 and C3 three days before.

use super::mean_and_sd;

/// Days of the baseline.
const BASELINE: usize = 7;
/// Days between the baseline of C2 and the tested day.
const GUARD: usize = 2;

/// When to alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// C1 and C2 alert above this many standard deviations; CDC uses 3.
    pub z_max: f64,
    /// C3 alerts above this sum; CDC uses 2.
    pub c3_max: f64,
    /// A standard deviation below this counts as this: after seven days without change every case would be infinitely many. EARS uses 0.2,
    /// Burkom 0.5 to 1. With 0, any count above a constant baseline alerts.
    pub sd_min: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options { z_max: 3.0, c3_max: 2.0, sd_min: 0.5 }
    }
}

/// One look at one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Mean of the baseline.
    pub expected: f64,
    /// Above it, C1 and C2 alert.
    pub upper: f64,
    /// (count - mean) / standard deviation; for C3 the sum of what three days had above 1.
    pub statistic: f64,
    /// Does it alert.
    pub alert: bool,
}

fn look(counts: &[f64], day: usize, guard: usize, options: Options) -> Option<Look> {
    let end = day.checked_sub(guard)?;
    let baseline = counts.get(end.checked_sub(BASELINE)?..end)?;
    let count = *counts.get(day)?;
    let (expected, sd) = mean_and_sd(baseline);
    let sd = sd.max(options.sd_min);
    let above = count - expected;
    let statistic = match above {
        0.0 => 0.0,
        // Divided by zero: without end above a constant baseline.
        _ => above / sd,
    };
    let upper = expected + options.z_max * sd;
    Some(Look { expected, upper, statistic, alert: statistic > options.z_max })
}

/// C1: baseline of the seven days before. `None`: there are fewer, or no such day.
pub fn c1(counts: &[f64], day: usize, options: Options) -> Option<Look> {
    look(counts, day, 0, options)
}

/// C2: baseline of the seven days that end three days before. `None` as for [`c1`].
pub fn c2(counts: &[f64], day: usize, options: Options) -> Option<Look> {
    look(counts, day, GUARD, options)
}

/// C3: sum over this day and the two before of what C2 has above 1. `None`: C2 of one of them is missing.
pub fn c3(counts: &[f64], day: usize, options: Options) -> Option<Look> {
    let today = c2(counts, day, options)?;
    let mut sum = 0.0;
    for before in 0..=2 {
        let statistic = c2(counts, day.checked_sub(before)?, options)?.statistic;
        sum += f64::max(0.0, statistic - 1.0);
    }
    Some(Look { statistic: sum, alert: sum > options.c3_max, ..today })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::tests::near;

    const SERIES: [u8; 30] =
        [5, 7, 6, 4, 8, 6, 5, 7, 9, 6, 5, 8, 7, 6, 14, 21, 25, 18, 9, 7, 6, 5, 8, 6, 7, 5, 30, 6, 7, 6];

    fn series() -> Vec<f64> {
        SERIES.iter().map(|count| f64::from(*count)).collect()
    }

    /// Days from 1, as in the reference.
    fn alerts(detector: fn(&[f64], usize, Options) -> Option<Look>, options: Options) -> Vec<usize> {
        let series = series();
        (0..30)
            .filter(|day| detector(&series, *day, options).is_some_and(|look| look.alert))
            .map(|day| day + 1)
            .collect()
    }

    const NO_FLOOR: Options = Options { z_max: 3.0, c3_max: 2.0, sd_min: 0.0 };

    #[test]
    fn the_worked_series() {
        let at_999 = Options { z_max: 3.090_232_306_167_813, ..NO_FLOOR };
        assert_eq!(alerts(c1, at_999), [15, 16, 27]);
        assert_eq!(alerts(c2, at_999), [15, 16, 17, 18, 27]);
        assert_eq!(alerts(c3, NO_FLOOR), [15, 16, 17, 18, 19, 20, 27, 28, 29]);
        let check = |detector: fn(&[f64], usize, Options) -> Option<Look>, expected: &[(usize, f64)]| {
            for (day, statistic) in expected {
                near(detector(&series(), day - 1, NO_FLOOR).unwrap().statistic, *statistic, 5e-5);
            }
        };
        check(c1, &[(15, 5.3099), (16, 4.3466), (17, 2.6349), (27, 21.3124)]);
        check(c2, &[(15, 4.9135), (16, 9.5491), (17, 13.4873), (18, 3.3544), (27, 4.8701)]);
        check(c3, &[(15, 3.9135), (16, 12.4626), (17, 24.9499), (18, 23.3908), (19, 14.8417), (20, 2.3544)]);
        check(c3, &[(27, 3.8701), (28, 3.8701), (29, 3.8701)]);
        let upper = |detector: fn(&[f64], usize, Options) -> Option<Look>, expected: &[(usize, f64)]| {
            for (day, upper) in expected {
                near(detector(&series(), day - 1, at_999).unwrap().upper, *upper, 5e-7);
            }
        };
        upper(c1, &[(8, 10.014_078), (15, 11.014_078), (16, 17.201_127), (27, 9.724_207)]);
        upper(
            c2,
            &[(15, 11.243_421), (16, 11.337_355), (17, 11.014_078), (18, 17.201_127), (27, 22.116_259)],
        );
    }

    #[test]
    fn the_first_days_are_not_tested() {
        let first = |detector: fn(&[f64], usize, Options) -> Option<Look>| {
            (0..40)
                .filter(|day| detector(&series(), *day, NO_FLOOR).is_some())
                .fold((40, 0), |(low, high), day| (day.min(low), day.max(high)))
        };
        assert_eq!((first(c1), first(c2), first(c3)), ((7, 29), (9, 29), (11, 29)));
    }

    #[test]
    fn a_baseline_of_zeros_alerts() {
        let mut counts = vec![0.0; 12];
        assert!(!c2(&counts, 11, Options::default()).unwrap().alert);
        counts[11] = 1.0;
        assert!(!c2(&counts, 11, Options::default()).unwrap().alert);
        assert!(c2(&counts, 11, NO_FLOOR).unwrap().alert);
        counts[11] = 2.0;
        for detector in [c1, c2, c3] {
            assert!(detector(&counts, 11, Options::default()).unwrap().alert);
        }
    }
}
