//! Cells as text and back, exactly: what CSV, NDJSON, folder names and transaction logs hold.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
    Int64Builder, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use table::{Text, Type};

/// Why rows cannot be written as text, or a text is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CellError {
    /// A date or instant that ISO 8601 with four digits cannot say.
    #[error(
        "the column `{0}` holds a date outside of the years 0000 to 9999: quarantine it with a `range` check"
    )]
    OutOfCalendar(String),
    /// A missing and an empty value would get one folder.
    #[error(
        "the column `{0}`, which partitions, holds an empty text, which readers take for a missing value: fill it or make it missing first"
    )]
    EmptyPartition(String),
    /// A column that is not there.
    #[error("there is no column `{0}`")]
    NoColumn(String),
    /// A text that was written by something else.
    #[error("the column `{column}` holds a text that is not {kind}: the file was changed by something else")]
    NotOfType {
        /// The column.
        column: String,
        /// What it should be.
        kind: String,
    },
    /// A type without a text.
    #[error("the column `{column}` has the type {data_type}, which cannot be written")]
    Unknown {
        /// The column.
        column: String,
        /// Its Arrow type.
        data_type: String,
    },
    /// Arrow refused.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// A column whose cells are written one by one, downcast once.
pub(crate) enum Cells<'a> {
    Text(Text<'a>),
    Integer(&'a arrow::array::Int64Array),
    Number(&'a arrow::array::Float64Array),
    Decimal(&'a arrow::array::Decimal128Array, usize),
    Date(&'a arrow::array::Date32Array),
    Instant(&'a arrow::array::TimestampMicrosecondArray),
    Boolean(&'a arrow::array::BooleanArray),
}

impl<'a> Cells<'a> {
    /// The cells of a column.
    pub(crate) fn of(name: &str, array: &'a ArrayRef) -> Result<Cells<'a>, CellError> {
        if let Some(text) = Text::of(array) {
            return Ok(Cells::Text(text));
        }
        let cells = match array.data_type() {
            DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(Cells::Integer),
            DataType::Float64 => array.as_primitive_opt::<Float64Type>().map(Cells::Number),
            DataType::Date32 => array.as_primitive_opt::<Date32Type>().map(Cells::Date),
            DataType::Boolean => array.as_boolean_opt().map(Cells::Boolean),
            DataType::Timestamp(_, _) => {
                array.as_primitive_opt::<TimestampMicrosecondType>().map(Cells::Instant)
            }
            DataType::Decimal128(_, scale) => {
                let scale = usize::try_from(*scale).unwrap_or(0);
                array.as_primitive_opt::<Decimal128Type>().map(|cells| Cells::Decimal(cells, scale))
            }
            _ => None,
        };
        cells.ok_or_else(|| CellError::Unknown {
            column: name.to_owned(),
            data_type: array.data_type().to_string(),
        })
    }

    /// Whether the cell of a row is missing.
    pub(crate) fn is_missing(&self, row: usize) -> bool {
        match self {
            Cells::Text(cells) => cells.get(row).is_none(),
            Cells::Integer(cells) => cells.is_null(row),
            Cells::Number(cells) => cells.is_null(row),
            Cells::Decimal(cells, _) => cells.is_null(row),
            Cells::Date(cells) => cells.is_null(row),
            Cells::Instant(cells) => cells.is_null(row),
            Cells::Boolean(cells) => cells.is_null(row),
        }
    }

    /// Whether JSON writes the cells without quotes.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self, Cells::Integer(_) | Cells::Number(_) | Cells::Decimal(..) | Cells::Boolean(_))
    }

    /// Appends bytes that are equal only for equal cells, missing ones included.
    pub(crate) fn append_bytes(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_missing(row) {
            out.push(0);
            return;
        }
        out.push(1);
        match self {
            Cells::Text(cells) => {
                let text = cells.get(row).unwrap_or_default();
                out.extend_from_slice(&(text.len() as u64).to_le_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Cells::Integer(cells) => out.extend_from_slice(&cells.value(row).to_le_bytes()),
            Cells::Number(cells) => {
                // Files that hold texts keep only one kind of "not a number".
                let number = cells.value(row);
                let number = if number.is_nan() { f64::NAN } else { number };
                out.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Cells::Decimal(cells, _) => out.extend_from_slice(&cells.value(row).to_le_bytes()),
            Cells::Date(cells) => out.extend_from_slice(&cells.value(row).to_le_bytes()),
            Cells::Instant(cells) => out.extend_from_slice(&cells.value(row).to_le_bytes()),
            Cells::Boolean(cells) => out.push(u8::from(cells.value(row))),
        }
    }

    /// Appends the text of a cell that is not missing.
    pub(crate) fn append(&self, name: &str, row: usize, out: &mut Vec<u8>) -> Result<(), CellError> {
        use std::io::Write as _;
        let written = match self {
            Cells::Text(cells) => {
                out.extend_from_slice(cells.get(row).unwrap_or_default().as_bytes());
                Ok(())
            }
            Cells::Integer(cells) => write!(out, "{}", cells.value(row)),
            Cells::Number(cells) => write!(out, "{}", cells.value(row)),
            Cells::Boolean(cells) => write!(out, "{}", cells.value(row)),
            Cells::Decimal(cells, scale) => {
                append_decimal(cells.value(row), *scale, out);
                Ok(())
            }
            Cells::Date(cells) => {
                return append_date(i64::from(cells.value(row)), out)
                    .ok_or_else(|| CellError::OutOfCalendar(name.to_owned()));
            }
            Cells::Instant(cells) => {
                return append_instant(cells.value(row), out)
                    .ok_or_else(|| CellError::OutOfCalendar(name.to_owned()));
            }
        };
        written.expect("a vector takes what is written");
        Ok(())
    }
}

/// The text of one cell; `None` when it is missing.
pub(crate) fn text_of(name: &str, array: &ArrayRef, row: usize) -> Result<Option<String>, CellError> {
    let cells = Cells::of(name, array)?;
    if cells.is_missing(row) {
        return Ok(None);
    }
    let mut out = Vec::new();
    cells.append(name, row, &mut out)?;
    Ok(Some(String::from_utf8(out).expect("all texts are UTF-8")))
}

fn append_decimal(unscaled: i128, scale: usize, out: &mut Vec<u8>) {
    use std::io::Write as _;
    if unscaled < 0 {
        out.push(b'-');
    }
    let start = out.len();
    write!(out, "{:0width$}", unscaled.unsigned_abs(), width = scale + 1)
        .expect("a vector takes what is written");
    if scale > 0 {
        let point = out.len() - scale;
        debug_assert!(point > start);
        out.insert(point, b'.');
    }
}

/// `2026-01-31`; `None` outside of the years 0000 to 9999.
fn append_date(days: i64, out: &mut Vec<u8>) -> Option<()> {
    use std::io::Write as _;
    // Days to the civil date of the proleptic Gregorian calendar, in eras of 400 years that begin on 1 March.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if !(0..=9999).contains(&year) {
        return None;
    }
    write!(out, "{year:04}-{month:02}-{day:02}").ok()
}

/// `2026-01-31T10:00:00.000000Z`
fn append_instant(micros: i64, out: &mut Vec<u8>) -> Option<()> {
    use std::io::Write as _;
    append_date(micros.div_euclid(86_400_000_000), out)?;
    let of_day = micros.rem_euclid(86_400_000_000);
    let (secs, micros) = (of_day / 1_000_000, of_day % 1_000_000);
    write!(out, "T{:02}:{:02}:{:02}.{micros:06}Z", secs / 3_600, secs / 60 % 60, secs % 60).ok()
}

/// An array of a column's own Arrow type from texts that [`Cells::append`] wrote.
pub(crate) fn array_of(name: &str, data: &DataType, texts: &[Option<&str>]) -> Result<ArrayRef, CellError> {
    let kind = Type::of(data)
        .ok_or_else(|| CellError::Unknown { column: name.to_owned(), data_type: data.to_string() })?;
    macro_rules! build {
        ($builder:expr, $parse:expr) => {{
            let mut builder = $builder;
            for text in texts {
                match text {
                    None => builder.append_null(),
                    Some(text) => {
                        let parsed: Option<_> = $parse(text);
                        builder.append_value(parsed.ok_or_else(|| CellError::NotOfType {
                            column: name.to_owned(),
                            kind: kind.to_string(),
                        })?);
                    }
                }
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    Ok(match kind {
        Type::Text => build!(StringViewBuilder::new(), Some::<&str>),
        Type::Integer => build!(Int64Builder::new(), |text: &str| text.parse().ok()),
        Type::Number => build!(Float64Builder::new(), |text: &str| text.parse().ok()),
        Type::Boolean => build!(BooleanBuilder::new(), |text: &str| text.parse().ok()),
        Type::Date => build!(Date32Builder::new(), |text| i32::try_from(days_of(text)?).ok()),
        Type::Instant => {
            build!(TimestampMicrosecondBuilder::new().with_timezone("UTC"), micros_of)
        }
        Type::Decimal { scale, .. } => build!(
            Decimal128Builder::new().with_data_type(kind.data_type()),
            |text: &str| unscaled_of(text, usize::from(scale))
        ),
    })
}

/// Days of `2026-01-31`.
fn days_of(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    if !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    // A 30 February is another day when it is written again.
    let mut again = Vec::with_capacity(10);
    append_date(days, &mut again)?;
    (again == bytes).then_some(days)
}

/// Microseconds of `2026-01-31T10:00:00.000000Z`.
fn micros_of(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 27 || bytes[10] != b'T' || bytes[19] != b'.' || bytes[26] != b'Z' {
        return None;
    }
    let days = days_of(text.get(..10)?)?;
    let (hours, mins, secs) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?, digits(&bytes[17..19])?);
    Some(((days * 24 + hours) * 60 + mins) * 60_000_000 + secs * 1_000_000 + digits(&bytes[20..26])?)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |n, byte| byte.is_ascii_digit().then(|| n * 10 + i64::from(byte - b'0')))
}

fn unscaled_of(text: &str, scale: usize) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if part.len() != scale {
        return None;
    }
    let unsigned: i128 = format!("{whole}{part}").parse().ok()?;
    Some(sign * unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
    fn check(array: ArrayRef) {
        let texts: Vec<_> = (0..array.len()).map(|row| text_of("x", &array, row).unwrap()).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        assert_eq!(&array_of("x", array.data_type(), &texts).unwrap(), &array);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (-719_528, "0000-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            let mut out = Vec::new();
            append_date(days, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
            assert_eq!(days_of(text), Some(days));
        }
        assert!(append_date(2_932_897, &mut Vec::new()).is_none());
        assert!(append_date(-719_529, &mut Vec::new()).is_none());
    }

    proptest! {
        #[test]
        fn cells_come_back_as_they_were(
            integers in prop::collection::vec(prop::option::of(any::<i64>()), 1..9),
            numbers in prop::collection::vec(prop::option::of(any::<f64>().prop_filter("equal to itself", |n| !n.is_nan())), 1..9),
            days in prop::collection::vec(prop::option::of(-719_528_i32..=2_932_896), 1..9),
            micros in prop::collection::vec(prop::option::of(-62_167_219_200_000_000_i64..253_402_300_800_000_000), 1..9),
            decimals in prop::collection::vec(prop::option::of(-(10_i128.pow(38) - 1)..10_i128.pow(38)), 1..9),
        ) {
            check(Arc::new(arrow::array::Int64Array::from(integers)));
            check(Arc::new(arrow::array::Float64Array::from(numbers)));
            check(Arc::new(arrow::array::Date32Array::from(days)));
            check(Arc::new(arrow::array::TimestampMicrosecondArray::from(micros).with_timezone("UTC")));
            for scale in [0, 2, 38] {
                let decimals = arrow::array::Decimal128Array::from(decimals.clone());
                check(Arc::new(decimals.with_precision_and_scale(38, scale).unwrap()));
            }
        }
    }
}
