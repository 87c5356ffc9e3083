//! `freshness`: the newest row, or every row, is recent enough.

use arrow::buffer::BooleanBuffer;
use serde_json::json;
use table::{Batch, Type};

use crate::check::cells::{Cells, Scalars, all_present};
use crate::check::rule::range::day_of;
use crate::check::rule::{Judged, RowTest, Rule, Start, TableFound, TableTest, Test};
use crate::check::spec::Planned;
use crate::report::SourceQuality;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

const DAY_MICROS: i64 = 86_400_000_000;
const HOUR_MICROS: i64 = 3_600_000_000;

#[derive(Debug)]
struct Freshness {
    /// The greatest age.
    max_age_micros: i64,
    /// The age as it is written.
    written: String,
    /// What is judged. Default: `newest`.
    of: Of,
    /// When the age is taken: a day, a moment, or another column. Default: the time of the run.
    as_of: Option<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The newest row: whether the source is still being fed.
    Newest,
    /// Every row.
    Rows,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let of = fields.choice("of", &[("newest", Of::Newest), ("rows", Of::Rows)], problems);
    let as_of = fields.text("as_of", problems);
    let written = fields.required_text("max_age", problems)?;
    let span = fields.span("max_age", problems)?;
    let of = of.unwrap_or(Of::Newest);
    let is_column = as_of.as_ref().is_some_and(|word| moment_of(word).is_none());
    if of == Of::Newest && is_column {
        problems.add(
            as_of.as_ref().map_or(fields.at(), |word| word.at),
            "`as_of` must be a day or a moment; another column needs `of: rows`",
        );
        return None;
    }
    Some(Box::new(Freshness {
        max_age_micros: i64::try_from(span.as_micros()).unwrap_or(i64::MAX),
        written: written.text,
        of,
        as_of,
    }))
}

/// The end of a day, or a moment.
fn moment_of(text: &str) -> Option<i64> {
    match day_of(text) {
        Some(day) => i64::try_from((day + 1) * i128::from(DAY_MICROS) - 1).ok(),
        None => fhir::Instant::parse(text).map(|at| at.0),
    }
}

fn is_time(kind: Type) -> bool {
    matches!(kind, Type::Date | Type::Instant)
}

impl Freshness {
    fn column(&self) -> Option<&Word> {
        self.as_of.as_ref().filter(|word| moment_of(word).is_none())
    }
}

impl Rule for Freshness {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        planned.types(is_time, "a date or an instant", problems);
        if let Some(word) = self.column() {
            match planned.all.get(word) {
                Some(column) if is_time(column.kind) => {}
                Some(column) => {
                    problems.add(word.at, format!("`{word}` is {}, not a date or an instant", column.kind));
                }
                None => problems.add(
                    word.at,
                    format!("`as_of` must be a day, a moment or a column: there is no column `{word}`"),
                ),
            }
        }
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        let as_of = self.as_of.as_deref().and_then(moment_of).unwrap_or(start.world.now().0);
        if self.of == Of::Newest {
            return Ok(Test::Table(Box::new(Newest {
                max_age_micros: self.max_age_micros,
                as_of,
                newest: None,
            })));
        }
        Ok(Test::Row(Box::new(Rows {
            max_age_micros: self.max_age_micros,
            as_of: self.column().is_none().then_some(as_of),
        })))
    }

    fn must(&self) -> String {
        let as_of = self.as_of.as_ref().map(|word| format!(" on `{word}`")).unwrap_or_default();
        match self.of {
            Of::Newest => format!("must be at most {} old in the newest row{as_of}", self.written),
            Of::Rows => format!("must be at most {} old{as_of}", self.written),
        }
    }

    fn hint(&self) -> String {
        "see whether the extract ran and the source system still delivers; a longer `max_age` is right only when users can live with it".to_owned()
    }

    fn is_of_table(&self) -> bool {
        self.of == Of::Newest
    }

    fn more_columns(&self) -> Vec<&Word> {
        self.column().into_iter().collect()
    }
}

/// The last microsecond that a cell can mean: a day lasts until its end.
fn end_of(scalars: &Scalars<'_>, row: usize) -> Option<i64> {
    match scalars {
        Scalars::Days(values) => Some((i64::from(values[row]) + 1) * DAY_MICROS - 1),
        Scalars::Micros(values) => Some(values[row]),
        _ => None,
    }
}

struct Rows {
    max_age_micros: i64,
    /// `None`: the second column says.
    as_of: Option<i64>,
}

impl RowTest for Rows {
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let n = batch.n_rows();
        let other = cells.get(1).and_then(|cells| cells.scalars());
        let Some(values) = cells[0].scalars() else {
            return Err(EtlError::Limit("the column changed its type within the run".to_owned()));
        };
        let failing = BooleanBuffer::collect_bool(n, |row| {
            let as_of = self.as_of.or_else(|| end_of(other.as_ref()?, row));
            match (as_of, end_of(&values, row)) {
                (Some(as_of), Some(at)) => as_of.saturating_sub(at) > self.max_age_micros,
                _ => false,
            }
        });
        Ok(Judged { assessed: all_present(cells, n), failing })
    }
}

struct Newest {
    max_age_micros: i64,
    as_of: i64,
    newest: Option<i64>,
}

impl TableTest for Newest {
    fn push(
        &mut self,
        cells: &[&Cells],
        _batch: &Batch,
        applies: Option<&BooleanBuffer>,
    ) -> Result<(), EtlError> {
        let Some(values) = cells[0].scalars() else { return Ok(()) };
        let rows = match applies {
            Some(applies) => &cells[0].present & applies,
            None => cells[0].present.clone(),
        };
        // A date in the far future says nothing about how fresh a source is.
        let known = rows.set_indices().filter_map(|row| end_of(&values, row));
        let newest = known.filter(|at| *at < self.as_of.saturating_add(DAY_MICROS)).max();
        self.newest = self.newest.max(newest);
        Ok(())
    }

    fn finish(self: Box<Self>, _previous: Option<&SourceQuality>) -> TableFound {
        let Some(newest) = self.newest else {
            let why = "no row has a date that is not in the future".to_owned();
            return TableFound { not_assessed: Some(why), ..TableFound::default() };
        };
        let age = self.as_of.saturating_sub(newest).max(0);
        let passed = age <= self.max_age_micros;
        TableFound {
            n_assessed: 1,
            n_failed: u64::from(!passed),
            passed: Some(passed),
            detail: Some(json!({ "newest_age_hours": age / HOUR_MICROS })),
            ..TableFound::default()
        }
    }
}
