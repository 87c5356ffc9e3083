//! `completeness`: columns have values in at least a share of the rows.

use arrow::buffer::BooleanBuffer;
use table::Batch;

use crate::check::cells::Cells;
use crate::check::rule::{Rule, Start, TableFound, TableTest, Test};
use crate::check::spec::Planned;
use crate::report::SourceQuality;
use crate::yaml::Fields;
use crate::{EtlError, Problems};

#[derive(Clone, Debug)]
struct Completeness {
    /// The least share of cells that have a value.
    min: f64,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    fields.required("min", problems)?;
    let min = fields.share("min", problems)?;
    Some(Box::new(Completeness { min }))
}

impl Rule for Completeness {
    fn plan(&self, _planned: &Planned<'_>, _problems: &mut Problems) {}

    fn start(&self, _start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Table(Box::new(Counting { min: self.min, n_cells: 0, n_missing: 0 })))
    }

    fn must(&self) -> String {
        format!("must have a value in at least {} % of the rows", self.min * 100.0)
    }

    fn hint(&self) -> String {
        "see since when and from where the values are missing; a form or interface that no longer fills them is the usual cause".to_owned()
    }

    fn is_of_table(&self) -> bool {
        true
    }
}

struct Counting {
    min: f64,
    n_cells: u64,
    n_missing: u64,
}

impl TableTest for Counting {
    fn push(
        &mut self,
        cells: &[&Cells],
        batch: &Batch,
        applies: Option<&BooleanBuffer>,
    ) -> Result<(), EtlError> {
        let n_rows = applies.map_or(batch.n_rows(), BooleanBuffer::count_set_bits);
        for cells in cells {
            let n_present = match applies {
                Some(applies) => (&cells.present & applies).count_set_bits(),
                None => cells.present.count_set_bits(),
            };
            self.n_cells += n_rows as u64;
            self.n_missing += (n_rows - n_present) as u64;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _previous: Option<&SourceQuality>) -> TableFound {
        if self.n_cells == 0 {
            return TableFound { not_assessed: Some("there was no row".to_owned()), ..TableFound::default() };
        }
        let max_fail = crate::check::options::MaxFail::Share(1.0 - self.min);
        TableFound {
            n_assessed: self.n_cells,
            n_failed: self.n_missing,
            passed: Some(!max_fail.is_exceeded(self.n_missing, self.n_cells)),
            ..TableFound::default()
        }
    }
}
