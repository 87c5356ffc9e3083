//! `not_future`: the day or moment is not after the run.

use arrow::buffer::BooleanBuffer;
use table::{Batch, Type};

use crate::check::cells::{Cells, Scalars};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems};

const DAY_MICROS: i64 = 86_400_000_000;

#[derive(Debug)]
struct NotFuture {
    /// How far clocks and time zones may be ahead. Default: none for moments; a day is compared with the day of the run in UTC.
    tolerance_micros: i64,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let tolerance = fields.span("tolerance", problems).unwrap_or_default();
    Some(Box::new(NotFuture { tolerance_micros: i64::try_from(tolerance.as_micros()).unwrap_or(i64::MAX) }))
}

impl Rule for NotFuture {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        planned.types(|kind| matches!(kind, Type::Date | Type::Instant), "a date or an instant", problems);
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Row(Box::new(Until {
            latest_micros: start.world.now().0.saturating_add(self.tolerance_micros),
        })))
    }

    fn must(&self) -> String {
        "must not be in the future".to_owned()
    }

    fn hint(&self) -> String {
        "look for swapped day and month, two-digit years, planned events, and a clock that is ahead (allow it with `tolerance`)".to_owned()
    }
}

struct Until {
    latest_micros: i64,
}

impl RowTest for Until {
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let n = batch.n_rows();
        let failing = match cells[0].scalars() {
            Some(Scalars::Days(values)) => {
                let latest = self.latest_micros.div_euclid(DAY_MICROS);
                BooleanBuffer::collect_bool(n, |row| i64::from(values[row]) > latest)
            }
            Some(Scalars::Micros(values)) => {
                BooleanBuffer::collect_bool(n, |row| values[row] > self.latest_micros)
            }
            _ => return Err(EtlError::Limit("the column changed its type within the run".to_owned())),
        };
        Ok(Judged { assessed: cells[0].present.clone(), failing })
    }
}
