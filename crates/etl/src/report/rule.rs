//! What one check found.

use quality::Dimension;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::check::{Kahn, MaxFail, OnFail, Severity};

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleQuality {
    /// The check's id.
    pub id: String,
    /// Its rule: `not_null`, `in_set`.
    pub rule: String,
    /// The columns it looks at.
    pub columns: Vec<String>,
    /// The dimension it counts to.
    #[serde(with = "super::dimension")]
    pub dimension: Dimension,
    /// The category of Kahn et al.
    pub kahn: Kahn,
    /// How much it matters.
    pub severity: Severity,
    /// What happens to rows that fail.
    pub on_fail: OnFail,
    /// Whether it judges the table, not its rows.
    pub is_of_table: bool,
    /// What must hold, in words.
    pub must: String,
    /// What to do when rows fail.
    pub hint: String,
    /// The condition that rows must meet to be assessed.
    pub when: Option<String>,
    /// Rows (cells, with `completeness`; 1, with a rule of the table) that could be judged. A missing value cannot.
    pub n_assessed: u64,
    /// How many of them fail.
    pub n_failed: u64,
    /// The share that fails; `None`: nothing was assessed.
    pub share: Option<f64>,
    /// How many may fail before the source is not loaded.
    pub max_fail: Option<MaxFail>,
    /// Whether the rule holds: within `max_fail` when there is one, else without any failure. `None`: not assessed.
    pub passed: Option<bool>,
    /// Why it was not assessed, when that needs a word.
    pub not_assessed: Option<String>,
    /// Numbers of rules of the table: an age in hours, a stability index.
    pub detail: Option<Json>,
    /// Up to 20 places of rows that fail.
    pub samples: Vec<Sample>,
}

/// The place of a row that fails, with the shape of its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Number of the unit in the run.
    pub unit: u32,
    /// The unit's name, once [`super::SourceQuality::name_units`] was told.
    pub unit_name: Option<String>,
    /// Line in the file, or number of the row.
    pub line: u64,
    /// Byte offset in the file.
    pub offset: Option<u64>,
    /// Letters as `A` or `a`, digits as `9`, other characters as they are, at most 24. `None`: missing, or shapes are switched off.
    pub shape: Option<String>,
}

impl RuleQuality {
    /// The share that passes; `None`: nothing was assessed.
    pub fn score(&self) -> Option<f64> {
        (self.n_assessed > 0).then(|| (self.n_assessed - self.n_failed) as f64 / self.n_assessed as f64)
    }

    /// Whether it stops the source from being loaded: more rows fail than `max_fail` allows.
    pub fn is_broken(&self) -> bool {
        match self.max_fail {
            // How many cells may be missing is what the rule itself says.
            _ if self.rule == "completeness" => self.on_fail == OnFail::Fail && self.passed == Some(false),
            Some(max_fail) => max_fail.is_exceeded(self.n_failed, self.n_assessed),
            None => false,
        }
    }

    /// Whether it counts in scores and gates.
    pub fn counts(&self) -> bool {
        self.severity != Severity::Characterization
    }

    /// Computes what follows from the counts.
    pub(super) fn settle(&mut self) {
        self.share = (self.n_assessed > 0).then(|| self.n_failed as f64 / self.n_assessed as f64);
        if self.passed.is_none() && self.n_assessed > 0 {
            let max_fail = self.max_fail.unwrap_or(MaxFail::Rows(0));
            self.passed = Some(!max_fail.is_exceeded(self.n_failed, self.n_assessed));
        }
    }
}
