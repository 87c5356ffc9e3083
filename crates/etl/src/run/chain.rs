//! The checks and steps of one source in a row: batches are pushed in at one end and come out at the other.

use std::any::Any;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use table::{Batch, Place, Reject, Value};

use crate::EtlError;
use crate::check::Checker;
use crate::file::SourceEntry;
use crate::plan::FlowColumns;
use crate::run::StepCounts;
use crate::run::kept::{Keeping, Kept, WAITING_MAX};
use crate::step::{Output, Step, Tap};
use crate::world::World;

/// Where rows and rejects go that come out of a chain.
pub(crate) trait Sink {
    /// Takes rows. Gives those that cannot be taken.
    fn rows(&mut self, batch: Batch) -> Result<Vec<Reject>, EtlError>;
    fn reject(&mut self, reject: Reject) -> Result<(), EtlError>;
}

/// What the checks and steps need before they start: what was gathered from the sources they look at.
pub(crate) struct Tapped {
    pub(crate) checks: Vec<Arc<dyn Any + Send + Sync>>,
    pub(crate) steps: Vec<Vec<Arc<dyn Any + Send + Sync>>>,
}

/// The checks and steps of one source at work.
pub(crate) struct Chain {
    checker: Checker,
    checked: StepCounts,
    taps: Vec<Box<dyn Tap>>,
    slots: Vec<Slot>,
    keeping: Option<Keeping>,
    kept: Option<Kept>,
    /// Rejects whose rows are looked for among those that are kept.
    waiting: Vec<Reject>,
}

struct Slot {
    step: Box<dyn Step>,
    counts: StepCounts,
}

impl Chain {
    /// Starts the checks and the first `n_steps` steps. `taps` see the rows between them. With `keeping`, rows are kept as they were read
    /// for those that are refused later.
    pub(crate) fn start(
        source: &SourceEntry,
        columns: &FlowColumns,
        tapped: &Tapped,
        taps: Vec<Box<dyn Tap>>,
        n_steps: usize,
        keeping: Option<Keeping>,
        world: &Arc<World>,
    ) -> Result<Chain, EtlError> {
        let checker = source.checks.start(&columns.source, &tapped.checks, world)?;
        let nothing = Vec::new();
        let slots = source.steps.iter().take(n_steps).enumerate().map(|(index, entry)| {
            let step = entry.spec.start(
                &columns.steps[index],
                tapped.steps.get(index).unwrap_or(&nothing),
                world,
            )?;
            Ok(Slot { step, counts: StepCounts { name: entry.name.text.clone(), ..StepCounts::default() } })
        });
        let checked = StepCounts { name: "checks".to_owned(), ..StepCounts::default() };
        let slots = slots.collect::<Result<_, EtlError>>()?;
        Ok(Chain { checker, checked, taps, slots, keeping, kept: None, waiting: Vec::new() })
    }

    /// Takes a batch of the source.
    pub(crate) fn push(&mut self, batch: Batch, sink: &mut dyn Sink) -> Result<(), EtlError> {
        if let Some(keeping) = &mut self.keeping {
            keeping.push(&batch)?;
        }
        let waiting = self.keeping.is_some().then_some(&mut self.waiting);
        let mut rejects = Rejects { source: Some(batch.clone()), waiting, kept: None, sink };
        self.checked.rows_in += batch.n_rows() as u64;
        let rest = &mut self.slots[..];
        let mut emit = Emit { counts: &mut self.checked, taps: &mut self.taps, rest, rejects: &mut rejects };
        self.checker.push(batch, &mut emit)
    }

    /// No more batches: every step gives what it kept.
    pub(crate) fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), EtlError> {
        self.kept = self.keeping.take().map(Keeping::finish).transpose()?;
        let waiting = self.kept.is_some().then_some(&mut self.waiting);
        let mut rejects = Rejects { source: None, waiting, kept: self.kept.as_ref(), sink };
        let mut emit = Emit {
            counts: &mut self.checked,
            taps: &mut self.taps,
            rest: &mut self.slots[..],
            rejects: &mut rejects,
        };
        self.checker.finish(&mut emit)?;
        for index in 0..self.slots.len() {
            let (slot, rest) = self.slots[index..].split_first_mut().expect("the index is within the slots");
            let mut emit =
                Emit { counts: &mut slot.counts, taps: &mut Vec::new(), rest, rejects: &mut rejects };
            slot.step.finish(&mut emit)?;
        }
        rejects.flush()
    }

    /// The checker, what the taps gathered, and the counts of the checks and steps.
    pub(crate) fn end(self) -> Result<Ended, EtlError> {
        let tapped = self.taps.into_iter().map(Tap::finish).collect::<Result<_, _>>()?;
        let mut counts = vec![self.checked];
        counts.extend(self.slots.into_iter().map(|slot| slot.counts));
        Ok(Ended { checker: self.checker, tapped, counts, kept: self.kept })
    }
}

/// What is left of a chain.
pub(crate) struct Ended {
    pub(crate) checker: Checker,
    pub(crate) tapped: Vec<Arc<dyn Any + Send + Sync>>,
    pub(crate) counts: Vec<StepCounts>,
    /// The rows as they were read, where a target may still refuse some.
    pub(crate) kept: Option<Kept>,
}

/// Rejects on their way out: they get the source's row, as it was read, where it is still at hand or was kept.
struct Rejects<'a> {
    source: Option<Batch>,
    waiting: Option<&'a mut Vec<Reject>>,
    kept: Option<&'a Kept>,
    sink: &'a mut dyn Sink,
}

impl Rejects<'_> {
    fn give(&mut self, mut reject: Reject) -> Result<(), EtlError> {
        if reject.raw.is_empty()
            && let Some((batch, row)) =
                self.source.as_ref().and_then(|batch| Some((batch, row_at(batch, reject.place)?)))
        {
            reject.raw = row_json(batch, row)?.to_string().into_bytes();
        }
        match &mut self.waiting {
            Some(waiting) if reject.raw.is_empty() => {
                waiting.push(reject);
                // Before all rows are read, there is nothing to look them up in.
                if self.kept.is_some() && waiting.len() >= WAITING_MAX { self.flush() } else { Ok(()) }
            }
            _ => self.sink.reject(reject),
        }
    }

    fn flush(&mut self) -> Result<(), EtlError> {
        let (Some(waiting), Some(kept)) = (&mut self.waiting, self.kept) else { return Ok(()) };
        let mut filled = std::mem::take(*waiting);
        kept.fill(&mut filled)?;
        filled.into_iter().try_for_each(|reject| self.sink.reject(reject))
    }
}

/// The output of one step: the input of the next.
struct Emit<'a, 'b> {
    counts: &'a mut StepCounts,
    taps: &'a mut Vec<Box<dyn Tap>>,
    rest: &'a mut [Slot],
    rejects: &'a mut Rejects<'b>,
}

impl Output for Emit<'_, '_> {
    fn rows(&mut self, batch: Batch) -> Result<(), EtlError> {
        if batch.n_rows() == 0 {
            return Ok(());
        }
        self.counts.rows_out += batch.n_rows() as u64;
        for tap in self.taps.iter_mut() {
            tap.push(&batch)?;
        }
        let Some((slot, rest)) = self.rest.split_first_mut() else {
            let refused = self.rejects.sink.rows(batch)?;
            return refused.into_iter().try_for_each(|reject| self.rejects.give(reject));
        };
        slot.counts.rows_in += batch.n_rows() as u64;
        let mut next =
            Emit { counts: &mut slot.counts, taps: &mut Vec::new(), rest, rejects: &mut *self.rejects };
        slot.step.push(batch, &mut next)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        self.counts.quarantined += 1;
        self.rejects.give(reject)
    }

    fn filtered(&mut self, rule: &str, n_rows: u64) {
        if n_rows > 0 {
            *self.counts.filtered.entry(rule.to_owned()).or_default() += n_rows;
        }
    }

    fn deduplicated(&mut self, key: &str, n_rows: u64) {
        if n_rows > 0 {
            *self.counts.deduplicated.entry(key.to_owned()).or_default() += n_rows;
        }
    }

    fn replaced(&mut self, consumed: u64, produced: u64) {
        self.counts.consumed += consumed;
        self.counts.produced += produced;
    }

    fn fact(&mut self, name: &str, value: Json) {
        self.counts.facts.insert(name.to_owned(), value);
    }
}

/// The row of a batch that came from a place. Sources give their rows in order, so it is searched by halves.
fn row_at(batch: &Batch, place: Place) -> Option<usize> {
    let (mut low, mut high) = (0, batch.n_rows());
    while low < high {
        let middle = low + (high - low) / 2;
        match batch.place(middle).cmp(&place) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

/// A row as a JSON object of texts; missing cells are null.
pub(crate) fn row_json(batch: &Batch, row: usize) -> Result<Json, EtlError> {
    let mut object = Map::new();
    let record = batch.record();
    for (index, field) in record.schema().fields().iter().enumerate() {
        if !table::is_place(field.name()) {
            let cell = Value::of(record.column(index), row)?.to_text();
            object.insert(field.name().clone(), cell.map_or(Json::Null, Json::String));
        }
    }
    Ok(Json::Object(object))
}
