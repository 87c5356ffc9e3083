//! One column of one batch as checks see it: its array in the form of its type, and where there are values.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use table::{Batch, Text, Type};

use crate::EtlError;
use crate::check::missing::Tokens;

/// A column that checks look at, with what counts as missing in it. Checks that look at the same column share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) column: Arc<str>,
    pub(super) kind: Type,
    pub(super) tokens: Arc<Tokens>,
}

/// One column of one batch.
pub(crate) struct Cells {
    pub(super) kind: Type,
    pub(super) array: ArrayRef,
    /// One bit per row: whether there is a value.
    pub(super) present: BooleanBuffer,
}

impl Cells {
    pub(super) fn of(batch: &Batch, need: &Need) -> Result<Cells, EtlError> {
        let array = batch.array(&need.column)?;
        let array = if need.kind.holds(array.data_type()) {
            array.clone()
        } else {
            arrow::compute::cast(array, &need.kind.data_type())?
        };
        let present = need.tokens.present(&array);
        Ok(Cells { kind: need.kind, array, present })
    }

    /// The column as text, when it is text.
    pub(super) fn text(&self) -> Option<Text<'_>> {
        Text::of(&self.array)
    }

    /// The column as numbers that can be compared, when it is no text and no boolean.
    pub(super) fn scalars(&self) -> Option<Scalars<'_>> {
        Some(match self.kind {
            Type::Integer => Scalars::Whole(self.array.as_primitive_opt::<Int64Type>()?.values()),
            Type::Decimal { scale, .. } => {
                Scalars::Decimal(self.array.as_primitive_opt::<Decimal128Type>()?.values(), scale)
            }
            Type::Number => Scalars::Number(self.array.as_primitive_opt::<Float64Type>()?.values()),
            Type::Date => Scalars::Days(self.array.as_primitive_opt::<Date32Type>()?.values()),
            Type::Instant => {
                Scalars::Micros(self.array.as_primitive_opt::<TimestampMicrosecondType>()?.values())
            }
            Type::Text | Type::Boolean => return None,
        })
    }
}

/// The values of a column that has an order.
pub(super) enum Scalars<'a> {
    /// Whole numbers.
    Whole(&'a [i64]),
    /// Unscaled decimals, and how many digits stand behind the point.
    Decimal(&'a [i128], u8),
    /// Floating point numbers.
    Number(&'a [f64]),
    /// Days since 1970-01-01.
    Days(&'a [i32]),
    /// Microseconds since 1970 in UTC.
    Micros(&'a [i64]),
}

/// Where all columns have a value.
pub(super) fn all_present(cells: &[&Cells], n_rows: usize) -> BooleanBuffer {
    match cells {
        [] => BooleanBuffer::new_set(n_rows),
        [one] => one.present.clone(),
        [first, rest @ ..] => rest.iter().fold(first.present.clone(), |all, cells| &all & &cells.present),
    }
}
