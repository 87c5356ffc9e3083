//! One cell, for tests, previews and rare paths. Work on whole columns instead wherever it is hot.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};

use crate::{TableError, Type};

/// One cell. It prints its kind, not its content: cells hold patient data.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Missing.
    Null,
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// An exact decimal: the unscaled number and the digits behind the point.
    Decimal(i128, u8),
    /// A floating point number.
    Number(f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970 in UTC.
    Instant(i64),
    /// True or false.
    Boolean(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Value::Null => "null",
            Value::Text(_) => "text",
            Value::Integer(_) => "integer",
            Value::Decimal(..) => "decimal",
            Value::Number(_) => "number",
            Value::Date(_) => "date",
            Value::Instant(_) => "instant",
            Value::Boolean(_) => "boolean",
        })
    }
}

impl Value {
    /// The cell of an array.
    pub fn of(array: &ArrayRef, row: usize) -> Result<Value, TableError> {
        if array.is_null(row) {
            return Ok(Value::Null);
        }
        Ok(match array.data_type() {
            DataType::Utf8View => Value::from(array.as_string_view().value(row)),
            DataType::Utf8 => Value::from(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => Value::from(array.as_string::<i64>().value(row)),
            DataType::Int64 => Value::Integer(array.as_primitive::<Int64Type>().value(row)),
            DataType::Float64 => Value::Number(array.as_primitive::<Float64Type>().value(row)),
            DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>().value(row)),
            DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
            DataType::Decimal128(_, scale) => {
                let unscaled = array.as_primitive::<Decimal128Type>().value(row);
                Value::Decimal(unscaled, u8::try_from(*scale).unwrap_or(0))
            }
            DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => {
                Value::Instant(array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            other => match Type::of(other) {
                // Dictionaries, other widths and units: through the type's own form.
                Some(kind) => {
                    let one = arrow::compute::cast(&array.slice(row, 1), &kind.data_type())?;
                    return Value::of(&one, 0);
                }
                None => {
                    return Err(TableError::UnknownType {
                        column: String::new(),
                        data_type: other.to_string(),
                    });
                }
            },
        })
    }

    /// The cell as people and CSV files write it: `2026-01-31`, `2026-01-31T10:00:00.000000Z`, `1.50`. `None` for a missing one.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Value::Null => return None,
            Value::Text(text) => text.clone(),
            Value::Integer(n) => n.to_string(),
            Value::Number(n) => n.to_string(),
            Value::Boolean(yes) => yes.to_string(),
            Value::Decimal(unscaled, scale) => decimal_text(*unscaled, *scale),
            Value::Date(days) => arrow::temporal_conversions::date32_to_datetime(*days)?.date().to_string(),
            Value::Instant(micros) => {
                let moment = arrow::temporal_conversions::timestamp_us_to_datetime(*micros)?;
                moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
            }
        })
    }
}

fn decimal_text(unscaled: i128, scale: u8) -> String {
    let (digits, scale) = (unscaled.unsigned_abs().to_string(), usize::from(scale));
    let mut text = String::with_capacity(digits.len() + 3);
    if unscaled < 0 {
        text.push('-');
    }
    if scale == 0 {
        text.push_str(&digits);
        return text;
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = padded.split_at(padded.len() - scale);
    let _ = write!(text, "{whole}.{part}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_people_write_them() {
        let check = |value: Value, text: &str| assert_eq!(value.to_text().as_deref(), Some(text));
        check(Value::Decimal(150, 2), "1.50");
        check(Value::Decimal(-5, 3), "-0.005");
        check(Value::Decimal(7, 0), "7");
        check(Value::Date(-1), "1969-12-31");
        check(Value::Instant(1_500_000), "1970-01-01T00:00:01.500000Z");
        check(Value::Number(0.1), "0.1");
        assert_eq!(Value::Null.to_text(), None);
        assert_eq!(format!("{:?}", Value::from("Ana Abel")), "text");
    }
}
