//! Rows of a batch that a step refuses: rejects with their places, and the batch without them.

use arrow::array::BooleanArray;
use table::{Batch, Reject};

use crate::EtlError;
use crate::step::Output;

/// Rows of a batch that cannot go on. The first reason of a row counts.
#[derive(Default)]
pub(crate) struct Refused(Vec<One>);

struct One {
    row: usize,
    column: Box<str>,
    reason: &'static str,
    message: String,
}

impl Refused {
    /// Refuses a row. The message holds no value of the row.
    pub(crate) fn add(&mut self, row: usize, column: &str, reason: &'static str, message: impl Into<String>) {
        self.0.push(One { row, column: column.into(), reason, message: message.into() });
    }

    /// Whether no row is refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the rejects and the rows that are left. `batch` has the rows of the batch that came in.
    pub(crate) fn give(
        mut self,
        rule: &'static str,
        batch: Batch,
        out: &mut dyn Output,
    ) -> Result<(), EtlError> {
        if self.is_empty() {
            return out.rows(batch);
        }
        self.0.sort_by_key(|one| one.row);
        self.0.dedup_by_key(|one| one.row);
        let mut keep = vec![true; batch.n_rows()];
        for one in self.0 {
            keep[one.row] = false;
            out.reject(Reject {
                place: batch.place(one.row),
                rule: rule.into(),
                column: Some(one.column.into()),
                reason: one.reason.into(),
                message: one.message,
                raw: Vec::new(),
            })?;
        }
        out.rows(batch.filter(&BooleanArray::from(keep))?)
    }
}
