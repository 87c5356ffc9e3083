//! Checks of rows and tables, and what they say about the quality of a source.
//!
//! The list under `checks.<source>` becomes [`Checks`]; a run starts them as a [`Checker`], a step that looks at each batch once for
//! all checks: every rule makes one bit per row, and only rows that fail are touched one by one. A missing value passes every rule but
//! `not_null` and `completeness`, so that what is missing is counted once.

mod cells;
mod checker;
mod keys;
mod mask;
mod missing;
pub(crate) mod options;
mod rule;
mod spec;
mod tally;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_memory;

use std::any::Any;
use std::sync::Arc;

use table::Columns;

pub use checker::Checker;
pub use options::{Kahn, MaxFail, OnFail, Severity};

use crate::step::{Tap, TapSpec};
use crate::world::World;
use crate::yaml::Node;
use crate::{EtlError, Problems, Word};
use spec::CheckSpec;

/// Most checks of one source.
const CHECKS_MAX: usize = 1_000;

/// The checks of a source, as the pipeline file describes them.
#[derive(Debug)]
pub struct Checks {
    source: String,
    specs: Vec<CheckSpec>,
}

impl Checks {
    /// No checks: columns are still counted.
    pub fn none(source: &str) -> Checks {
        Checks { source: source.to_owned(), specs: Vec::new() }
    }

    /// Decodes the list under `checks.<source>`.
    pub fn decode(source: &Word, node: &Node, problems: &mut Problems) -> Checks {
        let what = format!("`checks` of `{source}`");
        let items = node.items(&what, problems);
        if items.len() > CHECKS_MAX {
            problems.add(node.at, format!("{what} has more than {CHECKS_MAX} checks"));
        }
        let mut specs: Vec<CheckSpec> = Vec::new();
        for item in items.iter().take(CHECKS_MAX) {
            let Some(spec) = CheckSpec::decode(item, problems) else { continue };
            if specs.iter().any(|other| other.id == spec.id) {
                problems.add(
                    spec.at,
                    format!("two checks of `{source}` have the id `{}`: give one another `id`", spec.id),
                );
            }
            specs.push(spec);
        }
        Checks { source: source.text.clone(), specs }
    }

    /// Reports columns that are not there and types that do not fit.
    pub fn plan(&self, columns: &Columns, problems: &mut Problems) {
        for spec in &self.specs {
            spec.plan(&self.source, columns, problems);
        }
        let mut sorting = self.specs.iter().filter(|spec| spec.needs_all_rows());
        if let (Some(_), Some(second)) = (sorting.next(), sorting.next()) {
            problems.add(
                second.at,
                "a second check that keeps the latest row: one source can have one, use `dedupe` steps for more",
            );
        }
    }

    /// Whether rows wait here until all have come.
    pub fn holds_rows(&self) -> bool {
        self.specs.iter().any(CheckSpec::needs_all_rows)
    }

    /// The sources that `reference` checks look into: each source once.
    pub fn taps(&self) -> Vec<TapSpec> {
        keys::taps(&self.specs)
    }

    /// Begins to look at a source that [`Checks::taps`] names.
    pub fn start_tap(
        &self,
        source: &str,
        columns: &Columns,
        world: &Arc<World>,
    ) -> Result<Box<dyn Tap>, EtlError> {
        keys::start_tap(&self.specs, source, columns, world)
    }

    /// Begins to check rows with these columns. `tapped` holds what the taps gathered, in the order of [`Checks::taps`].
    pub fn start(
        &self,
        columns: &Columns,
        tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Checker, EtlError> {
        let sources = self.taps().into_iter().map(|tap| tap.source.text);
        let tapped = sources.zip(tapped.iter().cloned()).collect::<Vec<_>>();
        Checker::start(&self.source, &self.specs, columns, &tapped, world)
    }
}

/// Every rule that a check can have: the word behind `rule:`, and what it says in one line.
pub fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    rule::KINDS.iter().map(|kind| (kind.name, kind.about))
}

/// A failed check as an error of the run.
fn failed(id: &str, why: impl Into<String>) -> EtlError {
    EtlError::Step { step: format!("check `{id}`"), why: why.into() }
}
