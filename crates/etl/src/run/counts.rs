//! Counts of a run, and the sums that must hold: no row goes missing, none appears.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::EtlError;
use crate::target::Loaded;

/// What a step (or the checks) did with its rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepCounts {
    /// The step's name; `checks` for the checks.
    pub name: String,
    /// Rows that came.
    pub rows_in: u64,
    /// Rows that went on.
    pub rows_out: u64,
    /// Rows that were quarantined.
    pub quarantined: u64,
    /// Rows left out, by rule.
    pub filtered: BTreeMap<String, u64>,
    /// Rows left out because another has the same key, by key.
    pub deduplicated: BTreeMap<String, u64>,
    /// Rows that were used up to make others.
    pub consumed: u64,
    /// Rows made from those.
    pub produced: u64,
    /// What the step says about its work.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Json>,
}

impl StepCounts {
    /// Rows left out by any rule.
    pub fn n_filtered(&self) -> u64 {
        self.filtered.values().sum()
    }

    /// Rows left out by any key.
    pub fn n_deduplicated(&self) -> u64 {
        self.deduplicated.values().sum()
    }

    /// Whether every row that came or was made went somewhere.
    pub fn adds_up(&self) -> bool {
        self.rows_in + self.produced
            == self.rows_out + self.quarantined + self.n_filtered() + self.n_deduplicated() + self.consumed
    }
}

/// What happened at a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetCounts {
    /// The target's name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// `committed`, `nothing_new`, `aborted` or `failed`.
    pub status: String,
    /// Rows that came out of the last step.
    pub offered: u64,
    /// Rows of units that the target has already.
    pub already_loaded: u64,
    /// New rows.
    pub inserted: u64,
    /// Rows that replaced another state of themselves.
    pub updated: u64,
    /// Rows that were there, the same.
    pub unchanged: u64,
    /// Rows quarantined here: a key is missing, or the target refused the row.
    pub quarantined: u64,
    /// Rows left out because a later one of the load has the same key.
    pub deduplicated: u64,
    /// Bytes written, where known.
    pub n_bytes: Option<u64>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl TargetCounts {
    /// Rows that are in the target now.
    pub fn n_loaded(&self) -> u64 {
        self.inserted + self.updated + self.unchanged
    }

    /// Takes over what a commit did.
    pub(crate) fn take(&mut self, loaded: &Loaded) {
        self.inserted = loaded.inserted;
        self.updated = loaded.updated;
        self.unchanged = loaded.unchanged;
        self.deduplicated += loaded.deduplicated;
        self.quarantined += loaded.refused;
        self.n_bytes = loaded.n_bytes;
    }

    /// Whether every row that was offered went somewhere. Only of a committed target.
    pub fn adds_up(&self) -> bool {
        self.offered == self.already_loaded + self.n_loaded() + self.quarantined + self.deduplicated
    }
}

/// The four terms that every row read falls under. Rows that an aggregate made are counted as loaded; those it used up stand beside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records read, also those that could not be understood.
    pub read: u64,
    /// Rows in the (first) target.
    pub loaded: u64,
    /// Rows set aside with a reason.
    pub quarantined: u64,
    /// Rows left out by a named rule.
    pub filtered: u64,
    /// Rows left out because of a named key.
    pub deduplicated: u64,
    /// Rows used up by steps that make other rows.
    pub consumed: u64,
    /// Rows made by such steps.
    pub produced: u64,
}

impl Counts {
    /// Adds another source's.
    pub fn add(&mut self, other: &Counts) {
        self.read += other.read;
        self.loaded += other.loaded;
        self.quarantined += other.quarantined;
        self.filtered += other.filtered;
        self.deduplicated += other.deduplicated;
        self.consumed += other.consumed;
        self.produced += other.produced;
    }
}

/// The counts of a source with what its reader, its steps and its targets say. An error when they do not add up.
pub(crate) fn balance(
    source: &str,
    read: u64,
    rejected: u64,
    steps: &[StepCounts],
    targets: &[TargetCounts],
) -> Result<Counts, EtlError> {
    let broken = |sums: String| EtlError::Conservation { source_name: source.to_owned(), sums };
    let mut rows =
        read.checked_sub(rejected).ok_or_else(|| broken(format!("{rejected} rejected of {read} read")))?;
    let mut counts = Counts { read, quarantined: rejected, ..Counts::default() };
    for step in steps {
        if step.rows_in != rows || !step.adds_up() {
            return Err(broken(format!(
                "{rows} rows before `{}`, which took {} and made {}, and gave {} on, {} to quarantine, {} filtered, {} deduplicated, {} used up",
                step.name,
                step.rows_in,
                step.produced,
                step.rows_out,
                step.quarantined,
                step.n_filtered(),
                step.n_deduplicated(),
                step.consumed
            )));
        }
        rows = step.rows_out;
        counts.quarantined += step.quarantined;
        counts.filtered += step.n_filtered();
        counts.deduplicated += step.n_deduplicated();
        counts.consumed += step.consumed;
        counts.produced += step.produced;
    }
    for target in targets.iter().filter(|target| target.status == "committed") {
        if target.offered != rows || !target.adds_up() {
            return Err(broken(format!(
                "{rows} rows for the target `{}`, which was offered {} and has {} loaded, {} from before, {} quarantined, {} deduplicated",
                target.name,
                target.offered,
                target.n_loaded(),
                target.already_loaded,
                target.quarantined,
                target.deduplicated
            )));
        }
    }
    if let Some(first) = targets.first() {
        counts.loaded = first.n_loaded();
        counts.quarantined += first.quarantined;
        counts.deduplicated += first.deduplicated;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(rows_in: u64, rows_out: u64, quarantined: u64) -> StepCounts {
        StepCounts { name: "s".to_owned(), rows_in, rows_out, quarantined, ..StepCounts::default() }
    }

    #[test]
    fn a_missing_row_is_an_error() {
        let target = TargetCounts {
            status: "committed".to_owned(),
            offered: 8,
            inserted: 8,
            ..TargetCounts::default()
        };
        let counts = balance("s", 10, 1, &[step(9, 8, 1)], std::slice::from_ref(&target)).unwrap();
        assert_eq!((counts.read, counts.loaded, counts.quarantined), (10, 8, 2));
        assert!(balance("s", 10, 1, &[step(9, 8, 0)], &[]).is_err());
        assert!(balance("s", 10, 0, &[step(9, 9, 0)], &[]).is_err());
        let lost = TargetCounts { inserted: 7, ..target };
        assert!(balance("s", 10, 1, &[step(9, 8, 1)], &[lost]).is_err());
    }
}
