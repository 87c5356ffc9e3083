//! `not_null`: every column of the check has a value.

use table::Batch;

use crate::check::cells::{Cells, all_present};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems};

#[derive(Debug)]
struct NotNull;

pub(super) fn decode(_fields: &mut Fields<'_>, _problems: &mut Problems) -> Option<Box<dyn Rule>> {
    Some(Box::new(NotNull))
}

impl Rule for NotNull {
    fn plan(&self, _planned: &Planned<'_>, _problems: &mut Problems) {}

    fn start(&self, _start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Row(Box::new(NotNull)))
    }

    fn must(&self) -> String {
        "must not be missing".to_owned()
    }

    fn hint(&self) -> String {
        "find out where the value gets lost: in the source system, in its extract, or behind a code for missing values".to_owned()
    }
}

impl RowTest for NotNull {
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let n = batch.n_rows();
        Ok(Judged { assessed: arrow::buffer::BooleanBuffer::new_set(n), failing: !&all_present(cells, n) })
    }
}
