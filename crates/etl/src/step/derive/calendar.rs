//! Day of the week, month and quarter of a day.

use std::sync::Arc;

use arrow::array::{Array as _, Int64Array};
use clinical::age::Day;
use serde_json::json;
use table::{Batch, Columns, Type};

use super::NAME;
use crate::step::Output;
use crate::step::cells::{DateFormats, DayCell, Tally, days_of, is_calendar, need};
use crate::yaml::Fields;
use crate::{EtlError, Point, Problems, Word};

/// A number of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// By ISO 8601: Monday is 1, Sunday 7.
    DayOfWeek,
    /// January is 1.
    Month,
    /// 1 to 4, of a year that begins with this month.
    Quarter { first_month: u8 },
}

/// A column with a number of a day.
#[derive(Clone)]
pub(crate) struct Calendar {
    part: Part,
    of: Word,
    formats: DateFormats,
    into: Word,
    n_computed: u64,
    not_computed: Tally,
}

impl std::fmt::Debug for Calendar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of `{}`", self.part, self.of)
    }
}

impl Calendar {
    /// Decodes `{of: column, formats: [..], into: name}`; a quarter may have `year_starts: 10`.
    pub(super) fn decode(
        name: &'static str,
        fields: &mut Fields<'_>,
        problems: &mut Problems,
    ) -> Option<Calendar> {
        let of = fields.required_text("of", problems);
        let formats = fields.texts("formats", problems);
        let formats = DateFormats::decode(&formats, problems);
        let into = fields.text("into", problems).unwrap_or(Word { text: name.to_owned(), at: fields.at() });
        let part = match name {
            "day_of_week" => Part::DayOfWeek,
            "month" => Part::Month,
            _ => {
                let first = fields.whole("year_starts", problems).unwrap_or(1);
                let first = u8::try_from(first).ok().filter(|month| (1..=12).contains(month));
                if first.is_none() {
                    problems.add(fields.at(), "`year_starts` is the number of a month, 1 to 12");
                }
                Part::Quarter { first_month: first? }
            }
        };
        Some(Calendar { part, of: of?, formats, into, n_computed: 0, not_computed: Tally::default() })
    }

    pub(super) fn plan(&self, columns: &Columns, problems: &mut Problems) -> Vec<(String, Type, Point)> {
        need(columns, &self.of, NAME, is_calendar, "a date, or text in one of the `formats`", problems);
        vec![(self.into.text.clone(), Type::Integer, self.into.at)]
    }

    pub(super) fn made_from(&self) -> Vec<(String, Vec<String>)> {
        vec![(self.into.text.clone(), vec![self.of.text.clone()])]
    }

    pub(super) fn compute(&mut self, batch: &Batch) -> Result<Batch, EtlError> {
        let numbers = days_of(batch, &self.of, &self.formats)?.into_iter().map(|cell| match cell {
            DayCell::Day(day) => Some(i64::from(self.part.of(day))),
            DayCell::Missing => {
                self.not_computed.add("missing");
                None
            }
            DayCell::Bad => {
                self.not_computed.add("no day in any of the formats");
                None
            }
        });
        let numbers: Int64Array = numbers.collect();
        self.n_computed += (numbers.len() - numbers.null_count()) as u64;
        Ok(batch.with(&self.into, Arc::new(numbers))?)
    }

    pub(super) fn report(&self, out: &mut dyn Output) {
        let fact = json!({"computed": self.n_computed, "not_computed": self.not_computed.to_json()});
        out.fact(&format!("{NAME}.{}", self.into), fact);
    }
}

impl Part {
    fn of(self, day: Day) -> u8 {
        let (_, month, _) = day.ymd();
        match self {
            Part::DayOfWeek => day.iso_weekday(),
            Part::Month => month,
            Part::Quarter { first_month } => (month + 12 - first_month) % 12 / 3 + 1,
        }
    }
}
