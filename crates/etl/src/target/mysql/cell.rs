//! Cells of a batch as parameters of an insert.

use arrow::array::TimestampMicrosecondArray;
use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
};
use mysql_async::Value;
use table::{Text, Type};

use crate::sql::calendar;
use crate::target::sql::{OUT_OF_RANGE, TOO_LONG, Unwritable};

/// How much a column holds, beyond its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// Characters of a `varchar`.
    pub(super) chars_max: Option<u64>,
    /// Bytes of a `text`.
    pub(super) bytes_max: Option<u64>,
    /// Smallest and largest integer.
    pub(super) integers: Option<(i64, i64)>,
}

/// The cells of a column.
pub(super) enum Cells<'a> {
    Text(Text<'a>, Room),
    Integer(&'a Int64Array, Room),
    Decimal(&'a Decimal128Array, u8),
    Number(&'a Float64Array),
    Date(&'a Date32Array),
    Instant(&'a TimestampMicrosecondArray),
    Boolean(&'a BooleanArray),
}

impl<'a> Cells<'a> {
    pub(super) fn of(array: &'a ArrayRef, kind: Type, room: Room) -> Option<Cells<'a>> {
        Some(match kind {
            Type::Text => Cells::Text(Text::of(array)?, room),
            Type::Integer => Cells::Integer(array.as_primitive_opt()?, room),
            Type::Decimal { scale, .. } => Cells::Decimal(array.as_primitive_opt()?, scale),
            Type::Number => Cells::Number(array.as_primitive_opt()?),
            Type::Date => Cells::Date(array.as_primitive_opt()?),
            Type::Instant => Cells::Instant(array.as_primitive_opt()?),
            Type::Boolean => Cells::Boolean(array.as_boolean_opt()?),
        })
    }

    /// The parameter for a cell.
    pub(super) fn value(&self, row: usize) -> Result<Value, Unwritable> {
        Ok(match self {
            Cells::Text(cells, room) => match cells.get(row) {
                None => Value::NULL,
                Some(text) => {
                    let is_long = room.bytes_max.is_some_and(|max| text.len() as u64 > max)
                        || room
                            .chars_max
                            .is_some_and(|max| text.len() as u64 > max && text.chars().count() as u64 > max);
                    if is_long {
                        return Err(TOO_LONG);
                    }
                    Value::Bytes(text.as_bytes().to_vec())
                }
            },
            Cells::Integer(cells, room) if cells.is_valid(row) => {
                let n = cells.value(row);
                if room.integers.is_some_and(|(low, high)| n < low || n > high) {
                    return Err(OUT_OF_RANGE);
                }
                Value::Int(n)
            }
            Cells::Number(cells) if cells.is_valid(row) => {
                let n = cells.value(row);
                if !n.is_finite() {
                    return Err(OUT_OF_RANGE);
                }
                Value::Double(n)
            }
            Cells::Boolean(cells) if cells.is_valid(row) => Value::Int(cells.value(row).into()),
            Cells::Decimal(cells, scale) if cells.is_valid(row) => {
                let text = table::Value::Decimal(cells.value(row), *scale).to_text();
                Value::Bytes(text.unwrap_or_default().into_bytes())
            }
            Cells::Date(cells) if cells.is_valid(row) => {
                let (year, month, day) = calendar::civil(cells.value(row).into()).ok_or(OUT_OF_RANGE)?;
                Value::Date(year, month, day, 0, 0, 0, 0)
            }
            Cells::Instant(cells) if cells.is_valid(row) => moment(cells.value(row)).ok_or(OUT_OF_RANGE)?,
            _ => Value::NULL,
        })
    }
}

/// A moment in UTC. `None`: outside of the years 1 to 9999.
pub(super) fn moment(micros: i64) -> Option<Value> {
    let (days, rest) = calendar::split(micros);
    let (year, month, day) = calendar::civil(days)?;
    let (seconds, micros) = (rest / 1_000_000, u32::try_from(rest % 1_000_000).ok()?);
    let part = |value: i64| u8::try_from(value).ok();
    Some(Value::Date(
        year,
        month,
        day,
        part(seconds / 3_600)?,
        part(seconds / 60 % 60)?,
        part(seconds % 60)?,
        micros,
    ))
}
