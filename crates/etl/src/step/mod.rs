//! What happens to rows between source and target. One file per step: it decodes its options, says which columns it needs and gives,
//! and works batch by batch.

mod cells;
mod comorbidity;
mod dedupe;
mod derive;
mod equity_flags;
mod fill_missing;
mod filter;
mod join_reference;
pub(crate) mod key;
pub(crate) mod map_to_fhir;
mod normalize_codes;
mod privacy;
mod select;
mod shared;
mod sql;
mod standardize_demographics;
pub(crate) mod stays;
#[cfg(test)]
pub(crate) mod testing;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use table::{Batch, Columns, Reject};

use crate::yaml::Node;
use crate::{EtlError, Problems, Word, world::World};

/// The fact, and the attachment of targets, in which a step that de-identifies says what it did.
pub const PRIVACY_MANIFEST: &str = "privacy_manifest";

/// A step as the pipeline file describes it.
pub trait StepSpec: Send + Sync + fmt::Debug {
    /// The columns after the step, given those before it. A column that is needed and not there, or has the wrong type, is a problem
    /// at its place in the file.
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns;
    /// The same for a step that looks at other sources: `sources` gives their columns (after their checks, before their steps).
    fn plan_among(
        &self,
        input: &Columns,
        _sources: &dyn Fn(&str) -> Option<Columns>,
        problems: &mut Problems,
    ) -> Columns {
        self.plan(input, problems)
    }
    /// Columns of the output with the columns of the input they are made from, for lineage, as far as they are not simply kept.
    fn made_from(&self, _input: &Columns) -> Vec<(String, Vec<String>)> {
        Vec::new()
    }
    /// What targets are told before the first row comes: see [`Target::attach`](crate::target::Target::attach). The facts of a step with
    /// the same names follow before the commit.
    fn attachments(&self) -> Vec<(&'static str, Json)> {
        Vec::new()
    }
    /// Whether the step may give rows on after others came: the rows are then kept as they were read, for those that are refused later.
    fn holds_rows(&self) -> bool {
        false
    }
    /// Other sources that the step must see whole before the first row comes: see [`Tap`].
    fn taps(&self) -> Vec<TapSpec> {
        Vec::new()
    }
    /// Begins to look at another source (one of [`StepSpec::taps`], whose columns are given).
    fn start_tap(
        &self,
        _source: &str,
        _columns: &Columns,
        _world: &Arc<World>,
    ) -> Result<Box<dyn Tap>, EtlError> {
        Err(EtlError::Step { step: "tap".to_owned(), why: "this step looks at no other source".to_owned() })
    }
    /// Begins to work. `tapped` holds what the taps gathered, in the order of [`StepSpec::taps`].
    fn start(
        &self,
        input: &Columns,
        tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError>;
}

/// A wish to see another source.
#[derive(Clone, Debug)]
pub struct TapSpec {
    /// The source's name.
    pub source: Word,
    /// Columns that are needed, as they are after its checks and before its steps. None are named when all are.
    pub columns: Vec<Word>,
}

/// Looks at the rows of another source (after its checks, before its steps) and keeps what its step needs.
pub trait Tap: Send {
    /// Some rows, all columns.
    fn push(&mut self, batch: &Batch) -> Result<(), EtlError>;
    /// What was gathered.
    fn finish(self: Box<Self>) -> Result<Arc<dyn Any + Send + Sync>, EtlError>;
}

/// A step at work. Steps run on a thread of their own and may block; they call `out` any number of times. A step that needs all rows
/// first keeps them in an `engine::Spool` and gives them in `finish`. Memory is bounded.
pub trait Step: Send {
    /// Takes a batch.
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError>;
    /// No more batches will come.
    fn finish(&mut self, _out: &mut dyn Output) -> Result<(), EtlError> {
        Ok(())
    }
}

/// Where a step puts what it makes. Every row that came in must go to one of these.
pub trait Output {
    /// Rows that go on. Empty batches are dropped.
    fn rows(&mut self, batch: Batch) -> Result<(), EtlError>;
    /// A row that cannot go on: quarantined. Leave `raw` empty, the run fills it with the row.
    fn reject(&mut self, reject: Reject) -> Result<(), EtlError>;
    /// Rows left out by a named rule.
    fn filtered(&mut self, rule: &str, n_rows: u64);
    /// Rows left out because another row has the same key.
    fn deduplicated(&mut self, key: &str, n_rows: u64);
    /// Rows that were consumed to make other rows (an aggregate, a join): the sums are then checked on both sides.
    fn replaced(&mut self, consumed: u64, produced: u64);
    /// A number or table for the run's record: a match rate, how many values were filled. No values of rows. A later one with the
    /// same name replaces the former.
    fn fact(&mut self, name: &str, value: Json);
}

/// Decodes a step's options: the node behind its name.
pub type Decode = fn(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>>;

/// Every step: its name, what it does in one line, and its decoder.
pub const KINDS: &[(&str, &str, Decode)] = &[
    ("comorbidity", "a Charlson or Elixhauser score per patient over a look-back", comorbidity::decode),
    ("dedupe", "leaves one row per key", dedupe::decode),
    ("deidentify", "removes identifiers under a named privacy profile", privacy::decode_deidentify),
    ("derive", "BMI, eGFR, MELD 3.0, FIB-4, parts of dates, expressions", derive::decode),
    (
        "equity_flags",
        "flags by rules on codes, counted by strata with small cells suppressed",
        equity_flags::decode,
    ),
    ("fill_missing", "fills missing values, with a flag beside each", fill_missing::decode),
    ("filter", "leaves out rows for which a condition is not true", filter::decode),
    ("join_reference", "adds columns of a reference table by key", join_reference::decode),
    ("k_anonymize", "generalises until each row looks like `k - 1` others", privacy::decode_k_anonymize),
    ("map_to_fhir", "makes a FHIR resource of each row by a template", map_to_fhir::decode),
    ("normalize_codes", "codes in their canonical form, with what is wrong counted", normalize_codes::decode),
    ("select", "keeps, drops and renames columns", select::decode),
    ("sql", "a `SELECT` over the rows so far and other sources", sql::decode),
    (
        "standardize_demographics",
        "sex, race, ethnicity, birth and death dates to codes, days and ages",
        standardize_demographics::decode,
    ),
];
