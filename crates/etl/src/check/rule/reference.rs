//! `reference`: the value, or the values of several columns together, are there in another source.

use std::sync::Arc;

use arrow::array::BooleanBufferBuilder;
use table::Batch;

use crate::check::cells::{Cells, all_present};
use crate::check::keys::{Gathered, KEYS_MAX, hashes};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::keyed::Found;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

/// Where the values must be.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// The other source.
    pub(in crate::check) source: Word,
    /// Its columns, one for each of the check.
    pub(in crate::check) columns: Vec<Word>,
    /// Most different keys in the other source. Default: 50,000,000.
    pub(in crate::check) keys_max: u64,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let source = fields.required_text("source", problems);
    fields.required("source_columns", problems);
    let columns = fields.texts("source_columns", problems);
    let keys_max = fields.whole("keys_max", problems).unwrap_or(KEYS_MAX);
    if columns.is_empty() {
        return None;
    }
    Some(Box::new(Reference { source: source?, columns, keys_max }))
}

impl Rule for Reference {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        if self.columns.len() != planned.columns.len() {
            problems.add(
                self.columns[0].at,
                format!(
                    "the check looks at {} columns and `source_columns` names {}: name one for each",
                    planned.columns.len(),
                    self.columns.len()
                ),
            );
        }
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        let gathered = start.tapped.iter().find(|(source, _)| *source == self.source.text);
        let keys = gathered
            .and_then(|(_, gathered)| gathered.downcast_ref::<Gathered>())
            .and_then(|gathered| gathered.of(start.id))
            .ok_or_else(|| {
                crate::check::failed(start.id, format!("the source `{}` was not looked at", self.source))
            })?;
        Ok(Test::Row(Box::new(Looking { keys })))
    }

    fn must(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| format!("`{column}`")).collect();
        format!("must be in {} of `{}`", columns.join(" and "), self.source)
    }

    fn hint(&self) -> String {
        format!(
            "load `{}` over the same time span, and compare how both sources write the key (zeros in front, blanks, case)",
            self.source
        )
    }

    fn reference(&self) -> Option<&Reference> {
        Some(self)
    }
}

struct Looking {
    keys: Arc<Found<()>>,
}

impl RowTest for Looking {
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let n = batch.n_rows();
        let assessed = all_present(cells, n);
        let hashes = hashes(cells, n);
        let mut failing = BooleanBufferBuilder::new(n);
        failing.append_n(n, false);
        for row in assessed.set_indices() {
            failing.set_bit(row, self.keys.get(hashes[row])?.is_none());
        }
        Ok(Judged { assessed, failing: failing.finish() })
    }
}
