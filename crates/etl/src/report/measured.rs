//! The quality of a source in one run, as it is kept in the record of the run.

use std::collections::BTreeMap;

use fhir::Instant;
use quality::Dimension;
use serde::{Deserialize, Serialize};

use crate::check::{Kahn, OnFail, Severity};
use crate::report::{
    DimensionQuality, GateQuality, Level, Recommendation, RuleQuality, Verdict, recommend, score,
};

/// Runs before that are remembered for the trend.
const TREND_MAX: usize = 30;

/// The quality of a source in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceQuality {
    /// The source's name.
    pub source: String,
    /// When it was measured: RFC 3339, UTC.
    pub at: String,
    /// Rows that were assessed.
    pub n_rows: u64,
    /// Records that the reader could not read.
    pub n_unreadable: u64,
    /// Rows that checks put into quarantine.
    pub n_quarantined: u64,
    /// The mean of the assessed dimensions; `None`: none was assessed.
    pub overall: Option<f64>,
    /// In a word. [`Level::Unacceptable`] when a gate failed, whatever the mean; `None`: nothing was assessed and no gate failed.
    pub level: Option<Level>,
    /// All six dimensions.
    pub dimensions: Vec<DimensionQuality>,
    /// The gates that were judged.
    pub gates: Vec<GateQuality>,
    /// Why the source is not loaded; empty when it is.
    pub refused: Vec<String>,
    /// Every check.
    pub rules: Vec<RuleQuality>,
    /// How complete every column is, whether a check looks at it or not.
    pub columns: Vec<ColumnQuality>,
    /// What to do, the gravest first.
    pub recommendations: Vec<Recommendation>,
    /// Runs before, the oldest first.
    pub trend: Vec<TrendPoint>,
    /// What the next run compares with.
    pub distributions: Vec<Distribution>,
}

/// How complete a column is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnQuality {
    /// Its name.
    pub column: String,
    /// Cells with a value.
    pub n_present: u64,
    /// Cells without one.
    pub n_missing: u64,
    /// The share with a value; `None`: there was no row.
    pub completeness: Option<f64>,
}

impl ColumnQuality {
    pub(crate) fn new(column: &str) -> ColumnQuality {
        ColumnQuality { column: column.to_owned(), n_present: 0, n_missing: 0, completeness: None }
    }
}

/// One run in the trend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// The mean of the dimensions.
    pub overall: Option<f64>,
    /// In a word.
    pub level: Option<Level>,
    /// Rows that were assessed.
    pub n_rows: u64,
}

/// How the values of a column are distributed: counts by category or bin. Categories that are not written in the pipeline file are hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// The id of the check.
    pub rule: String,
    /// Rows by category or bin.
    pub counts: BTreeMap<String, u64>,
}

impl Distribution {
    /// Rows in all.
    pub fn n_rows(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// What was counted in a run.
pub struct Measured {
    pub(crate) source: String,
    pub(crate) at: Instant,
    pub(crate) n_rows: u64,
    pub(crate) n_unreadable: u64,
    pub(crate) n_quarantined: u64,
    pub(crate) rules: Vec<RuleQuality>,
    pub(crate) columns: Vec<ColumnQuality>,
    pub(crate) distributions: Vec<Distribution>,
}

impl SourceQuality {
    /// Scores from counts. The level is that of the mean until [`SourceQuality::sealed`] has heard the gates.
    pub(crate) fn measured(mut counts: Measured, previous: Option<&SourceQuality>) -> SourceQuality {
        if counts.n_unreadable > 0 {
            // What could not be read is not valid; a clean read says nothing about the values, and counts to no dimension.
            counts.rules.insert(0, record_rule(counts.n_rows, counts.n_unreadable));
        }
        for rule in &mut counts.rules {
            rule.settle();
        }
        for column in &mut counts.columns {
            column.n_missing = counts.n_rows.saturating_sub(column.n_present);
            column.completeness = (counts.n_rows > 0).then(|| column.n_present as f64 / counts.n_rows as f64);
        }
        let dimensions = score::dimensions(&counts.rules);
        let overall = score::overall(&dimensions);
        SourceQuality {
            source: counts.source,
            at: counts.at.to_string(),
            n_rows: counts.n_rows,
            n_unreadable: counts.n_unreadable,
            n_quarantined: counts.n_quarantined,
            overall,
            level: overall.map(Level::of),
            dimensions,
            gates: Vec::new(),
            refused: Vec::new(),
            recommendations: recommend::recommendations(&counts.rules),
            rules: counts.rules,
            columns: counts.columns,
            trend: previous.map(SourceQuality::trend_with_itself).unwrap_or_default(),
            distributions: counts.distributions,
        }
    }

    /// With what the gates said.
    pub fn sealed(mut self, verdict: &Verdict) -> SourceQuality {
        self.gates = verdict.gates.clone();
        self.level = verdict.level;
        self.refused = verdict.why.clone();
        self
    }

    /// The score of a dimension; `None`: not assessed.
    pub fn score(&self, dimension: Dimension) -> Option<f64> {
        self.dimensions.iter().find(|quality| quality.dimension == dimension)?.score
    }

    /// The distribution that a `drift` check found.
    pub fn distribution(&self, rule: &str) -> Option<&Distribution> {
        self.distributions.iter().find(|distribution| distribution.rule == rule)
    }

    /// Gives the samples the names of their units: the n-th name is that of unit n.
    pub fn name_units(&mut self, names: &[String]) {
        for sample in self.rules.iter_mut().flat_map(|rule| &mut rule.samples) {
            sample.unit_name = usize::try_from(sample.unit).ok().and_then(|unit| names.get(unit)).cloned();
        }
    }

    /// Takes the shapes of values out of the samples: places only.
    pub fn hide_shapes(&mut self) {
        for sample in self.rules.iter_mut().flat_map(|rule| &mut rule.samples) {
            sample.shape = None;
        }
    }

    fn trend_with_itself(&self) -> Vec<TrendPoint> {
        let mut trend = self.trend.clone();
        trend.push(TrendPoint {
            at: self.at.clone(),
            overall: self.overall,
            level: self.level,
            n_rows: self.n_rows,
        });
        let n_old = trend.len().saturating_sub(TREND_MAX);
        trend.split_off(n_old)
    }
}

/// The rule that every record can be read.
fn record_rule(n_rows: u64, n_unreadable: u64) -> RuleQuality {
    RuleQuality {
        id: "record".to_owned(),
        rule: "record".to_owned(),
        columns: Vec::new(),
        dimension: Dimension::Validity,
        kahn: Kahn::ConformanceValue,
        severity: Severity::Convention,
        on_fail: OnFail::Quarantine,
        is_of_table: false,
        must: "every record must be readable".to_owned(),
        hint: "open the quarantined records: lines with too few or too many fields, quotes that do not close, another encoding, or values that are not of the declared type".to_owned(),
        when: None,
        n_assessed: n_rows + n_unreadable,
        n_failed: n_unreadable,
        share: None,
        max_fail: None,
        passed: None,
        not_assessed: None,
        detail: None,
        samples: Vec::new(),
    }
}
