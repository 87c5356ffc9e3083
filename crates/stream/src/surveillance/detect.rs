//! Detectors by name, run over a series: what was expected, the bound, the flag of each day.

use clinical::age::Day;
use clinical::surveillance::farrington::{self, Weekly, farrington};
use clinical::surveillance::{ears, ewma};
use serde::Deserialize;

use super::cumulate::cusum;
use super::series::{Resolution, Series};
use super::{MeasureConfig, simple};

/// A detector of outbreaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detector {
    /// EARS C1, on days.
    EarsC1,
    /// EARS C2, on days.
    EarsC2,
    /// EARS C3, on days.
    EarsC3,
    /// EWMA of NSSP-ESSENCE, on days.
    Ewma,
    /// CUSUM with reset, on days.
    Cusum,
    /// More than twice a baseline of 30 days (8 weeks), on days or weeks.
    Simple,
    /// Farrington 1996, on weeks.
    FarringtonOriginal,
    /// Farrington as revised by Noufaily 2013, on weeks.
    FarringtonFlexible,
}

/// What a detector says of one day or week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub(super) expected: Option<f64>,
    pub(super) bound: Option<f64>,
    pub(super) statistic: Option<f64>,
    pub(super) is_flagged: bool,
}

/// One day or week of a series, as a detector sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// First day, days since 1970.
    pub day: i32,
    /// What was counted; `None` when it is unknown.
    pub observed: Option<u64>,
    /// What was expected; `None` without a baseline.
    pub expected: Option<f64>,
    /// Above it, it is flagged; `None` of detectors that have none.
    pub bound: Option<f64>,
    /// The detector's statistic.
    pub statistic: Option<f64>,
    /// The detector could look at it.
    pub is_tested: bool,
    /// More than was to be expected.
    pub is_flagged: bool,
}

/// What detectors are told of a measure.
pub(super) struct Options {
    pub(super) sd_min: f64,
    pub(super) cases_min: u64,
}

impl Options {
    pub(super) fn of(config: &MeasureConfig) -> Options {
        Options { sd_min: config.sd_min, cases_min: config.cases_min }
    }
}

/// Code, name for people, and definition.
const NAMES: [(Detector, &str, &str, &str); 8] = [
    (
        Detector::EarsC1,
        "ears_c1",
        "EARS C1",
        "more than 3 standard deviations above the mean of the 7 days before (Hutwagner 2003)",
    ),
    (
        Detector::EarsC2,
        "ears_c2",
        "EARS C2",
        "more than 3 standard deviations above the mean of 7 days that end 3 days before (Hutwagner 2003)",
    ),
    (
        Detector::EarsC3,
        "ears_c3",
        "EARS C3",
        "sum of what three days of C2 have above 1 is more than 2 (Fricker 2008)",
    ),
    (
        Detector::Ewma,
        "ewma",
        "EWMA",
        "p below 0.01 of weighted averages against a baseline of up to 28 days with 2 days of guard (NSSP-ESSENCE)",
    ),
    (
        Detector::Cusum,
        "cusum",
        "CUSUM",
        "sum of what days have above 0.5 standard deviations is more than 4; begins again after an alert (Page 1954)",
    ),
    (
        Detector::Simple,
        "simple",
        "Twice the baseline",
        "more than twice the average of 30 days (8 weeks) that end 7 days (2 weeks) before, without days that were flagged; after none at all, a single case",
    ),
    (
        Detector::FarringtonOriginal,
        "farrington_original",
        "Farrington",
        "weekly regression on the same weeks of 5 years, alpha 0.01 (Farrington 1996)",
    ),
    (
        Detector::FarringtonFlexible,
        "farrington_flexible",
        "Farrington flexible",
        "weekly regression on 5 years in 10 seasons without the last 26 weeks, alpha 0.01 (Noufaily 2013)",
    ),
];

impl Detector {
    /// All, in the order of choice.
    pub fn all() -> impl Iterator<Item = Detector> {
        NAMES.iter().map(|row| row.0)
    }

    fn row(self) -> &'static (Detector, &'static str, &'static str, &'static str) {
        NAMES.iter().find(|row| row.0 == self).expect("every detector has a name")
    }

    /// The detector of a code.
    pub fn named(code: &str) -> Option<Detector> {
        NAMES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Its code: `ears_c2`.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    /// What it does, with its parameters and source.
    pub fn definition(self) -> &'static str {
        self.row().3
    }

    /// Its rule: `outbreak-ears-c2`.
    pub fn rule(self) -> String {
        format!("outbreak-{}", self.code().replace('_', "-"))
    }

    /// Does it look at series of this kind.
    pub fn takes(self, resolution: Resolution) -> bool {
        match self {
            Detector::Simple => true,
            Detector::FarringtonOriginal | Detector::FarringtonFlexible => resolution == Resolution::Week,
            _ => resolution == Resolution::Day,
        }
    }
}

/// Each point of a series. Unknown days are passed over: a baseline of seven days is of seven that are known, but none is older than twice its length.
/// Weeks before `from` are not tested, because each costs a regression.
pub(super) fn points(
    detector: Detector,
    series: &Series,
    resolution: Resolution,
    options: &Options,
    from: i32,
) -> Vec<Point> {
    let (days, counts) = series.known(resolution);
    let looks = looks(detector, (&days, &counts), resolution, options, from);
    let mut known = days.iter().zip(looks).peekable();
    let step = resolution.days();
    let mut points = Vec::with_capacity(series.counts.len());
    for (index, observed) in series.counts.iter().enumerate() {
        let day = series.first + i32::try_from(index).unwrap_or(0) * step;
        let look = known.next_if(|(at, _)| **at == day).and_then(|(_, look)| look);
        points.push(Point {
            day,
            observed: *observed,
            expected: look.and_then(|look| look.expected),
            bound: look.and_then(|look| look.bound),
            statistic: look.and_then(|look| look.statistic),
            is_tested: look.is_some(),
            is_flagged: look.is_some_and(|look| look.is_flagged),
        });
    }
    points
}

/// Points that a detector looks back.
fn reach(detector: Detector) -> usize {
    match detector {
        Detector::EarsC1 => 7,
        Detector::EarsC2 => 9,
        Detector::EarsC3 => 11,
        Detector::Ewma => 13,
        Detector::Cusum | Detector::Simple => 21,
        // The regression knows its weeks by the calendar.
        Detector::FarringtonOriginal | Detector::FarringtonFlexible => 0,
    }
}

fn looks(
    detector: Detector,
    (days, counts): (&[i32], &[u64]),
    resolution: Resolution,
    options: &Options,
    from: i32,
) -> Vec<Option<Look>> {
    let numbers: Vec<f64> = counts.iter().map(|count| *count as f64).collect();
    let ears_options = ears::Options { sd_min: options.sd_min, ..ears::Options::default() };
    let ears = |look: fn(&[f64], usize, ears::Options) -> Option<ears::Look>| -> Vec<Option<Look>> {
        let one = |day: usize| look(&numbers, day, ears_options).map(of_ears);
        (0..numbers.len()).map(one).collect()
    };
    let mut looks = match detector {
        Detector::EarsC1 => ears(ears::c1),
        Detector::EarsC2 => ears(ears::c2),
        Detector::EarsC3 => ears(ears::c3),
        Detector::Ewma => ewma::ewma(&numbers).into_iter().map(|look| look.map(of_ewma)).collect(),
        Detector::Cusum => cusum(counts, options),
        Detector::Simple => match resolution {
            Resolution::Day => simple::simple(counts, &simple::DAYS, options),
            Resolution::Week => simple::simple(counts, &simple::WEEKS, options),
        },
        Detector::FarringtonOriginal => weekly(days, counts, &farrington::Options::ORIGINAL, from),
        Detector::FarringtonFlexible => weekly(days, counts, &farrington::Options::FLEXIBLE, from),
    };
    let reach = reach(detector);
    for at in reach..looks.len() {
        let span = days[at] - days[at - reach];
        if span > 2 * i32::try_from(reach).unwrap_or(0) * resolution.days() {
            looks[at] = None;
        }
    }
    looks
}

fn of_ears(look: ears::Look) -> Look {
    let statistic = look.statistic.is_finite().then_some(look.statistic);
    Look { expected: Some(look.expected), bound: Some(look.upper), statistic, is_flagged: look.alert }
}

fn of_ewma(look: ewma::Look) -> Look {
    let is_flagged = look.signal == ewma::Signal::Alert;
    Look { expected: Some(look.expected), bound: None, statistic: Some(look.statistic), is_flagged }
}

/// Farrington needs every week; from the last unknown week on it counts anew.
fn weekly(days: &[i32], counts: &[u64], options: &farrington::Options, from: i32) -> Vec<Option<Look>> {
    let start = (1..days.len()).rev().find(|at| days[*at] - days[at - 1] != 7).unwrap_or(0);
    let first_day = days.get(start).and_then(|day| Day::of_epoch_days(*day));
    let series = Weekly { counts: &counts[start..], first_day };
    let one = |at: usize| {
        let week = at.checked_sub(start).filter(|_| days[at] >= from)?;
        match farrington(series, week, options) {
            Ok(look) => {
                let (expected, bound, statistic) = (Some(look.expected), Some(look.upper), look.p);
                Some(Look { expected, bound, statistic, is_flagged: look.alert })
            }
            // Too few to be an outbreak: that is an answer.
            Err(farrington::NotTested::TooFewCases) => {
                Some(Look { expected: None, bound: None, statistic: None, is_flagged: false })
            }
            Err(_) => None,
        }
    };
    (0..counts.len()).map(one).collect()
}
