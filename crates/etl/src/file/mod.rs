//! The pipeline file: what is written, decoded and checked as far as it can be without connecting to anything.

mod canonical;
mod decode;
mod schedule;
mod test_block;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::Checks;
use crate::report::Gates;
use crate::source::SourceSpec;
use crate::step::StepSpec;
use crate::target::TargetSpec;
use crate::{Problem, Problems, Secret, Word};

pub use schedule::Schedule;
pub use test_block::{Cells, Expectation, TestSpec};

/// A pipeline as its file describes it.
#[derive(Debug)]
pub struct Pipeline {
    /// Its name: letters, digits, `-`, `_` and `.`; the key of everything that is remembered about it.
    pub name: Word,
    /// What it is for.
    pub description: Option<String>,
    /// SHA-256 of the file's content without places and comments, as hexadecimal digits. Recorded with each run.
    pub hash: String,
    /// In the order of the file.
    pub sources: Vec<SourceEntry>,
    /// In the order of the file.
    pub targets: Vec<TargetEntry>,
    /// How it runs.
    pub run: RunSpec,
    /// Its own tests.
    pub tests: Vec<TestSpec>,
}

/// A source with its checks and steps.
#[derive(Debug)]
pub struct SourceEntry {
    /// Its name.
    pub name: Word,
    /// The word behind `type:`.
    pub kind: Word,
    /// Its options.
    pub spec: Box<dyn SourceSpec>,
    /// Its checks.
    pub checks: Checks,
    /// Its steps.
    pub steps: Vec<StepEntry>,
}

/// A step with its name.
#[derive(Debug)]
pub struct StepEntry {
    /// The step's name, at its place.
    pub name: Word,
    /// Its options.
    pub spec: Box<dyn StepSpec>,
}

/// A target with the source it is loaded from.
#[derive(Debug)]
pub struct TargetEntry {
    /// Its name.
    pub name: Word,
    /// The source it is loaded from.
    pub from: Word,
    /// The word behind `type:`.
    pub kind: Word,
    /// Whether rows get the columns [`crate::target::AUDIT`].
    pub audit_columns: bool,
    /// Its options.
    pub spec: Box<dyn TargetSpec>,
}

/// How a pipeline runs.
#[derive(Debug)]
pub struct RunSpec {
    /// Memory for sorting, SQL and joins, in bytes.
    pub memory_bytes: u64,
    /// Sources read at once.
    pub sources_at_once: usize,
    /// Thresholds of the quality gates.
    pub gates: Gates,
    /// Gates of single sources.
    pub gates_of: BTreeMap<String, Gates>,
    /// How often a source is tried again after a failure that may pass.
    pub retries: u32,
    /// The pause before the first new try; doubled each time.
    pub retry_pause: Duration,
    /// When `salus serve` runs it.
    pub schedule: Option<Schedule>,
    /// Where lineage events go.
    pub lineage: LineageSpec,
    /// Rows that may be quarantined before a source is given up. `None`: no limit.
    pub quarantined_max: Option<u64>,
}

/// Where lineage events go.
#[derive(Debug, Default)]
pub struct LineageSpec {
    /// A file below the roots to which events are appended.
    pub file: Option<Word>,
    /// An OpenLineage endpoint.
    pub url: Option<Secret>,
    /// Its bearer token.
    pub token: Option<Secret>,
    /// The namespace of jobs; `salus` by default.
    pub namespace: Option<String>,
}

impl Pipeline {
    /// The pipeline in a text, or all that is wrong with it, in the order of the file.
    pub fn parse(text: &str) -> Result<Pipeline, Vec<Problem>> {
        let mut problems = Problems::default();
        let pipeline =
            crate::yaml::parse(text, &mut problems).and_then(|node| decode::pipeline(&node, &mut problems));
        match pipeline {
            Some(pipeline) if problems.is_empty() => Ok(pipeline),
            _ => Err(problems.into_sorted()),
        }
    }

    /// The source with a name.
    pub fn source(&self, name: &str) -> Option<&SourceEntry> {
        self.sources.iter().find(|source| source.name.text == name)
    }

    /// The targets that are loaded from a source.
    pub fn targets_of<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a TargetEntry> + 'a {
        self.targets.iter().filter(move |target| target.from.text == source)
    }

    /// Names of the sources that another source looks at, through its checks or steps.
    pub fn tapped_by(&self, source: &SourceEntry) -> Vec<String> {
        let steps = source.steps.iter().flat_map(|step| step.spec.taps());
        let taps = source.checks.taps().into_iter().chain(steps);
        let mut names: Vec<String> = taps.map(|tap| tap.source.text).collect();
        names.sort();
        names.dedup();
        names
    }
}
