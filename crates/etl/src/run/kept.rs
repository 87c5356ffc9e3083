//! The rows of a source as they were read, kept on disk where rows may be refused that are no longer at hand: behind a step that waits for
//! all rows, or by a target that refuses late. A row that is set aside needs them: it is run again as it was read.

use std::collections::HashMap;

use table::{Batch, Reject};

use crate::EtlError;
use crate::engine::{Spool, Spooled};
use crate::file::{Pipeline, SourceEntry};
use crate::run::chain::row_json;
use crate::world::World;

/// Rejects that wait for their rows; for so many, the rows are read once.
pub(crate) const WAITING_MAX: usize = 20_000;

/// Whether rows of a source may be refused when they are no longer at hand.
pub(crate) fn is_needed(pipeline: &Pipeline, source: &SourceEntry) -> bool {
    source.checks.holds_rows()
        || source.steps.iter().any(|step| step.spec.holds_rows())
        || pipeline.targets_of(&source.name).any(|target| target.spec.refuses_late())
}

/// Rows that are being kept.
pub(crate) struct Keeping(Spool);

impl Keeping {
    pub(crate) fn start(world: &World) -> Result<Keeping, EtlError> {
        Ok(Keeping(world.engine.spool()?))
    }

    pub(crate) fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        self.0.push(batch)
    }

    pub(crate) fn finish(self) -> Result<Kept, EtlError> {
        Ok(Kept(self.0.finish()?))
    }
}

/// Rows that were kept.
pub(crate) struct Kept(Spooled);

impl Kept {
    /// Gives rejects the row that was read at their place instead of what they have.
    pub(crate) fn replace(&self, rejects: &mut [Reject]) -> Result<(), EtlError> {
        let own: Vec<Vec<u8>> = rejects.iter_mut().map(|reject| std::mem::take(&mut reject.raw)).collect();
        self.fill(rejects)?;
        for (reject, own) in rejects.iter_mut().zip(own).filter(|(reject, _)| reject.raw.is_empty()) {
            reject.raw = own;
        }
        Ok(())
    }

    /// Gives rejects without a row the row that was read at their place. A row that a step made has none.
    pub(crate) fn fill(&self, rejects: &mut [Reject]) -> Result<(), EtlError> {
        let mut wanted: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, reject) in rejects.iter().enumerate().filter(|(_, reject)| reject.raw.is_empty()) {
            wanted
                .entry((reject.place.unit, reject.place.line, reject.place.offset))
                .or_default()
                .push(index);
        }
        if wanted.is_empty() {
            return Ok(());
        }
        for batch in self.0.read()? {
            let batch = batch?;
            for row in 0..batch.n_rows() {
                let place = batch.place(row);
                let Some(indexes) = wanted.remove(&(place.unit, place.line, place.offset)) else { continue };
                let raw = row_json(&batch, row)?.to_string().into_bytes();
                for index in indexes {
                    rejects[index].raw.clone_from(&raw);
                }
                if wanted.is_empty() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
