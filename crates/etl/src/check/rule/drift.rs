//! `drift`: the values are distributed as in the run before, by the population stability index. Never for identifiers: a text column with
//! too many different values is not assessed, and nothing of it is kept.

use std::collections::BTreeMap;

use arrow::array::AsArray as _;
use arrow::buffer::BooleanBuffer;
use serde_json::json;
use table::{Batch, Type};
use twox_hash::XxHash3_128;

use crate::check::cells::{Cells, Scalars};
use crate::check::rule::range::Bound;
use crate::check::rule::{Rule, Start, TableFound, TableTest, Test};
use crate::check::spec::Planned;
use crate::report::{Distribution, SourceQuality};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

/// From here on the shift is called major (Lewis, An Introduction to Credit Scoring, 1994; Siddiqi, Credit Risk Scorecards, 2006).
const MAX_PSI: f64 = 0.25;
const CATEGORIES_MAX: usize = 100;
const BINS_MAX: usize = 100;
/// Fewer rows in either run say little about a distribution.
const ROWS_MIN: u64 = 100;
const OTHER: &str = "other";
const MISSING: &str = "missing";

#[derive(Clone, Debug)]
struct Drift {
    /// The greatest population stability index. Default: 0.25.
    max_psi: f64,
    /// With numbers and dates: the bounds between the bins, ascending; a bin holds its lower bound.
    bins: Vec<Word>,
    /// With texts: the categories. Other values are counted together. Default: every value is a category, kept as a hash.
    values: Vec<Word>,
    /// Fewest rows in this run and the one before. Default: 100.
    rows_min: u64,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let max_psi = fields.number("max_psi", problems).unwrap_or(MAX_PSI);
    let bins = fields.texts("bins", problems);
    let values = fields.texts("values", problems);
    let rows_min = fields.whole("rows_min", problems).unwrap_or(ROWS_MIN);
    if max_psi <= 0.0 {
        problems.add(fields.at(), "`max_psi` of the check must be more than 0");
    }
    if bins.len() > BINS_MAX || values.len() > CATEGORIES_MAX {
        problems.add(
            fields.at(),
            format!("the check has more than {BINS_MAX} `bins` or {CATEGORIES_MAX} `values`"),
        );
    }
    Some(Box::new(Drift { max_psi, bins, values, rows_min }))
}

/// Names of columns that identify people: their values are not counted.
fn is_identifier(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "id", "ssn", "mrn", "npi", "mbi", "name", "surname", "email", "phone", "fax", "address", "street",
        "account", "licence",
    ];
    let name = name.to_ascii_lowercase();
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
}

impl Rule for Drift {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        let (column, word) = (&planned.columns[0], &planned.check.columns[0]);
        if is_identifier(&column.name) {
            problems.add(word.at, format!("`{word}` looks like an identifier, whose values are not counted: `drift` is for categories, numbers and dates"));
        }
        match column.kind {
            Type::Text | Type::Boolean => {
                if let Some(first) = self.bins.first() {
                    problems.add(
                        first.at,
                        format!("`bins` belong to numbers and dates, and `{word}` is {}", column.kind),
                    );
                }
            }
            kind => {
                if let Some(first) = self.values.first() {
                    problems.add(
                        first.at,
                        format!("`values` belong to texts, and `{word}` is {kind}: give `bins`"),
                    );
                }
                if self.bins.is_empty() {
                    problems.add(
                        planned.check.at,
                        format!("the rule `drift` needs `bins` for `{word}`, which is {kind}"),
                    );
                }
                let edges = self.edges(kind, problems);
                if !edges.is_sorted_by(|a, b| a < b) {
                    problems.add(self.bins[0].at, "`bins` of the check must ascend");
                }
            }
        }
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        let kind = start.columns[0].kind;
        let edges = match kind {
            Type::Text | Type::Boolean => Vec::new(),
            kind => self.edges(kind, &mut Problems::default()),
        };
        let labels = self.values.iter().map(|word| word.text.clone()).collect();
        Ok(Test::Table(Box::new(Counting {
            id: start.id.to_owned(),
            rule: self.clone(),
            edges,
            labels,
            counts: BTreeMap::new(),
            has_too_many: false,
        })))
    }

    fn must(&self) -> String {
        format!("must be distributed as in the run before (stability index at most {})", self.max_psi)
    }

    fn hint(&self) -> String {
        "see which category grew: a changed code list, a new site, or a filter in the extract; when the change is real, the next run compares with it".to_owned()
    }

    fn is_of_table(&self) -> bool {
        true
    }
}

impl Drift {
    /// The bounds between the bins, comparable with the values of the column.
    fn edges(&self, kind: Type, problems: &mut Problems) -> Vec<f64> {
        let bounds = self.bins.iter().filter_map(|word| Bound::parse(word, kind, "bins", problems));
        bounds.map(Bound::to_f64).collect()
    }
}

struct Counting {
    id: String,
    rule: Drift,
    edges: Vec<f64>,
    labels: Vec<String>,
    counts: BTreeMap<String, u64>,
    has_too_many: bool,
}

impl Counting {
    fn count(&mut self, label: String, n: u64) {
        *self.counts.entry(label).or_default() += n;
        if self.counts.len() > CATEGORIES_MAX + 2 {
            // It looks like an identifier: forget what was counted.
            self.has_too_many = true;
            self.counts.clear();
        }
    }

    /// A category that is written in the file keeps its name; any other is known by a hash only.
    fn label_of(&self, text: &str) -> String {
        if self.labels.is_empty() {
            return format!("#{:016x}", XxHash3_128::oneshot(text.trim().as_bytes()) as u64);
        }
        let known = self.labels.iter().find(|label| **label == text);
        known.cloned().unwrap_or_else(|| OTHER.to_owned())
    }

    fn bin_of(&self, value: f64) -> usize {
        self.edges.partition_point(|edge| *edge <= value)
    }

    fn bin_label(&self, bin: usize) -> String {
        let words = &self.rule.bins;
        match (bin.checked_sub(1).and_then(|at| words.get(at)), words.get(bin)) {
            (None, Some(to)) => format!("below {to}"),
            (Some(from), Some(to)) => format!("{from} to below {to}"),
            (Some(from), None) => format!("{from} and above"),
            (None, None) => OTHER.to_owned(),
        }
    }

    fn push_text(&mut self, cells: &Cells, rows: &BooleanBuffer) {
        let Some(text) = cells.text() else { return };
        let mut seen: std::collections::HashMap<&str, u64> = std::collections::HashMap::new();
        for row in rows.set_indices() {
            *seen.entry(text.get(row).unwrap_or_default()).or_default() += 1;
            if seen.len() > CATEGORIES_MAX && self.labels.is_empty() {
                self.has_too_many = true;
                self.counts.clear();
                return;
            }
        }
        for (text, n) in seen {
            let label = self.label_of(text);
            self.count(label, n);
        }
    }

    fn push_numbers(&mut self, values: &Scalars<'_>, rows: &BooleanBuffer) {
        let mut bins = vec![0_u64; self.edges.len() + 1];
        for row in rows.set_indices() {
            let value = match values {
                Scalars::Whole(values) | Scalars::Micros(values) => values[row] as f64,
                Scalars::Decimal(values, scale) => values[row] as f64 / 10_f64.powi(i32::from(*scale)),
                Scalars::Number(values) => values[row],
                Scalars::Days(values) => f64::from(values[row]),
            };
            bins[self.bin_of(value)] += 1;
        }
        for (bin, n) in bins.into_iter().enumerate().filter(|(_, n)| *n > 0) {
            self.count(self.bin_label(bin), n);
        }
    }
}

impl TableTest for Counting {
    fn push(
        &mut self,
        cells: &[&Cells],
        batch: &Batch,
        applies: Option<&BooleanBuffer>,
    ) -> Result<(), EtlError> {
        if self.has_too_many {
            return Ok(());
        }
        let cells = cells[0];
        let rows = match applies {
            Some(applies) => &cells.present & applies,
            None => cells.present.clone(),
        };
        let n_rows = applies.map_or(batch.n_rows(), BooleanBuffer::count_set_bits);
        match (cells.kind, cells.scalars()) {
            (Type::Text, _) => self.push_text(cells, &rows),
            (_, Some(values)) => self.push_numbers(&values, &rows),
            _ => {
                let bits = cells.array.as_boolean().values();
                let n_true = (bits & &rows).count_set_bits() as u64;
                self.count("true".to_owned(), n_true);
                self.count("false".to_owned(), rows.count_set_bits() as u64 - n_true);
            }
        }
        if !self.has_too_many {
            self.count(MISSING.to_owned(), (n_rows - rows.count_set_bits()) as u64);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, previous: Option<&SourceQuality>) -> TableFound {
        let not_assessed = |why: &str, distribution| TableFound {
            not_assessed: Some(why.to_owned()),
            distribution,
            ..TableFound::default()
        };
        if self.has_too_many {
            return not_assessed(
                "the column has too many different values: it looks like an identifier",
                None,
            );
        }
        let now = Distribution { rule: self.id.clone(), counts: self.counts };
        let before = previous.and_then(|quality| quality.distribution(&self.id));
        let Some(before) = before else {
            return not_assessed("there is no run before to compare with", Some(now));
        };
        if now.n_rows() < self.rule.rows_min || before.n_rows() < self.rule.rows_min {
            let why = format!("there are fewer than {} rows to compare", self.rule.rows_min);
            return not_assessed(&why, Some(now));
        }
        let psi = stability_index(&before.counts, &now.counts);
        let passed = psi <= self.rule.max_psi;
        TableFound {
            n_assessed: 1,
            n_failed: u64::from(!passed),
            passed: Some(passed),
            detail: Some(json!({ "stability_index": (psi * 10_000.0).round() / 10_000.0 })),
            distribution: Some(now),
            ..TableFound::default()
        }
    }
}

/// `Σ (aᵢ − eᵢ) · ln(aᵢ / eᵢ)` over the shares of all categories of either run. A category that one run has not counts as half a row
/// there, so that the index stays finite.
fn stability_index(before: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> f64 {
    let total = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>() as f64;
    let (n_before, n_now) = (total(before), total(now));
    let share = |counts: &BTreeMap<String, u64>, label: &str, n: f64| {
        counts.get(label).map_or(0.0, |n| *n as f64).max(0.5) / n
    };
    let labels = before.iter().chain(now).filter(|(_, n)| **n > 0).map(|(label, _)| label.as_str());
    let labels: std::collections::BTreeSet<&str> = labels.collect();
    let terms = labels.into_iter().map(|label| {
        let (expected, actual) = (share(before, label, n_before), share(now, label, n_now));
        (actual - expected) * (actual / expected).ln()
    });
    terms.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|(label, n)| ((*label).to_owned(), *n)).collect()
    }

    #[test]
    fn the_index_is_zero_for_equal_shares_and_grows_with_the_shift() {
        let even = counts(&[("a", 500), ("b", 500)]);
        assert_eq!(stability_index(&even, &counts(&[("a", 5), ("b", 5)])), 0.0);
        // (0.6-0.5)·ln(0.6/0.5) + (0.4-0.5)·ln(0.4/0.5)
        let shifted = stability_index(&even, &counts(&[("a", 600), ("b", 400)]));
        assert!((shifted - 0.040_546_510_8).abs() < 1e-9, "{shifted}");
        assert!(stability_index(&even, &counts(&[("a", 1000)])) > 3.0);
        assert!(stability_index(&even, &counts(&[("c", 1000)])).is_finite());
    }

    #[test]
    fn identifiers_are_known_by_their_names() {
        assert!(
            ["patient_id", "SSN", "last_name", "home-phone", "mrn"].iter().all(|name| is_identifier(name))
        );
        assert!(["gender", "state", "width", "valid", "payer"].iter().all(|name| !is_identifier(name)));
    }
}
