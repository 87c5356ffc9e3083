//! What sources gather from each other: who looks at whom, and what was seen.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use table::Columns;

use crate::EtlError;
use crate::file::{Pipeline, SourceEntry};
use crate::run::chain::Tapped;
use crate::step::Tap;
use crate::world::World;

/// One wish to see a source: who has it, and its place among their wishes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    consumer: String,
    /// `None`: the checks; else the number of the step.
    step: Option<usize>,
    number: usize,
}

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Gathered {
    seen: BTreeMap<Wish, Arc<dyn Any + Send + Sync>>,
    complete: Vec<String>,
}

/// The wishes to see a source, in a fixed order.
fn wishes(pipeline: &Pipeline, seen: &str) -> Vec<(Wish, usize)> {
    let mut wishes = Vec::new();
    for (at, consumer) in pipeline.sources.iter().enumerate() {
        let name = &consumer.name.text;
        let mut add = |step: Option<usize>, taps: Vec<crate::step::TapSpec>| {
            for (number, _) in taps.iter().enumerate().filter(|(_, tap)| tap.source.text == seen) {
                wishes.push((Wish { consumer: name.clone(), step, number }, at));
            }
        };
        add(None, consumer.checks.taps());
        for (index, step) in consumer.steps.iter().enumerate() {
            add(Some(index), step.spec.taps());
        }
    }
    wishes
}

/// Begins all taps on a source, in the order of its wishes.
pub(crate) fn start(
    pipeline: &Pipeline,
    source: &SourceEntry,
    columns: &Columns,
    world: &Arc<World>,
) -> Result<Vec<Box<dyn Tap>>, EtlError> {
    let seen = &source.name.text;
    let start = |(wish, at): (Wish, usize)| {
        let consumer = &pipeline.sources[at];
        match wish.step {
            None => consumer.checks.start_tap(seen, columns, world),
            Some(step) => consumer.steps[step].spec.start_tap(seen, columns, world),
        }
    };
    wishes(pipeline, seen).into_iter().map(start).collect()
}

impl Gathered {
    /// Keeps what the taps on a source gathered.
    pub(crate) fn keep(
        &mut self,
        pipeline: &Pipeline,
        source: &SourceEntry,
        gathered: Vec<Arc<dyn Any + Send + Sync>>,
    ) {
        let wishes = wishes(pipeline, &source.name.text);
        if gathered.len() == wishes.len() {
            self.seen.extend(wishes.into_iter().map(|(wish, _)| wish).zip(gathered));
            self.complete.push(source.name.text.clone());
        }
    }

    /// Whether a source was seen to its end.
    pub(crate) fn has(&self, source: &str) -> bool {
        self.complete.iter().any(|name| name == source)
    }

    /// Whether anybody looks at a source.
    pub(crate) fn is_tapped(&self, pipeline: &Pipeline, source: &str) -> bool {
        !wishes(pipeline, source).is_empty()
    }

    /// What the checks and steps of a source wished to see.
    pub(crate) fn for_source(&self, source: &SourceEntry) -> Tapped {
        let of = |step: Option<usize>, n: usize| {
            let wish = |number| Wish { consumer: source.name.text.clone(), step, number };
            (0..n).filter_map(|number| self.seen.get(&wish(number)).cloned()).collect::<Vec<_>>()
        };
        Tapped {
            checks: of(None, source.checks.taps().len()),
            steps: source
                .steps
                .iter()
                .enumerate()
                .map(|(index, step)| of(Some(index), step.spec.taps().len()))
                .collect(),
        }
    }
}
