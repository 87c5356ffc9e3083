//! What the ward board is told of a patient.

use fhir::Instant;

use crate::alerts::Person;

/// A patient with readings.
#[derive(Clone, Debug, PartialEq)]
pub struct Bed {
    /// Names the tile; stable, and without what identifies a person beyond this server.
    pub key: String,
    /// Who.
    pub person: Person,
    /// The ward.
    pub unit: Option<String>,
    /// NEWS2, or why there is none.
    pub score: Score,
    /// How the score stands against the one before.
    pub trend: Option<Trend>,
    /// Scores of the last hours, the oldest first.
    pub history: Vec<(Instant, u8)>,
    /// When the newest reading was taken.
    pub last: Option<Instant>,
    /// The last value of each parameter, in the order of the chart.
    pub values: Vec<Reading>,
    /// The worst active alert, and how many are active.
    pub alert: Option<(String, u64)>,
}

/// NEWS2 of a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Score {
    /// All parameters are there and fresh.
    Total {
        /// 0 to 20.
        points: u8,
        /// `low`, `low-medium`, `medium`, `high`.
        band: String,
    },
    /// Some are missing or too old. What is there is counted and shown; there is no total.
    Partial {
        /// Points of what is there: the total is at least this.
        at_least: u8,
        /// The band that this alone reaches, if it reaches one.
        band: Option<String>,
        /// What is missing or too old.
        missing: Vec<String>,
    },
    /// The score does not apply, for this reason: under 16, pregnant, age unknown.
    NotEvaluated(String),
    /// Nothing was received for too long.
    NoData,
}

/// Against the score before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// More points.
    Worse,
    /// As many.
    Same,
    /// Fewer points.
    Better,
}

/// The last value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `HR`, `SpO2`, ...
    pub label: String,
    /// The value with its comparator.
    pub value: String,
    /// Unit for people.
    pub unit: String,
    /// When it was measured.
    pub at: Instant,
    /// Its points in the score.
    pub points: Option<u8>,
    /// Too old to count.
    pub is_stale: bool,
}

impl Bed {
    /// What the board is sorted by, the worst first: points in thousands, then those without a score, then those without data.
    pub fn rank(&self) -> u32 {
        match &self.score {
            Score::Total { points, band } => {
                1_000 + u32::from(*points) * 10 + u32::from(band == "low-medium") * 25
            }
            Score::Partial { at_least, band, .. } => {
                1_005 + u32::from(*at_least) * 10 + u32::from(band.is_some()) * 25
            }
            Score::NotEvaluated(_) => 500,
            Score::NoData => 900,
        }
    }
}
