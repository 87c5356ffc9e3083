//! Rows of a batch as `COPY ... (FORMAT binary)`.

use arrow::array::TimestampMicrosecondArray;
use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
};
use bytes::{BufMut as _, BytesMut};
use table::{Batch, Reject, Text, Type};

use crate::EtlError;
use crate::target::sql::{NUL, OUT_OF_RANGE, TOO_LONG, Unwritable, refusal};

/// The head of a binary copy: signature, no flags, no extension.
pub(super) const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The end of a binary copy.
pub(super) const END: &[u8] = &[0xff, 0xff];
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The days that PostgreSQL knows: 24 November 4714 BC to the end of 5874897, counted from 2000.
const DAYS: std::ops::RangeInclusive<i32> = -2_451_545..=2_145_031_948;
/// The moments that PostgreSQL knows: 24 November 4714 BC to the end of 294276, counted from 2000.
const MICROS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// How a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encode {
    Text { chars_max: Option<u32> },
    Int8,
    Int4,
    Int2,
    Numeric,
    Float8,
    Bool,
    Date,
    Timestamptz,
}

impl Encode {
    /// How a column is written that the target creates.
    pub(super) fn of(kind: Type) -> Encode {
        match kind {
            Type::Text => Encode::Text { chars_max: None },
            Type::Integer => Encode::Int8,
            Type::Decimal { .. } => Encode::Numeric,
            Type::Number => Encode::Float8,
            Type::Date => Encode::Date,
            Type::Instant => Encode::Timestamptz,
            Type::Boolean => Encode::Bool,
        }
    }
}

/// The cells of a column with the way they are written.
enum Cells<'a> {
    Text(Text<'a>, Option<u32>),
    Int8(&'a Int64Array),
    Int4(&'a Int64Array),
    Int2(&'a Int64Array),
    IntegerNumeric(&'a Int64Array),
    Numeric(&'a Decimal128Array, u8),
    Float8(&'a Float64Array),
    Bool(&'a BooleanArray),
    Date(&'a Date32Array),
    Timestamptz(&'a TimestampMicrosecondArray),
}

impl<'a> Cells<'a> {
    fn of(array: &'a ArrayRef, encode: Encode) -> Option<Cells<'a>> {
        Some(match encode {
            Encode::Text { chars_max } => Cells::Text(Text::of(array)?, chars_max),
            Encode::Int8 => Cells::Int8(array.as_primitive_opt()?),
            Encode::Int4 => Cells::Int4(array.as_primitive_opt()?),
            Encode::Int2 => Cells::Int2(array.as_primitive_opt()?),
            Encode::Numeric => match array.as_primitive_opt() {
                Some(integers) => Cells::IntegerNumeric(integers),
                None => {
                    let decimals: &Decimal128Array = array.as_primitive_opt()?;
                    Cells::Numeric(decimals, u8::try_from(decimals.scale()).ok()?)
                }
            },
            Encode::Float8 => Cells::Float8(array.as_primitive_opt()?),
            Encode::Bool => Cells::Bool(array.as_boolean_opt()?),
            Encode::Date => Cells::Date(array.as_primitive_opt()?),
            Encode::Timestamptz => Cells::Timestamptz(array.as_primitive_opt()?),
        })
    }

    #[inline]
    fn write(&self, row: usize, buffer: &mut BytesMut) -> Result<(), Unwritable> {
        match self {
            Cells::Text(cells, chars_max) => match cells.get(row) {
                None => buffer.put_i32(-1),
                Some(text) => return write_text(text, *chars_max, buffer),
            },
            Cells::Int8(cells) if cells.is_valid(row) => {
                buffer.put_i32(8);
                buffer.put_i64(cells.value(row));
            }
            Cells::Int4(cells) if cells.is_valid(row) => {
                let value = i32::try_from(cells.value(row)).map_err(|_| OUT_OF_RANGE)?;
                buffer.put_i32(4);
                buffer.put_i32(value);
            }
            Cells::Int2(cells) if cells.is_valid(row) => {
                let value = i16::try_from(cells.value(row)).map_err(|_| OUT_OF_RANGE)?;
                buffer.put_i32(2);
                buffer.put_i16(value);
            }
            Cells::IntegerNumeric(cells) if cells.is_valid(row) => {
                write_numeric(cells.value(row).into(), 0, buffer);
            }
            Cells::Numeric(cells, scale) if cells.is_valid(row) => {
                write_numeric(cells.value(row), *scale, buffer);
            }
            Cells::Float8(cells) if cells.is_valid(row) => {
                buffer.put_i32(8);
                buffer.put_f64(cells.value(row));
            }
            Cells::Bool(cells) if cells.is_valid(row) => {
                buffer.put_i32(1);
                buffer.put_u8(cells.value(row).into());
            }
            Cells::Date(cells) if cells.is_valid(row) => {
                let days = cells.value(row).checked_sub(EPOCH_DAYS).filter(|days| DAYS.contains(days));
                buffer.put_i32(4);
                buffer.put_i32(days.ok_or(OUT_OF_RANGE)?);
            }
            Cells::Timestamptz(cells) if cells.is_valid(row) => {
                let micros =
                    cells.value(row).checked_sub(EPOCH_MICROS).filter(|micros| MICROS.contains(micros));
                buffer.put_i32(8);
                buffer.put_i64(micros.ok_or(OUT_OF_RANGE)?);
            }
            _ => buffer.put_i32(-1),
        }
        Ok(())
    }
}

#[inline]
fn write_text(text: &str, chars_max: Option<u32>, buffer: &mut BytesMut) -> Result<(), Unwritable> {
    if text.as_bytes().contains(&0) {
        return Err(NUL);
    }
    if let Some(chars_max) = chars_max
        && text.len() > chars_max as usize
        && text.chars().count() > chars_max as usize
    {
        return Err(TOO_LONG);
    }
    buffer.put_i32(i32::try_from(text.len()).map_err(|_| TOO_LONG)?);
    buffer.put_slice(text.as_bytes());
    Ok(())
}

/// Groups of four decimal digits, the first of which counts 10000^weight.
fn write_numeric(unscaled: i128, scale: u8, buffer: &mut BytesMut) {
    const GROUPS_MAX: usize = 20;
    let (magnitude, scale) = (unscaled.unsigned_abs(), u32::from(scale));
    let unit = 10_u128.pow(scale);
    let (mut whole, mut part) = (magnitude / unit, magnitude % unit);
    let mut groups = [0_u16; GROUPS_MAX];
    let mut start = GROUPS_MAX / 2;
    while whole > 0 {
        start -= 1;
        groups[start] = (whole % 10_000) as u16;
        whole /= 10_000;
    }
    let n_whole = GROUPS_MAX / 2 - start;
    let (mut end, mut left) = (GROUPS_MAX / 2, scale);
    while part > 0 {
        // Four digits at a time from the front; the last group is filled with zeros behind.
        let (divisor, factor) =
            if left >= 4 { (10_u128.pow(left - 4), 1) } else { (1, 10_u128.pow(4 - left)) };
        groups[end] = (part / divisor * factor) as u16;
        part %= divisor;
        left = left.saturating_sub(4);
        end += 1;
    }
    let mut weight = n_whole as i16 - 1;
    let mut digits = &groups[start..end];
    while let Some((0, rest)) = digits.split_first() {
        digits = rest;
        weight -= 1;
    }
    while let Some((0, rest)) = digits.split_last() {
        digits = rest;
    }
    if digits.is_empty() {
        weight = 0;
    }
    buffer.put_i32(8 + 2 * digits.len() as i32);
    buffer.put_i16(digits.len() as i16);
    buffer.put_i16(weight);
    buffer.put_u16(if unscaled < 0 && !digits.is_empty() { 0x4000 } else { 0 });
    buffer.put_u16(scale as u16);
    digits.iter().for_each(|group| buffer.put_u16(*group));
}

/// Appends rows to the buffer from `start` on, until the buffer is full or the batch ends; gives the next row. Rows that PostgreSQL
/// cannot hold are refused.
pub(super) fn write_rows(
    batch: &Batch,
    names: &[String],
    encodes: &[Encode],
    start: usize,
    bytes_full: usize,
    buffer: &mut BytesMut,
    refused: &mut Vec<Reject>,
) -> Result<(usize, u64), EtlError> {
    let mut columns = Vec::with_capacity(names.len());
    for (name, encode) in names.iter().zip(encodes) {
        let array = batch.array(name)?;
        let cells = Cells::of(array, *encode).ok_or_else(|| table::TableError::WrongType {
            column: name.clone(),
            found: array.data_type().to_string(),
            wanted: format!("{encode:?}"),
        })?;
        columns.push(cells);
    }
    let n_columns = i16::try_from(columns.len())
        .map_err(|_| EtlError::Limit("a table of PostgreSQL has at most 1600 columns".to_owned()))?;
    let (mut row, mut n_written) = (start, 0);
    while row < batch.n_rows() && buffer.len() < bytes_full {
        let begin = buffer.len();
        buffer.put_i16(n_columns);
        match write_row(&columns, row, buffer) {
            Ok(()) => n_written += 1,
            Err((column, why)) => {
                buffer.truncate(begin);
                refused.push(refusal(batch, row, &names[column], why));
            }
        }
        row += 1;
    }
    Ok((row, n_written))
}

/// Writes the cells of a row; the first that cannot be written, with its column.
#[inline]
fn write_row(columns: &[Cells<'_>], row: usize, buffer: &mut BytesMut) -> Result<(), (usize, Unwritable)> {
    for (index, cells) in columns.iter().enumerate() {
        cells.write(row, buffer).map_err(|why| (index, why))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unscaled: i128, scale: u8, expected: &[u16]) {
        let mut buffer = BytesMut::new();
        write_numeric(unscaled, scale, &mut buffer);
        let words: Vec<u16> =
            buffer[4..].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        assert_eq!(words, expected, "{unscaled} {scale}");
        assert_eq!(buffer[..4], (buffer.len() as i32 - 4).to_be_bytes());
    }

    #[test]
    fn decimals_are_groups_of_four_digits() {
        check(0, 2, &[0, 0, 0, 2]);
        check(150, 2, &[2, 0, 0, 2, 1, 5000]);
        check(-15_000, 4, &[2, 0, 0x4000, 4, 1, 5000]);
        check(5, 3, &[1, 0xffff, 0, 3, 50]);
        check(1, 10, &[1, 0xfffd, 0, 10, 100]);
        check(100_000_000, 0, &[1, 2, 0, 0, 1]);
        let nines = 10_i128.pow(38) - 1;
        check(nines, 0, &[10, 9, 0, 0, 99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999]);
        check(nines, 38, &[10, 0xffff, 0, 38, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900]);
        check(nines, 37, &[11, 0, 0, 37, 9, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9000]);
    }
}
