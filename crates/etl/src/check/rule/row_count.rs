//! `row_count`: the table has so many rows.

use arrow::buffer::BooleanBuffer;
use serde_json::json;
use table::Batch;

use crate::check::cells::Cells;
use crate::check::rule::{Rule, Start, TableFound, TableTest, Test};
use crate::check::spec::Planned;
use crate::report::SourceQuality;
use crate::yaml::Fields;
use crate::{EtlError, Problems};

#[derive(Clone, Debug)]
struct RowCount {
    /// Fewest rows.
    min: Option<u64>,
    /// Most rows.
    max: Option<u64>,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let (min, max) = (fields.whole("min", problems), fields.whole("max", problems));
    if min.is_none() && max.is_none() {
        problems.add(fields.at(), "the rule `row_count` needs `min` or `max`");
        return None;
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        problems.add(fields.at(), "`min` of the check is more than `max`: no table could pass");
        return None;
    }
    Some(Box::new(RowCount { min, max }))
}

impl Rule for RowCount {
    fn plan(&self, _planned: &Planned<'_>, _problems: &mut Problems) {}

    fn start(&self, _start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Table(Box::new(Counting { limits: self.clone(), n_rows: 0 })))
    }

    fn must(&self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("the source must have {min} to {max} rows"),
            (Some(min), None) => format!("the source must have at least {min} rows"),
            (None, Some(max)) => format!("the source must have at most {max} rows"),
            (None, None) => "the source may have any number of rows".to_owned(),
        }
    }

    fn hint(&self) -> String {
        "compare with the sender's own count: the delivery is partial, was sent twice, or the time window is wrong".to_owned()
    }

    fn is_of_table(&self) -> bool {
        true
    }
}

struct Counting {
    limits: RowCount,
    n_rows: u64,
}

impl TableTest for Counting {
    fn push(
        &mut self,
        _cells: &[&Cells],
        batch: &Batch,
        applies: Option<&BooleanBuffer>,
    ) -> Result<(), EtlError> {
        self.n_rows += applies.map_or(batch.n_rows(), BooleanBuffer::count_set_bits) as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, _previous: Option<&SourceQuality>) -> TableFound {
        let (min, max) = (self.limits.min.unwrap_or(0), self.limits.max.unwrap_or(u64::MAX));
        let passed = (min..=max).contains(&self.n_rows);
        TableFound {
            n_assessed: 1,
            n_failed: u64::from(!passed),
            passed: Some(passed),
            detail: Some(json!({ "n_rows": self.n_rows })),
            ..TableFound::default()
        }
    }
}
