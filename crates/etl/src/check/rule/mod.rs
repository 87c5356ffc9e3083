//! Every rule that a check can have. One file per rule: it decodes its options, says which types fit, and makes one bit per row.

pub(super) mod compare;
pub(super) mod completeness;
pub(super) mod drift;
pub(super) mod expression;
pub(super) mod format;
pub(super) mod freshness;
pub(super) mod in_set;
pub(super) mod length;
pub(super) mod not_future;
pub(super) mod not_null;
pub(super) mod range;
pub(super) mod reference;
pub(super) mod regex;
pub(super) mod row_count;
pub(super) mod unique;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use arrow::buffer::BooleanBuffer;
use quality::Dimension;
use serde_json::Value as Json;
use table::{Batch, Column, Columns};

use crate::check::cells::Cells;
use crate::check::options::Kahn;
use crate::check::spec::Planned;
use crate::report::{Distribution, SourceQuality};
use crate::world::World;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

/// A rule as the pipeline file describes it.
pub(crate) trait Rule: Send + Sync + fmt::Debug {
    /// Reports types that do not fit.
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems);
    /// Begins to check.
    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError>;
    /// What must hold, to be read behind the columns: "must be one of `F`, `M`". Holds no value of a row.
    fn must(&self) -> String;
    /// What to do when rows fail.
    fn hint(&self) -> String;
    /// Whether it judges the table, not its rows.
    fn is_of_table(&self) -> bool {
        false
    }
    /// Whether rows that pass are known only when all have come.
    fn needs_all_rows(&self) -> bool {
        false
    }
    /// The other source it looks into.
    fn reference(&self) -> Option<&reference::Reference> {
        None
    }
    /// Columns it looks at besides those of the check.
    fn more_columns(&self) -> Vec<&Word> {
        Vec::new()
    }
}

/// What a rule is given when it begins.
pub(crate) struct Start<'a> {
    /// The check's id.
    pub(super) id: &'a str,
    /// The check's columns, then those of [`Rule::more_columns`].
    pub(super) columns: &'a [Column],
    /// All columns of the source.
    pub(super) all: &'a Columns,
    /// What the taps gathered, by source.
    pub(super) tapped: &'a [(String, Arc<dyn Any + Send + Sync>)],
    pub(super) world: &'a Arc<World>,
}

/// A rule at work.
pub(crate) enum Test {
    /// Judges each row by itself.
    Row(Box<dyn RowTest>),
    /// Judges whether a row's key was there before.
    Unique(unique::UniqueTest),
    /// Judges the table when all rows have come.
    Table(Box<dyn TableTest>),
}

/// Judges each row of a batch.
pub(crate) trait RowTest: Send {
    /// `cells` are the check's columns, then those of [`Rule::more_columns`].
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError>;
}

/// What a row test found.
pub(crate) struct Judged {
    /// Rows that can be judged.
    pub(super) assessed: BooleanBuffer,
    /// Rows that fail. Bits of rows that are not assessed mean nothing.
    pub(super) failing: BooleanBuffer,
}

/// Judges a table.
pub(crate) trait TableTest: Send {
    /// Some rows. `applies`: those that the check's condition takes.
    fn push(
        &mut self,
        cells: &[&Cells],
        batch: &Batch,
        applies: Option<&BooleanBuffer>,
    ) -> Result<(), EtlError>;
    /// All rows have come. `previous` is the quality of the source in the run before.
    fn finish(self: Box<Self>, previous: Option<&SourceQuality>) -> TableFound;
}

/// What a table test found.
#[derive(Default)]
pub(crate) struct TableFound {
    /// What was counted: rows, or 1 for the table.
    pub(super) n_assessed: u64,
    /// How many of them fail.
    pub(super) n_failed: u64,
    /// Whether the rule holds; `None`: not assessed.
    pub(super) passed: Option<bool>,
    /// Numbers for people: no value of a row.
    pub(super) detail: Option<Json>,
    /// Why it was not assessed.
    pub(super) not_assessed: Option<String>,
    /// What the next run compares with.
    pub(super) distribution: Option<Distribution>,
}

/// How many columns a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    /// None: the whole table.
    None,
    /// One.
    One,
    /// One or more.
    Some,
}

/// Decodes a rule's own options.
type Decode = fn(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>>;

/// An entry of the table of rules.
pub(crate) struct Kind {
    /// The word behind `rule:`, and the reason in rejects.
    pub(super) name: &'static str,
    /// What it says of a row or table, in one line.
    pub(super) about: &'static str,
    pub(super) decode: Decode,
    pub(super) arity: Arity,
    pub(super) dimension: Dimension,
    pub(super) kahn: Kahn,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! kinds {
    ($($name:literal, $module:ident, $arity:ident, $dimension:ident, $kahn:ident, $about:literal;)*) => {
        /// Every rule.
        pub(crate) const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            about: $about,
            decode: $module::decode,
            arity: Arity::$arity,
            dimension: Dimension::$dimension,
            kahn: Kahn::$kahn,
        }),*];
    };
}

kinds! {
    "not_null", not_null, Some, Completeness, Completeness, "every column has a value";
    "completeness", completeness, Some, Completeness, Completeness, "a column has values in a share of the rows (table)";
    "row_count", row_count, None, Completeness, Completeness, "the table has so many rows (table)";
    "unique", unique, Some, Uniqueness, PlausibilityUniqueness, "no two rows have the same key";
    "in_set", in_set, One, Validity, ConformanceValue, "the value is one of a list";
    "regex", regex, One, Validity, ConformanceValue, "the whole text matches a pattern";
    "length", length, One, Validity, ConformanceValue, "the text has so many characters";
    "format", format, One, Validity, ConformanceValue, "the text is a well-formed code, date, number or address";
    "range", range, One, Plausibility, PlausibilityAtemporal, "the number or date lies between bounds";
    "not_future", not_future, One, Plausibility, PlausibilityTemporal, "the date is not after the run";
    "freshness", freshness, One, Timeliness, PlausibilityTemporal, "the newest row, or every row, is recent enough";
    "reference", reference, Some, Consistency, ConformanceRelational, "the value is there in another source";
    "compare", compare, One, Consistency, PlausibilityAtemporal, "the value stands in an order to another column";
    "expression", expression, None, Consistency, PlausibilityAtemporal, "an expression over the row is true";
    "drift", drift, One, Consistency, PlausibilityTemporal, "values are distributed as in the run before (table)";
}

/// The rule that a word means.
pub(super) fn kind_of(word: &Word, problems: &mut Problems) -> Option<&'static Kind> {
    let kind = KINDS.iter().find(|kind| kind.name == word.text);
    if kind.is_none() {
        let advice = if format::is_known(word) {
            format!("write `rule: format, format: {word}`")
        } else {
            let names: Vec<String> = KINDS.iter().map(|kind| format!("`{}`", kind.name)).collect();
            format!("there are {}", names.join(", "))
        };
        problems.add(word.at, format!("there is no rule `{word}`: {advice}"));
    }
    kind
}

/// The name of a rule as a word that lives for ever.
pub(super) fn reason_of(rule: &str) -> &'static str {
    KINDS.iter().find(|kind| kind.name == rule).map_or("check", |kind| kind.name)
}
