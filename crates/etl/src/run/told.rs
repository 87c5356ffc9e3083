//! Tells lineage what a run reads and writes: a START per source before it, a COMPLETE or FAIL after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::file::{Pipeline, SourceEntry};
use crate::lineage::{About, Event, FileSink, HttpSink, Input, Job, Made, MadeFrom, Output, Parent, Sink};
use crate::plan::{FlowColumns, Plan};
use crate::run::{RunOptions, SourceRecord, Status, TargetCounts};
use crate::world::World;

const NAMESPACE: &str = "salus";

/// Tells one run. What goes wrong is a warning in its record: lineage is told, not needed.
pub(super) struct Teller<'a> {
    pipeline: &'a Pipeline,
    options: &'a RunOptions,
    world: &'a Arc<World>,
    sink: Sink,
    warnings: Vec<String>,
}

impl<'a> Teller<'a> {
    /// A teller for a pipeline that names a file or a server for its lineage; `None` for the others, and for dry runs.
    pub(super) fn new(
        pipeline: &'a Pipeline,
        options: &'a RunOptions,
        world: &'a Arc<World>,
    ) -> Option<Teller<'a>> {
        let wanted = &pipeline.run.lineage;
        if options.dry_run || (wanted.file.is_none() && wanted.url.is_none()) {
            return None;
        }
        let mut teller = Teller { pipeline, options, world, sink: Sink::default(), warnings: Vec::new() };
        if let Some(file) = &wanted.file {
            match world.path(file) {
                Ok(path) => teller.sink.file = Some(FileSink::new(&path)),
                Err(why) => teller.warnings.push(format!("lineage: {why}")),
            }
        }
        if let Some(url) = &wanted.url {
            let secrets = &*world.secrets;
            let token = wanted.token.as_ref().map(|token| token.reveal(secrets)).transpose();
            let sink = url.reveal(secrets).and_then(|url| HttpSink::new(&url, token?.as_deref()));
            match sink {
                Ok(sink) => teller.sink.http = Some(sink),
                Err(why) => teller.warnings.push(format!("lineage: {why}")),
            }
        }
        Some(teller)
    }

    /// The sources begin.
    pub(super) async fn start(&mut self, plan: &Plan) {
        for source in &self.pipeline.sources {
            if let Some(columns) = plan.flow(&source.name) {
                let event = Event::start(&self.about(source, columns, None));
                let warnings = self.sink.send(&event).await;
                self.warnings.extend(warnings);
            }
        }
    }

    /// The sources have ended. Gives what went wrong in telling.
    pub(super) async fn end(mut self, plan: &Plan, records: &[SourceRecord]) -> Vec<String> {
        for record in records {
            let (Some(source), Some(columns)) = (self.pipeline.source(&record.name), plan.flow(&record.name))
            else {
                continue;
            };
            let about = self.about(source, columns, Some(record));
            let event = match (&record.status, &record.error) {
                (Status::Completed, _) => Event::complete(&about),
                (_, error) => Event::fail(&about, error.as_deref().unwrap_or(record.status.name())),
            };
            let warnings = self.sink.send(&event).await;
            self.warnings.extend(warnings);
        }
        self.warnings
    }

    fn about<'b>(
        &'b self,
        source: &'b SourceEntry,
        columns: &'b FlowColumns,
        record: Option<&'b SourceRecord>,
    ) -> About<'b> {
        let run = Uuid::parse_str(&self.options.run)
            .unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, self.options.run.as_bytes()));
        let namespace = self.pipeline.run.lineage.namespace.clone().unwrap_or_else(|| NAMESPACE.to_owned());
        let name = &self.pipeline.name.text;
        let made_from = made_from(source, columns);
        let outputs = self.pipeline.targets_of(&source.name).map(|target| {
            let counts = record
                .and_then(|record| record.targets.iter().find(|counts| counts.name == target.name.text));
            let committed = counts.filter(|counts| counts.status == "committed");
            Output {
                dataset: target.spec.dataset(),
                columns: Some(columns.output()),
                made_from: made_from.clone(),
                n_rows: committed.map(TargetCounts::n_loaded),
                n_bytes: committed.and_then(|counts| counts.n_bytes),
            }
        });
        About {
            at: if record.is_some() { self.world.now() } else { self.options.started_at },
            run: Uuid::new_v5(&run, source.name.as_bytes()),
            job: Job { namespace: namespace.clone(), name: format!("{name}.{}", source.name) },
            parent: Some(Parent { run, job: Job { namespace, name: name.clone() } }),
            inputs: vec![Input {
                dataset: source.spec.dataset(),
                columns: Some(&columns.source),
                quality: record.and_then(|record| record.quality.as_ref()),
            }],
            outputs: outputs.collect(),
        }
    }
}

/// The columns of the source that each column of the output is made from, followed through the steps.
fn made_from(source: &SourceEntry, columns: &FlowColumns) -> Vec<Made> {
    let own = |name: &str| (BTreeSet::from([name.to_owned()]), true);
    let mut known: BTreeMap<String, (BTreeSet<String>, bool)> =
        columns.source.iter().map(|column| (column.name.to_string(), own(&column.name))).collect();
    for (step, (before, after)) in
        source.steps.iter().zip(columns.steps.iter().zip(columns.steps.iter().skip(1)))
    {
        let mut next: BTreeMap<String, (BTreeSet<String>, bool)> = BTreeMap::new();
        for column in after {
            next.insert(column.name.to_string(), known.get(&*column.name).cloned().unwrap_or_default());
        }
        for (column, from) in step.spec.made_from(before) {
            let of =
                from.iter().filter_map(|name| known.get(name)).flat_map(|(names, _)| names.iter().cloned());
            if after.get(&column).is_some() {
                next.insert(column, (of.collect(), false));
            }
        }
        known = next;
    }
    let dataset = source.spec.dataset();
    let made = columns.output().iter().map(|column| {
        let (names, is_same) = known.remove(&*column.name).unwrap_or_default();
        let from = names.into_iter().map(|name| MadeFrom {
            dataset: dataset.clone(),
            column: name,
            is_same,
            is_masked: false,
        });
        Made { column: column.name.to_string(), from: from.collect() }
    });
    made.collect()
}
