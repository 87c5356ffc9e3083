//! Cells of a batch as parameters of an insert.

use arrow::array::TimestampMicrosecondArray;
use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
};
use rusqlite::Statement;
use rusqlite::types::Null;
use table::{Text, Type, Value};

use crate::sql::{Failure, calendar, sqlite};
use crate::target::sql::{OUT_OF_RANGE, Unwritable};

/// A value that SQLite would make a missing one.
const NAN: Unwritable =
    Unwritable { reason: "not_a_number", message: "is not a number (NaN), which SQLite cannot store" };

/// The cells of a column.
pub(super) enum Cells<'a> {
    Text(Text<'a>),
    Integer(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Number(&'a Float64Array),
    Date(&'a Date32Array),
    Instant(&'a TimestampMicrosecondArray),
    Boolean(&'a BooleanArray),
}

impl<'a> Cells<'a> {
    pub(super) fn of(array: &'a ArrayRef, kind: Type) -> Option<Cells<'a>> {
        Some(match kind {
            Type::Text => Cells::Text(Text::of(array)?),
            Type::Integer => Cells::Integer(array.as_primitive_opt()?),
            Type::Decimal { scale, .. } => Cells::Decimal(array.as_primitive_opt()?, scale),
            Type::Number => Cells::Number(array.as_primitive_opt()?),
            Type::Date => Cells::Date(array.as_primitive_opt()?),
            Type::Instant => Cells::Instant(array.as_primitive_opt()?),
            Type::Boolean => Cells::Boolean(array.as_boolean_opt()?),
        })
    }

    /// What cannot be written about a cell.
    pub(super) fn check(&self, row: usize) -> Result<(), Unwritable> {
        match self {
            Cells::Number(cells) if cells.is_valid(row) && cells.value(row).is_nan() => Err(NAN),
            Cells::Date(cells)
                if cells.is_valid(row) && calendar::civil(cells.value(row).into()).is_none() =>
            {
                Err(OUT_OF_RANGE)
            }
            Cells::Instant(cells)
                if cells.is_valid(row) && calendar::civil(calendar::split(cells.value(row)).0).is_none() =>
            {
                Err(OUT_OF_RANGE)
            }
            _ => Ok(()),
        }
    }

    /// Binds a cell that was checked.
    pub(super) fn bind(
        &self,
        row: usize,
        index: usize,
        statement: &mut Statement<'_>,
        text: &mut String,
    ) -> Result<(), Failure> {
        text.clear();
        let bound = match self {
            Cells::Text(cells) => match cells.get(row) {
                Some(text) => statement.raw_bind_parameter(index, text),
                None => statement.raw_bind_parameter(index, Null),
            },
            Cells::Integer(cells) if cells.is_valid(row) => {
                statement.raw_bind_parameter(index, cells.value(row))
            }
            Cells::Number(cells) if cells.is_valid(row) => {
                statement.raw_bind_parameter(index, cells.value(row))
            }
            Cells::Boolean(cells) if cells.is_valid(row) => {
                statement.raw_bind_parameter(index, cells.value(row))
            }
            Cells::Decimal(cells, scale) if cells.is_valid(row) => {
                let written = Value::Decimal(cells.value(row), *scale).to_text();
                statement.raw_bind_parameter(index, written)
            }
            Cells::Date(cells) if cells.is_valid(row) => {
                calendar::write_day(cells.value(row).into(), text);
                statement.raw_bind_parameter(index, text.as_str())
            }
            Cells::Instant(cells) if cells.is_valid(row) => {
                calendar::write_moment(cells.value(row), text);
                statement.raw_bind_parameter(index, text.as_str())
            }
            _ => statement.raw_bind_parameter(index, Null),
        };
        bound.map_err(|error| sqlite::failure(&error))
    }
}
