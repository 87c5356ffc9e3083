//! Days of a column: dates, moments in UTC, or text in stated forms. Days that do not exist are told from missing ones.

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use clinical::age::{Day, parse_day};
use table::{Batch, Format, Text, Type};

use super::measured::usual;
use crate::{EtlError, Problems, Word, world::World};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A cell read as a day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayCell {
    /// Nothing, or nothing but blanks.
    Missing,
    /// In none of the forms, or a day that no calendar has.
    Bad,
    /// A day.
    Day(Day),
}

impl DayCell {
    pub(crate) fn day(self) -> Option<Day> {
        if let DayCell::Day(day) = self { Some(day) } else { None }
    }
}

/// The forms in which days are written as text, tried in order.
#[derive(Clone, Debug)]
pub(crate) struct DateFormats {
    formats: Vec<Format>,
    has_iso: bool,
}

impl DateFormats {
    /// The forms of a list of texts such as `%m/%d/%Y`; none stands for `%Y-%m-%d`.
    pub(crate) fn decode(words: &[Word], problems: &mut Problems) -> DateFormats {
        let mut formats: Vec<Format> = Vec::new();
        for word in words {
            match Format::parse(word, Type::Date) {
                Ok(format) => {
                    if let Some(other) = formats.iter().find(|other| other.is_confused_with(&format)) {
                        let other = other.written();
                        let message =
                            format!("`{word}` and `{other}` read the same text as different days: keep one");
                        problems.add(word.at, message);
                    }
                    formats.push(format);
                }
                Err(why) => problems.add(word.at, why),
            }
        }
        let has_iso = words.is_empty() || formats.iter().any(|format| format.written() == "%Y-%m-%d");
        DateFormats { formats, has_iso }
    }

    /// The day that a text means in the first form that fits. `1985-02-30` fits and is none.
    pub(crate) fn parse(&self, text: &str) -> DayCell {
        // The common form first, whatever the others are: no other form reads ten characters with these hyphens as another day.
        if let Some(day) = parse_day(text).filter(|_| self.has_iso) {
            return DayCell::Day(day);
        }
        let text = text.trim_ascii();
        if text.is_empty() {
            return DayCell::Missing;
        }
        let found = self.formats.iter().find_map(|format| format.day(text.as_bytes()).ok());
        let day = match found {
            Some(days) => Day::of_epoch_days(days),
            None => parse_day(text).filter(|_| self.has_iso),
        };
        day.map_or(DayCell::Bad, DayCell::Day)
    }
}

/// The days of a column.
pub(crate) fn days_of(batch: &Batch, column: &str, formats: &DateFormats) -> Result<Vec<DayCell>, EtlError> {
    let array = batch.array(column)?;
    if let Some(text) = Text::of(array) {
        return Ok(text.map(|text| text.map_or(DayCell::Missing, |text| formats.parse(text))));
    }
    let cell = |days: Option<i32>| match days {
        None => DayCell::Missing,
        Some(days) => Day::of_epoch_days(days).map_or(DayCell::Bad, DayCell::Day),
    };
    let array = usual(array)?;
    match array.data_type() {
        DataType::Date32 => Ok(array.as_primitive::<Date32Type>().iter().map(cell).collect()),
        DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => {
            let moments = array.as_primitive::<TimestampMicrosecondType>().iter();
            Ok(moments.map(|micros| cell(micros.and_then(epoch_day_of))).collect())
        }
        other => Err(table::TableError::WrongType {
            column: column.to_owned(),
            found: other.to_string(),
            wanted: "a date".to_owned(),
        }
        .into()),
    }
}

fn epoch_day_of(micros: i64) -> Option<i32> {
    i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()
}

/// Today in UTC.
pub(crate) fn today(world: &World) -> Result<Day, EtlError> {
    let day = epoch_day_of(world.now().0).and_then(Day::of_epoch_days);
    day.ok_or_else(|| EtlError::Limit("the clock is outside of the years 1 to 9999".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;

    fn formats(texts: &[&str]) -> (DateFormats, Vec<String>) {
        let at = Point { line: 1, column: 1 };
        let words: Vec<Word> = texts.iter().map(|text| Word { text: (*text).to_owned(), at }).collect();
        let mut problems = Problems::default();
        let formats = DateFormats::decode(&words, &mut problems);
        (formats, problems.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn texts_are_read_in_the_stated_forms() {
        let check = |stated: &[&str], text: &str, expected: Option<&str>| {
            let found = formats(stated).0.parse(text).day();
            assert!(found == expected.and_then(parse_day), "{stated:?} {text}");
        };
        check(&[], "2024-02-29", Some("2024-02-29"));
        check(&[], " 2024-02-29 ", Some("2024-02-29"));
        check(&[], "2023-02-29", None);
        check(&[], "07/04/1976", None);
        check(&["%m/%d/%Y"], "2024-02-29", None);
        check(&["%m/%d/%Y", "%Y-%m-%d"], "2024-02-29", Some("2024-02-29"));
        check(&["%Y-%m-%d", "%m/%d/%Y"], "07/04/1976", Some("1976-07-04"));
        check(&["%Y-%m-%d", "%m/%d/%Y"], "13/04/1976", None);
        check(&["%Y%m%d"], "19760704", Some("1976-07-04"));
        check(&["%d-%b-%Y"], "04-Jul-1976", Some("1976-07-04"));
        check(&[], "２024-02-29", None);
        assert!(formats(&[]).0.parse("  ") == DayCell::Missing);
        assert!(formats(&[]).0.parse("1985-02-30") == DayCell::Bad);
    }

    #[test]
    fn formats_that_contradict_each_other_or_invent_a_century_are_refused() {
        let check = |stated: &[&str], n_problems: usize| {
            let found = formats(stated).1;
            assert_eq!(found.len(), n_problems, "{found:?}");
        };
        check(&["%m/%d/%Y", "%d/%m/%Y"], 1);
        check(&["%m/%d/%y"], 1);
        check(&["%Y-%m"], 1);
        check(&["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y"], 0);
    }
}
