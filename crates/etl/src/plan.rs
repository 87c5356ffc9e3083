//! What runs: for every source the columns before and after each part, checked against each other. Knows nothing of where it runs.

use std::collections::BTreeMap;

use table::{Columns, Type};

use crate::file::{Pipeline, SourceEntry};
use crate::target::AUDIT;
use crate::{Problem, Problems};

/// The columns of every source's flow.
#[derive(Debug)]
pub struct Plan {
    flows: BTreeMap<String, FlowColumns>,
}

/// The columns of one source, from the reader to the targets.
#[derive(Clone, Debug)]
pub struct FlowColumns {
    /// As they are read, typed.
    pub source: Columns,
    /// Before each step; the last entry is what comes out of the last step.
    pub steps: Vec<Columns>,
}

impl FlowColumns {
    /// What comes out of the last step.
    pub fn output(&self) -> &Columns {
        self.steps.last().unwrap_or(&self.source)
    }
}

impl Plan {
    /// Plans a pipeline whose sources have these columns. A source without an entry is not planned: its columns are not known.
    /// What is wrong comes back together, in the order of the file.
    pub fn of(pipeline: &Pipeline, sources: &BTreeMap<String, Columns>) -> Result<Plan, Vec<Problem>> {
        let mut problems = Problems::default();
        let mut flows = BTreeMap::new();
        for source in &pipeline.sources {
            let Some(columns) = sources.get(&source.name.text) else { continue };
            let mut looked_at = source.steps.iter().flat_map(|step| step.spec.taps());
            // What a step makes of a source that is not known is not known either.
            if looked_at.any(|tap| !sources.contains_key(&tap.source.text)) {
                continue;
            }
            flows.insert(source.name.text.clone(), flow(pipeline, source, columns, sources, &mut problems));
            for tap in
                source.checks.taps().into_iter().chain(source.steps.iter().flat_map(|step| step.spec.taps()))
            {
                let Some(tapped) = sources.get(&tap.source.text) else { continue };
                for column in tap.columns.iter().filter(|column| tapped.get(column).is_none()) {
                    problems.add(column.at, format!("the source `{}` has no column `{column}`", tap.source));
                }
            }
        }
        if problems.is_empty() { Ok(Plan { flows }) } else { Err(problems.into_sorted()) }
    }

    /// The columns of a source's flow.
    pub fn flow(&self, source: &str) -> Option<&FlowColumns> {
        self.flows.get(source)
    }
}

fn flow(
    pipeline: &Pipeline,
    source: &SourceEntry,
    columns: &Columns,
    sources: &BTreeMap<String, Columns>,
    problems: &mut Problems,
) -> FlowColumns {
    let others = |name: &str| sources.get(name).cloned();
    source.checks.plan(columns, problems);
    let mut steps = vec![columns.clone()];
    for step in &source.steps {
        let input = steps.last().expect("the list begins with the source's columns");
        steps.push(step.spec.plan_among(input, &others, problems));
    }
    let output = steps.last().expect("the list begins with the source's columns");
    for target in pipeline.targets_of(&source.name) {
        let columns = target_columns(output, target.audit_columns);
        for name in AUDIT.iter().filter(|name| target.audit_columns && output.get(name).is_some()) {
            problems.add(target.name.at, format!("the column `{name}` is one of the audit columns: rename it, or write `audit_columns: false`"));
        }
        target.spec.plan(&columns, source.spec.division(), problems);
    }
    FlowColumns { source: columns.clone(), steps }
}

/// What a target gets: the columns of the last step, and who loaded the row from where.
pub(crate) fn target_columns(output: &Columns, audit: bool) -> Columns {
    let mut columns = output.clone();
    if audit {
        for name in AUDIT {
            columns.set(name, if name == "etl_loaded_at" { Type::Instant } else { Type::Text });
        }
    }
    columns
}
