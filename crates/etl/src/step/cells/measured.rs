//! Exact numbers of a column, whatever type holds them. A text that is no number is told from a missing one.

use std::fmt::Write as _;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use clinical::{AGE_YEARS_MAX, Number, Rounding};
use table::{Batch, Text, Type};

use crate::EtlError;

/// A cell read as a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberCell {
    /// Nothing, or nothing but blanks.
    Missing,
    /// `>10`, `haemolysed`, more digits than a measurement has.
    Bad,
    /// A number.
    Number(Number),
}

impl NumberCell {
    /// Completed years, when it is an age that people reach.
    pub(crate) fn years(self) -> Option<u16> {
        let NumberCell::Number(number) = self else { return None };
        let (years, _) = number.rounded(0, Rounding::Down).parts();
        u16::try_from(years).ok().filter(|years| *years <= AGE_YEARS_MAX)
    }

    fn of(number: Option<Number>) -> NumberCell {
        number.map_or(NumberCell::Bad, NumberCell::Number)
    }
}

/// The numbers of a column.
pub(crate) fn numbers_of(batch: &Batch, column: &str) -> Result<Vec<NumberCell>, EtlError> {
    let array = batch.array(column)?;
    if let Some(text) = Text::of(array) {
        return Ok(text.map(|text| match text.map(str::trim_ascii) {
            None | Some("") => NumberCell::Missing,
            Some(text) => NumberCell::of(Number::parse(text)),
        }));
    }
    let array = usual(array)?;
    Ok(match array.data_type() {
        DataType::Int64 => cells(array.as_primitive::<Int64Type>().iter(), |n| unscaled(i128::from(n), 0)),
        DataType::Float64 => cells(array.as_primitive::<Float64Type>().iter(), of_f64),
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).unwrap_or(u8::MAX);
            cells(array.as_primitive::<Decimal128Type>().iter(), |n| unscaled(n, scale))
        }
        other => {
            return Err(table::TableError::WrongType {
                column: column.to_owned(),
                found: other.to_string(),
                wanted: "a number".to_owned(),
            }
            .into());
        }
    })
}

/// The array in the form that its type usually has: 32-bit integers of a file become 64-bit ones.
pub(crate) fn usual(array: &ArrayRef) -> Result<ArrayRef, EtlError> {
    let wanted =
        Type::of(array.data_type()).map(Type::data_type).filter(|wanted| wanted != array.data_type());
    wanted.map_or_else(|| Ok(array.clone()), |wanted| Ok(cast(array, &wanted)?))
}

fn cells<T>(values: impl Iterator<Item = Option<T>>, of: impl Fn(T) -> Option<Number>) -> Vec<NumberCell> {
    values.map(|value| value.map_or(NumberCell::Missing, |value| NumberCell::of(of(value)))).collect()
}

/// Of the unscaled number of a decimal. Zeros at the end are dropped when there are too many digits for a measurement.
fn unscaled(mut digits: i128, mut scale: u8) -> Option<Number> {
    while scale > 0 && digits % 10 == 0 && (scale > 18 || digits.unsigned_abs() >= 10_u128.pow(18)) {
        digits /= 10;
        scale -= 1;
    }
    (scale <= 18 && digits.unsigned_abs() < 10_u128.pow(18))
        .then(|| i64::try_from(digits).ok().map(|digits| Number::of(digits, scale)))?
}

/// Of the shortest decimal that is this double: 76.8 is 76.8.
fn of_f64(value: f64) -> Option<Number> {
    let mut text = Short { bytes: [0; 48], len: 0 };
    write!(text, "{value}").ok()?;
    Number::parse(std::str::from_utf8(&text.bytes[..text.len]).ok()?)
}

/// Text on the stack.
struct Short {
    bytes: [u8; 48],
    len: usize,
}

impl std::fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let place = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use table::{Column, Columns, Value};

    fn check(kind: Type, value: Value, expected: Option<&str>) {
        let columns = Columns::new(vec![Column::new("n", kind)]).unwrap();
        let batch = Batch::from_rows(&columns, &[vec![value]]).unwrap();
        let found = match numbers_of(&batch, "n").unwrap()[0] {
            NumberCell::Missing => Some("missing".to_owned()),
            NumberCell::Bad => None,
            NumberCell::Number(number) => Some(number.to_string()),
        };
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn narrow_integers_are_numbers_too() {
        let columns = Columns::new(vec![Column::new("n", Type::Integer)]).unwrap();
        let batch = Batch::from_rows(&columns, &[vec![Value::Null]]).unwrap();
        let narrow: ArrayRef = std::sync::Arc::new(arrow::array::Int16Array::from(vec![7]));
        let found = numbers_of(&batch.with("n", narrow).unwrap(), "n").unwrap();
        assert!(found == [NumberCell::Number(Number::from(7))] && found[0].years() == Some(7));
        assert!(NumberCell::Number(Number::from(131)).years().is_none());
        assert!(NumberCell::Number(Number::from(-1)).years().is_none());
        assert_eq!(NumberCell::Number(Number::of(679, 1)).years(), Some(67));
    }

    #[test]
    fn numbers_are_exact_whatever_holds_them() {
        check(Type::Text, Value::from(" 76.80 "), Some("76.80"));
        check(Type::Text, Value::from(">10"), None);
        check(Type::Text, Value::from(" "), Some("missing"));
        check(Type::Text, Value::Null, Some("missing"));
        check(Type::Number, Value::Number(76.8), Some("76.8"));
        check(Type::Number, Value::Number(0.1 + 0.2), Some("0.30000000000000004"));
        check(Type::Number, Value::Number(f64::NAN), None);
        check(Type::Number, Value::Number(1e300), None);
        check(Type::Integer, Value::Integer(-5), Some("-5"));
        check(Type::Decimal { precision: 38, scale: 2 }, Value::Decimal(7680, 2), Some("76.80"));
        check(
            Type::Decimal { precision: 38, scale: 20 },
            Value::Decimal(768 * 10_i128.pow(18), 20),
            Some("7.68000000000000000"),
        );
        check(Type::Decimal { precision: 38, scale: 0 }, Value::Decimal(10_i128.pow(20), 0), None);
    }
}
