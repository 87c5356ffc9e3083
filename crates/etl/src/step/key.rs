//! A 128-bit hash of the key of each row, for steps that compare keys of more rows than fit into memory as text.

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use table::{Batch, Text, Type};
use twox_hash::XxHash3_128;

use crate::EtlError;

/// A hash per row; `None` where a column of the key is missing. Two different keys have the same hash with a chance of 2⁻¹²⁸ times the
/// number of pairs: never, for any number of rows that fits on a disk.
pub(crate) fn hashes(batch: &Batch, key: &[String]) -> Result<Vec<Option<u128>>, EtlError> {
    let mut arrays = Vec::with_capacity(key.len());
    for name in key {
        arrays.push(plain(batch.array(name)?)?);
    }
    let parts: Vec<Part<'_>> = arrays.iter().map(Part::of).collect::<Result<_, _>>()?;
    let mut bytes = Vec::with_capacity(64);
    let row_hash = |row: usize| {
        bytes.clear();
        for part in &parts {
            if !part.write(row, &mut bytes) {
                return None;
            }
        }
        Some(XxHash3_128::oneshot(&bytes))
    };
    Ok((0..batch.n_rows()).map(row_hash).collect())
}

/// The usual form of a type; dictionaries of text stay.
fn plain(array: &ArrayRef) -> Result<ArrayRef, EtlError> {
    let kind = Type::of(array.data_type());
    match kind {
        Some(kind) if !kind.holds(array.data_type()) => Ok(arrow::compute::cast(array, &kind.data_type())?),
        _ => Ok(std::sync::Arc::clone(array)),
    }
}

enum Part<'a> {
    Text(Text<'a>),
    Fixed(&'a ArrayRef, Type),
}

impl<'a> Part<'a> {
    fn of(array: &'a ArrayRef) -> Result<Part<'a>, EtlError> {
        if let Some(text) = Text::of(array) {
            return Ok(Part::Text(text));
        }
        let kind = Type::of(array.data_type()).ok_or_else(|| table::TableError::UnknownType {
            column: "key".to_owned(),
            data_type: array.data_type().to_string(),
        })?;
        Ok(Part::Fixed(array, kind))
    }

    /// Appends the value of a row, so that no two rows of parts give the same bytes. False where it is missing.
    fn write(&self, row: usize, bytes: &mut Vec<u8>) -> bool {
        let (array, kind) = match self {
            Part::Text(text) => {
                let Some(text) = text.get(row) else { return false };
                bytes.extend((text.len() as u64).to_le_bytes());
                bytes.extend(text.as_bytes());
                return true;
            }
            Part::Fixed(array, kind) => (array, kind),
        };
        if array.is_null(row) {
            return false;
        }
        match kind {
            Type::Integer => bytes.extend(array.as_primitive::<Int64Type>().value(row).to_le_bytes()),
            Type::Date => bytes.extend(array.as_primitive::<Date32Type>().value(row).to_le_bytes()),
            Type::Instant => {
                bytes.extend(array.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
            }
            Type::Decimal { .. } => {
                bytes.extend(array.as_primitive::<Decimal128Type>().value(row).to_le_bytes());
            }
            Type::Number => {
                // Zero and minus zero are one key.
                let number = array.as_primitive::<Float64Type>().value(row) + 0.0;
                bytes.extend(number.to_le_bytes());
            }
            Type::Boolean => bytes.push(u8::from(array.as_boolean().value(row))),
            Type::Text => return false,
        }
        true
    }
}

/// A number per row that sorts as the column does; `None` where it is missing. Not for text.
pub(crate) fn orders(batch: &Batch, column: &str) -> Result<Vec<Option<i128>>, EtlError> {
    let array = plain(batch.array(column)?)?;
    let wrong = || table::TableError::WrongType {
        column: column.to_owned(),
        found: "text".to_owned(),
        wanted: "a number, a date or an instant".to_owned(),
    };
    let kind = Type::of(array.data_type()).ok_or_else(wrong)?;
    macro_rules! of {
        ($kind:ty, $to:expr) => {
            array.as_primitive::<$kind>().iter().map(|value| value.map($to)).collect()
        };
    }
    Ok(match kind {
        Type::Integer => of!(Int64Type, i128::from),
        Type::Date => of!(Date32Type, i128::from),
        Type::Instant => of!(TimestampMicrosecondType, i128::from),
        Type::Decimal { .. } => of!(Decimal128Type, |unscaled| unscaled),
        Type::Number => of!(Float64Type, |number: f64| {
            let bits = (number + 0.0).to_bits().cast_signed();
            i128::from(bits ^ (((bits >> 63).cast_unsigned()) >> 1).cast_signed())
        }),
        Type::Boolean => array.as_boolean().iter().map(|value| value.map(i128::from)).collect(),
        Type::Text => return Err(wrong().into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::testing::table;

    #[test]
    fn keys_are_equal_exactly_when_their_values_are() {
        let batch = table("a text, b text, n integer", "ab c 1 | a bc 1 | ab c 1 | ab c 2 | - c 1");
        let key = ["a", "b", "n"].map(str::to_owned);
        let found = hashes(&batch, &key).unwrap();
        assert_eq!(found[0], found[2]);
        assert!(found[0] != found[1] && found[0] != found[3] && found[4].is_none());
        let coded = arrow::compute::cast(batch.array("a").unwrap(), &Type::dictionary()).unwrap();
        assert_eq!(hashes(&batch.with("a", coded).unwrap(), &key).unwrap(), found);
    }

    #[test]
    fn orders_sort_as_values_do() {
        let batch = table("x number, d date", "-2.5 1969-12-31 | -0 1970-01-01 | 0.5 - | 9 2026-01-01");
        let numbers = orders(&batch, "x").unwrap();
        assert!(numbers.is_sorted() && numbers[0] < numbers[1]);
        assert_eq!(orders(&batch, "d").unwrap()[..3], [Some(-1), Some(0), None]);
        assert!(orders(&table("a text", "x"), "a").is_err());
    }
}
