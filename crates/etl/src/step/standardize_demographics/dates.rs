//! Birth and death dates → days, and the age in completed years on a stated day.

use std::sync::Arc;

use arrow::array::{Date32Array, Int64Array};
use clinical::age::{Day, years_on};
use serde_json::json;
use table::Batch;

use super::{AgeOn, Demographics, NAME, OnInvalid};
use crate::EtlError;
use crate::step::Output;
use crate::step::cells::{DateFormats, DayCell, Refused, Tally, days_of};

/// Days at work.
pub(super) struct Dates {
    birth: Option<Column>,
    death: Option<Column>,
    age: Option<(String, AgeOn)>,
    age_years_max: u16,
    formats: DateFormats,
    on_invalid: OnInvalid,
    today: Day,
    ages: Tally,
    n_ages: u64,
}

struct Column {
    name: String,
    counts: Tally,
}

/// Why a day cannot be.
#[derive(Clone, Copy)]
struct Wrong {
    reason: &'static str,
    message: &'static str,
}

const BAD: Wrong =
    Wrong { reason: "bad_date", message: "the date is in none of the formats, or no calendar has it" };
const FUTURE: Wrong = Wrong { reason: "future_date", message: "the date is after the day of the run" };
const DEATH_FIRST: Wrong =
    Wrong { reason: "death_before_birth", message: "the date of death is before the birth date" };
const NOT_BORN: Wrong =
    Wrong { reason: "negative_age", message: "the birth date is after the day of the age" };
const TOO_OLD: Wrong = Wrong { reason: "age_too_high", message: "the age is above `age_years_max`" };

impl Dates {
    pub(super) fn of(spec: &Demographics, today: Day) -> Dates {
        let column = |word: &crate::Word| Column { name: word.text.clone(), counts: Tally::default() };
        Dates {
            birth: spec.birth_date.as_ref().map(column),
            death: spec.death_date.as_ref().map(column),
            age: spec.age_on.clone().map(|on| (spec.age.text.clone(), on)),
            age_years_max: spec.age_years_max,
            formats: spec.formats.clone(),
            on_invalid: spec.on_invalid,
            today,
            ages: Tally::default(),
            n_ages: 0,
        }
    }

    /// The columns of days.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.birth.iter().chain(&self.death).map(|column| column.name.as_str())
    }

    /// Puts days in their columns and adds the ages.
    pub(super) fn standardize(&mut self, mut batch: Batch, refused: &mut Refused) -> Result<Batch, EtlError> {
        let (today, on_invalid, formats) = (self.today, self.on_invalid, &self.formats);
        let mut births = Vec::new();
        if let Some(column) = &mut self.birth {
            let cells = days_of(&batch, &column.name, formats)?;
            let wrong = |_: usize, day: Day| (day > today).then_some(FUTURE);
            births = column.check(&cells, wrong, on_invalid, refused);
            batch = batch.with(&column.name, dates_of(&births))?;
        }
        let mut deaths = Vec::new();
        if let Some(column) = &mut self.death {
            let cells = days_of(&batch, &column.name, formats)?;
            let is_before_birth =
                |row: usize, day: Day| births.get(row).copied().flatten().is_some_and(|birth| day < birth);
            let wrong = |row: usize, day: Day| match day {
                _ if day > today => Some(FUTURE),
                _ if is_before_birth(row, day) => Some(DEATH_FIRST),
                _ => None,
            };
            deaths = column.check(&cells, wrong, on_invalid, refused);
            batch = batch.with(&column.name, dates_of(&deaths))?;
        }
        if let Some((name, on)) = self.age.clone() {
            let on = self.days_of_age(&batch, &on)?;
            let ages = self.ages_of(&births, &deaths, &on, refused);
            batch = batch.with(&name, Arc::new(ages))?;
        }
        Ok(batch)
    }

    fn days_of_age(&self, batch: &Batch, on: &AgeOn) -> Result<Vec<DayCell>, EtlError> {
        match on {
            AgeOn::RunDate => Ok(vec![DayCell::Day(self.today); batch.n_rows()]),
            AgeOn::Day(day) => Ok(vec![DayCell::Day(*day); batch.n_rows()]),
            // The column may be one that has just become a date.
            AgeOn::Column(column) => days_of(batch, column, &self.formats),
        }
    }

    /// Completed years; of who died before the day, at death.
    fn ages_of(
        &mut self,
        births: &[Option<Day>],
        deaths: &[Option<Day>],
        on: &[DayCell],
        refused: &mut Refused,
    ) -> Int64Array {
        let birth_column = self.birth.as_ref().map_or("", |column| &column.name);
        let max = self.age_years_max;
        let mut age_of = |row: usize| {
            let Some(birth) = births[row] else {
                self.ages.add("no birth date");
                return None;
            };
            let Some(on) = on[row].day() else {
                self.ages.add("no day of the age");
                return None;
            };
            let on = deaths.get(row).copied().flatten().map_or(on, |death| death.min(on));
            let wrong = match years_on(birth, on) {
                Some(years) if years <= max => return Some(i64::from(years)),
                _ if birth > on => NOT_BORN,
                _ => TOO_OLD,
            };
            self.ages.add(wrong.reason);
            if self.on_invalid == OnInvalid::Quarantine {
                refused.add(row, birth_column, wrong.reason, wrong.message);
            }
            None
        };
        let ages: Int64Array = (0..births.len()).map(&mut age_of).collect();
        self.n_ages += (ages.len() - arrow::array::Array::null_count(&ages)) as u64;
        ages
    }

    /// Counts as facts.
    pub(super) fn report(&self, out: &mut dyn Output) {
        for column in self.birth.iter().chain(&self.death) {
            out.fact(&format!("{NAME}.{}", column.name), column.counts.to_json());
        }
        if let Some((name, _)) = &self.age {
            let fact = json!({"computed": self.n_ages, "not_computed": self.ages.to_json()});
            out.fact(&format!("{NAME}.{name}"), fact);
        }
    }
}

impl Column {
    /// The days that can be; the others are counted, and their rows refused where the file says so.
    fn check(
        &mut self,
        cells: &[DayCell],
        wrong: impl Fn(usize, Day) -> Option<Wrong>,
        on_invalid: OnInvalid,
        refused: &mut Refused,
    ) -> Vec<Option<Day>> {
        let (mut n_days, mut n_missing) = (0, 0);
        let days = cells.iter().enumerate().map(|(row, cell)| {
            let wrong = match *cell {
                DayCell::Missing => {
                    n_missing += 1;
                    return None;
                }
                DayCell::Bad => BAD,
                DayCell::Day(day) => match wrong(row, day) {
                    None => {
                        n_days += 1;
                        return Some(day);
                    }
                    Some(wrong) => wrong,
                },
            };
            self.counts.add(wrong.reason);
            if on_invalid == OnInvalid::Quarantine {
                refused.add(row, &self.name, wrong.reason, wrong.message);
            }
            None
        });
        let days = days.collect();
        self.counts.add_many("days", n_days);
        self.counts.add_many("missing", n_missing);
        days
    }
}

fn dates_of(days: &[Option<Day>]) -> Arc<Date32Array> {
    Arc::new(days.iter().map(|day| day.map(Day::epoch_days)).collect::<Date32Array>())
}
