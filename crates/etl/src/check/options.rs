//! What every check may say: what happens to rows that fail, how many may fail, and under which heading it is counted.

use quality::Dimension;
use serde::{Deserialize, Serialize};

/// What happens to a row that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFail {
    /// It goes on and is counted.
    #[default]
    Warn,
    /// It is put into quarantine.
    Quarantine,
    /// It goes on, and the source is not loaded when more rows fail than `max_fail` allows (none by default).
    Fail,
}

impl OnFail {
    pub(super) const WORDS: [(&'static str, OnFail); 3] =
        [("warn", OnFail::Warn), ("quarantine", OnFail::Quarantine), ("fail", OnFail::Fail)];
}

/// How many rows may fail before the source is not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaxFail {
    /// A share of the assessed rows, from 0 to 1.
    Share(f64),
    /// A number of rows.
    Rows(u64),
}

impl MaxFail {
    /// `1%` or `0.01` is a share, `10` a number of rows.
    pub(super) fn parse(text: &str) -> Option<MaxFail> {
        if let Some(percent) = text.strip_suffix('%') {
            let share = percent.trim().parse::<f64>().ok()? / 100.0;
            return (0.0..=1.0).contains(&share).then_some(MaxFail::Share(share));
        }
        if let Ok(rows) = text.parse() {
            return Some(MaxFail::Rows(rows));
        }
        let share = text.parse::<f64>().ok()?;
        (0.0..=1.0).contains(&share).then_some(MaxFail::Share(share))
    }

    /// Whether so many failures are too many.
    pub fn is_exceeded(self, n_failed: u64, n_assessed: u64) -> bool {
        match self {
            MaxFail::Rows(rows) => n_failed > rows,
            // 29 of 100 are not more than 29 %, although 0.29 * 100 is less than 29 in binary.
            MaxFail::Share(share) => n_failed as f64 > share * n_assessed as f64 * (1.0 + 1e-12),
        }
    }
}

impl std::fmt::Display for MaxFail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MaxFail::Share(share) => write!(f, "{} %", share * 100.0),
            MaxFail::Rows(rows) => write!(f, "{rows} rows"),
        }
    }
}

/// How much a rule matters, in the words of the OHDSI Data Quality Dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Rows that fail cannot be used.
    Fatal,
    /// Rows that fail break an agreement.
    #[default]
    Convention,
    /// Measured only: counts neither in scores nor in gates.
    Characterization,
}

impl Severity {
    pub(super) const WORDS: [(&'static str, Severity); 3] = [
        ("fatal", Severity::Fatal),
        ("convention", Severity::Convention),
        ("characterization", Severity::Characterization),
    ];
}

/// Categories of Kahn et al., A Harmonized Data Quality Assessment Terminology and Framework, eGEMs 2016;4(1):1244.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kahn {
    /// Values have the agreed form or are in the agreed set.
    ConformanceValue,
    /// Values agree with other tables.
    ConformanceRelational,
    /// Computed values are what the computation gives.
    ConformanceComputational,
    /// Values are there.
    Completeness,
    /// Nothing is there twice.
    PlausibilityUniqueness,
    /// Values are believable by themselves or beside others.
    PlausibilityAtemporal,
    /// Values are believable in time.
    PlausibilityTemporal,
}

impl Kahn {
    pub(super) const WORDS: [(&'static str, Kahn); 7] = [
        ("conformance_value", Kahn::ConformanceValue),
        ("conformance_relational", Kahn::ConformanceRelational),
        ("conformance_computational", Kahn::ConformanceComputational),
        ("completeness", Kahn::Completeness),
        ("plausibility_uniqueness", Kahn::PlausibilityUniqueness),
        ("plausibility_atemporal", Kahn::PlausibilityAtemporal),
        ("plausibility_temporal", Kahn::PlausibilityTemporal),
    ];

    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Kahn::ConformanceValue => "conformance (value)",
            Kahn::ConformanceRelational => "conformance (relational)",
            Kahn::ConformanceComputational => "conformance (computational)",
            Kahn::Completeness => "completeness",
            Kahn::PlausibilityUniqueness => "plausibility (uniqueness)",
            Kahn::PlausibilityAtemporal => "plausibility (atemporal)",
            Kahn::PlausibilityTemporal => "plausibility (temporal)",
        }
    }
}

/// The words for dimensions in a pipeline file: `accuracy` is what plausibility is called in the thresholds.
pub(crate) const DIMENSIONS: [(&str, Dimension); 7] = [
    ("completeness", Dimension::Completeness),
    ("validity", Dimension::Validity),
    ("accuracy", Dimension::Plausibility),
    ("plausibility", Dimension::Plausibility),
    ("consistency", Dimension::Consistency),
    ("timeliness", Dimension::Timeliness),
    ("uniqueness", Dimension::Uniqueness),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_share_or_a_number_of_rows() {
        assert_eq!(MaxFail::parse("1%"), Some(MaxFail::Share(0.01)));
        assert_eq!(MaxFail::parse("0.5"), Some(MaxFail::Share(0.5)));
        assert_eq!(MaxFail::parse("1"), Some(MaxFail::Rows(1)));
        assert_eq!(MaxFail::parse("101%"), None);
        assert_eq!(MaxFail::parse("1.5"), None);
        assert_eq!(MaxFail::parse("-1"), None);
        assert!(!MaxFail::Share(0.01).is_exceeded(1, 100));
        assert!(MaxFail::Share(0.01).is_exceeded(2, 100));
        assert!(MaxFail::Rows(0).is_exceeded(1, 100));
        assert!(!MaxFail::Share(0.29).is_exceeded(29, 100));
        assert!(!MaxFail::Share(0.0).is_exceeded(0, 0));
    }
}
