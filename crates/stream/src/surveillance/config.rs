//! How measures are watched: detectors, severities, limits; and which results are counted as cases.

use std::collections::BTreeMap;

use rules::Severity;
use serde::{Deserialize, Deserializer};

use super::Detector;

/// All of surveillance.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SurveillanceConfig {
    /// Of measures without their own.
    pub default: MeasureConfig,
    /// By measure.
    pub measures: BTreeMap<String, MeasureConfig>,
    /// Results that are counted.
    pub conditions: Vec<Condition>,
    /// Where days begin, in minutes east of UTC.
    pub zone_minutes: i16,
}

impl SurveillanceConfig {
    /// How a measure is watched.
    pub fn of(&self, measure: &str) -> &MeasureConfig {
        self.measures.get(measure).unwrap_or(&self.default)
    }
}

/// Whether more of a measure is worse for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// As of disease and readmission.
    HigherIsWorse,
    /// As of screening and vaccination.
    HigherIsBetter,
}

/// What a day means on which whoever counts has said nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilentDay {
    /// Nobody knows: the day is left out.
    #[default]
    Unknown,
    /// There was none: sources of this measure send only when they have counted some.
    Zero,
}

/// How one measure is watched.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeasureConfig {
    /// Each raises a rule of its own; they share one alert of the series. Those of days look at series of days, those of weeks at weeks.
    pub detectors: Vec<Detector>,
    /// Of an outbreak.
    #[serde(deserialize_with = "severity")]
    pub severity: Severity,
    /// Of a disparity.
    #[serde(deserialize_with = "severity")]
    pub disparity_severity: Severity,
    /// Which way is worse.
    pub direction: Direction,
    /// A standard deviation below this counts as this (EARS, CUSUM).
    pub sd_min: f64,
    /// With a baseline above zero the simple detector needs so many cases; with one of zero a single case alerts.
    pub cases_min: u64,
    /// After so many days (weeks) without a flag an episode has ended.
    pub clear_after: u32,
    /// Days (weeks) older than this raise nothing: history that is loaded is not an outbreak of today.
    pub age_days_max: u32,
    /// A day on which nothing was said.
    pub silent_day: SilentDay,
    /// Days whose counts are added up for a comparison of groups.
    pub disparity_days: u32,
    /// A ratio from here on is a disparity when its interval excludes 1.
    pub ratio_high: f64,
    /// A ratio up to here is one.
    pub ratio_low: f64,
    /// Counts from 1 to below this are not shown, and groups with one are not compared; 0 shows all.
    pub suppress_below: u64,
}

impl Default for MeasureConfig {
    fn default() -> MeasureConfig {
        MeasureConfig {
            detectors: vec![Detector::EarsC2, Detector::Simple, Detector::FarringtonFlexible],
            severity: Severity::High,
            disparity_severity: Severity::Medium,
            direction: Direction::HigherIsWorse,
            sd_min: 0.5,
            cases_min: 3,
            clear_after: 3,
            age_days_max: 14,
            silent_day: SilentDay::Unknown,
            disparity_days: 90,
            ratio_high: 1.5,
            ratio_low: 0.67,
            suppress_below: 11,
        }
    }
}

fn severity<'de, D: Deserializer<'de>>(from: D) -> Result<Severity, D::Error> {
    let name = String::deserialize(from)?;
    Severity::named(&name).ok_or_else(|| {
        serde::de::Error::custom(format!("`{name}` is no severity: critical, high, medium, low or info"))
    })
}

/// A result that is a case: `{measure: influenza, loincs: ["92142-9"], values: [detected, positive]}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is counted.
    pub measure: String,
    /// LOINC codes of the test.
    pub loincs: Vec<String>,
    /// Words that make it a case, whatever their case.
    pub values: Vec<String>,
    /// A patient is counted once in so many days.
    #[serde(default = "two_weeks")]
    pub once_in_days: u32,
}

fn two_weeks() -> u32 {
    14
}
