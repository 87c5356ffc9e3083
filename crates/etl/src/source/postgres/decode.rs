//! Rows of `COPY ... (FORMAT binary)` into builders.

use crate::source::postgres::describe::{Found, Wire};
use crate::sql::{Cells, Failure, Rows};

/// The first bytes of a binary copy.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Days from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH_DAYS: i32 = 10_957;
/// Microseconds from 1970 to 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const OUT_OF_RANGE: &str = "out_of_range";

/// Takes the rows out of a message. PostgreSQL sends whole rows; the head comes with the first.
pub(super) fn decode_message(
    message: &[u8],
    is_first: bool,
    found: &[Found],
    rows: &mut Rows,
) -> Result<(), Failure> {
    let mut rest = Bytes(message);
    if is_first {
        let head = rest.take(SIGNATURE.len() + 4)?;
        let n_extension = rest.i32()?;
        if !head.starts_with(SIGNATURE) {
            return Err(broken());
        }
        rest.take(usize::try_from(n_extension).map_err(|_| broken())?)?;
    }
    while !rest.0.is_empty() {
        let n_fields = rest.i16()?;
        if n_fields == -1 {
            return Ok(());
        }
        if usize::try_from(n_fields) != Ok(found.len()) {
            return Err(broken());
        }
        for (index, column) in found.iter().enumerate() {
            let length = rest.i32()?;
            match usize::try_from(length) {
                Ok(length) => decode_cell(rest.take(length)?, column.wire, index, rows)?,
                Err(_) => rows.cells(index).null(),
            }
        }
        rows.end_row();
    }
    Ok(())
}

fn broken() -> Failure {
    Failure::lasting("the server's answer is not a binary copy of the columns that were asked for")
}

#[inline]
fn decode_cell(bytes: &[u8], wire: Wire, column: usize, rows: &mut Rows) -> Result<(), Failure> {
    match (rows.cells(column), wire) {
        (Cells::Text(cells), Wire::Text) => match std::str::from_utf8(bytes) {
            Ok(text) => cells.push(text),
            Err(_) => {
                let shown = String::from_utf8_lossy(bytes).into_owned();
                rows.fault(column, "encoding", "is not text in UTF-8", shown);
            }
        },
        (Cells::Integer(cells), Wire::Int8) => cells.append_value(i64::from_be_bytes(fixed(bytes)?)),
        (Cells::Integer(cells), Wire::Int4) => cells.append_value(i32::from_be_bytes(fixed(bytes)?).into()),
        (Cells::Integer(cells), Wire::Int2) => cells.append_value(i16::from_be_bytes(fixed(bytes)?).into()),
        (Cells::Number(cells), Wire::Float8) => cells.append_value(f64::from_be_bytes(fixed(bytes)?)),
        (Cells::Number(cells), Wire::Float4) => {
            cells.append_value(shortest(f32::from_be_bytes(fixed(bytes)?)));
        }
        (Cells::Boolean(cells), Wire::Bool) => cells.append_value(fixed::<1>(bytes)?[0] != 0),
        (Cells::Date(cells), Wire::Date) => match i32::from_be_bytes(fixed(bytes)?) {
            days @ (i32::MIN | i32::MAX) => not_a_time(rows, column, days < 0),
            days => match days.checked_add(EPOCH_DAYS) {
                Some(days) => cells.append_value(days),
                None => not_a_time(rows, column, false),
            },
        },
        (Cells::Instant(cells), Wire::Timestamp) => match i64::from_be_bytes(fixed(bytes)?) {
            micros @ (i64::MIN | i64::MAX) => not_a_time(rows, column, micros < 0),
            micros => match micros.checked_add(EPOCH_MICROS) {
                Some(micros) => cells.append_value(micros),
                None => not_a_time(rows, column, false),
            },
        },
        (Cells::Decimal(cells), Wire::Numeric { scale, .. }) => match decimal(bytes, scale)? {
            Some(unscaled) => cells.append_value(unscaled),
            None => rows.fault(column, OUT_OF_RANGE, "is not a finite number", "NaN or infinity".to_owned()),
        },
        _ => return Err(broken()),
    }
    Ok(())
}

#[cold]
fn not_a_time(rows: &mut Rows, column: usize, is_before: bool) {
    let shown = if is_before { "-infinity" } else { "infinity" };
    rows.fault(column, OUT_OF_RANGE, "is not a moment of the calendar", shown.to_owned());
}

/// The double that is written like the single: 0.1 stays 0.1.
fn shortest(single: f32) -> f64 {
    let mut text = [0_u8; 32];
    let length = {
        use std::io::Write as _;
        let mut rest = &mut text[..];
        let before = rest.len();
        let written = write!(rest, "{single:e}").is_ok();
        if written { before - rest.len() } else { 0 }
    };
    std::str::from_utf8(&text[..length])
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| f64::from(single))
}

/// The unscaled number of a numeric in its column's scale. `None`: not a number, or infinite.
fn decimal(bytes: &[u8], scale: u8) -> Result<Option<i128>, Failure> {
    let mut rest = Bytes(bytes);
    let (n_groups, weight, sign) = (rest.i16()?, i32::from(rest.i16()?), rest.i16()? as u16);
    let _digits_shown = rest.i16()?;
    if sign & 0xc000 == 0xc000 {
        return Ok(None);
    }
    // Groups of four digits; the first counts 10000^weight.
    let mut unscaled: i128 = 0;
    let mut exponent = (weight + 1) * 4;
    for _ in 0..n_groups {
        let group = i128::from(rest.i16()?);
        exponent -= 4;
        let places = exponent + i32::from(scale);
        let part = if places >= 0 {
            power(places).and_then(|power| group.checked_mul(power))
        } else {
            // The digits behind the scale are zeros: the column has no more.
            power(-places).map(|power| group / power)
        };
        unscaled = part.and_then(|part| unscaled.checked_add(part)).ok_or_else(broken)?;
    }
    Ok(Some(if sign == 0x4000 { -unscaled } else { unscaled }))
}

fn power(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Failure> {
    bytes.try_into().map_err(|_| broken())
}

/// Bytes that are taken from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    #[inline]
    fn take(&mut self, n: usize) -> Result<&'a [u8], Failure> {
        let (head, rest) = self.0.split_at_checked(n).ok_or_else(broken)?;
        self.0 = rest;
        Ok(head)
    }

    #[inline]
    fn i32(&mut self) -> Result<i32, Failure> {
        Ok(i32::from_be_bytes(fixed(self.take(4)?)?))
    }

    #[inline]
    fn i16(&mut self) -> Result<i16, Failure> {
        Ok(i16::from_be_bytes(fixed(self.take(2)?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(groups: &[i16], weight: i16, sign: u16) -> Vec<u8> {
        let head = [groups.len() as i16, weight, sign as i16, 0];
        head.iter().chain(groups).flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn decimals_are_exact() {
        let check = |bytes: &[u8], scale, expected| assert_eq!(decimal(bytes, scale).unwrap(), expected);
        check(&numeric(&[1, 5000], 0, 0), 2, Some(150));
        check(&numeric(&[1, 5000], 0, 0x4000), 4, Some(-15_000));
        check(&numeric(&[50], -1, 0), 3, Some(5));
        check(&numeric(&[1], 2, 0), 0, Some(100_000_000));
        check(&numeric(&[], 0, 0), 5, Some(0));
        check(&numeric(&[], 0, 0xc000), 2, None);
        check(
            &numeric(&[99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999], 9, 0),
            0,
            Some(10_i128.pow(38) - 1),
        );
        assert!(decimal(&numeric(&[1], 20, 0), 0).is_err());
        assert!(decimal(b"\0\x01", 0).is_err());
    }

    #[test]
    fn singles_keep_their_digits() {
        for text in ["0.1", "-3.4028235e38", "1e-45", "16777216", "NaN", "inf"] {
            let single: f32 = text.parse().unwrap();
            assert!(shortest(single).to_string() == single.to_string() || single.is_nan(), "{text}");
        }
    }
}
