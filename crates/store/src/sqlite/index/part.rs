//! Parts of composite values as bytes. A quantity's lower end stands where byte order is number order, so that a range of a composite
//! is a range of its index.

use compact_str::CompactString;

/// A part of a composite value, with numbers in place of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PackedPart {
    Token {
        h: i64,
        sys: u32,
    },
    /// The first part, whose code's hash is a column of its own.
    System(u32),
    Text {
        folded: CompactString,
        exact: CompactString,
    },
    Date {
        lo: i64,
        hi: i64,
    },
    Number {
        lo: Vec<u8>,
        hi: Vec<u8>,
    },
    Quantity {
        u: u32,
        lo: Vec<u8>,
        hi: Vec<u8>,
    },
    Ref(i64),
    Uri(u32),
}

const TOKEN: u8 = 1;
const SYSTEM: u8 = 2;
const TEXT: u8 = 3;
const DATE: u8 = 4;
const NUMBER: u8 = 5;
const QUANTITY: u8 = 6;
const REF: u8 = 7;
const URI: u8 = 8;
const RANGE: u8 = 1;
const POINT: u8 = 0;

/// Appends a part.
pub(crate) fn put(part: &PackedPart, out: &mut Vec<u8>) {
    match part {
        PackedPart::Token { h, sys } => {
            out.push(TOKEN);
            out.extend_from_slice(&h.to_be_bytes());
            put_number(*sys, out);
        }
        PackedPart::System(sys) => {
            out.push(SYSTEM);
            put_number(*sys, out);
        }
        PackedPart::Text { folded, exact } => {
            out.push(TEXT);
            put_bytes(folded.as_bytes(), out);
            put_bytes(exact.as_bytes(), out);
        }
        PackedPart::Date { lo, hi } => {
            out.push(DATE);
            out.extend_from_slice(&lo.to_be_bytes());
            out.extend_from_slice(&hi.to_be_bytes());
        }
        PackedPart::Number { lo, hi } => {
            out.push(NUMBER);
            put_ends(lo, hi, out);
        }
        PackedPart::Quantity { u, lo, hi } => {
            out.extend_from_slice(&quantity_head(*u));
            put_ends(lo, hi, out);
        }
        PackedPart::Ref(target) => {
            out.push(REF);
            out.extend_from_slice(&target.to_be_bytes());
        }
        PackedPart::Uri(n) => {
            out.push(URI);
            put_number(*n, out);
        }
    }
}

/// What the bytes of every quantity in a unit begin with.
fn quantity_head(u: u32) -> Vec<u8> {
    let mut bytes = vec![QUANTITY];
    put_number(u, &mut bytes);
    bytes
}

/// What the bytes of points in a unit begin with; a number's key behind it makes a bound.
pub(crate) fn points_of(u: u32) -> Vec<u8> {
    let mut bytes = quantity_head(u);
    bytes.push(POINT);
    bytes
}

/// What the bytes of ranges in a unit begin with, and what is behind all of them.
pub(crate) fn ranges_of(u: u32) -> (Vec<u8>, Vec<u8>) {
    let (mut first, mut behind) = (quantity_head(u), quantity_head(u));
    first.push(RANGE);
    behind.push(RANGE + 1);
    (first, behind)
}

/// The parts of the bytes; `None` when they are damaged.
pub(crate) fn parts(mut bytes: &[u8]) -> Option<Vec<PackedPart>> {
    let mut parts = Vec::with_capacity(3);
    while let Some((&tag, rest)) = bytes.split_first() {
        bytes = rest;
        parts.push(match tag {
            TOKEN => PackedPart::Token { h: take_i64(&mut bytes)?, sys: take_number(&mut bytes)? },
            SYSTEM => PackedPart::System(take_number(&mut bytes)?),
            TEXT => PackedPart::Text { folded: take_text(&mut bytes)?, exact: take_text(&mut bytes)? },
            DATE => PackedPart::Date { lo: take_i64(&mut bytes)?, hi: take_i64(&mut bytes)? },
            NUMBER => {
                let (lo, hi) = take_ends(&mut bytes)?;
                PackedPart::Number { lo, hi }
            }
            QUANTITY => {
                let u = take_number(&mut bytes)?;
                let (lo, hi) = take_ends(&mut bytes)?;
                PackedPart::Quantity { u, lo, hi }
            }
            REF => PackedPart::Ref(take_i64(&mut bytes)?),
            URI => PackedPart::Uri(take_number(&mut bytes)?),
            _ => return None,
        });
    }
    Some(parts)
}

/// A point is its key, which says itself where it ends; a range has two ends with their lengths.
fn put_ends(lo: &[u8], hi: &[u8], out: &mut Vec<u8>) {
    if lo == hi && key_bytes(lo) == Some(lo.len()) {
        out.push(POINT);
        out.extend_from_slice(lo);
    } else {
        out.push(RANGE);
        put_bytes(lo, out);
        put_bytes(hi, out);
    }
}

fn take_ends(bytes: &mut &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (&class, rest) = bytes.split_first()?;
    *bytes = rest;
    if class == RANGE {
        return Some((take_bytes(bytes)?.to_vec(), take_bytes(bytes)?.to_vec()));
    }
    let (key, rest) = bytes.split_at_checked(key_bytes(bytes)?)?;
    *bytes = rest;
    Some((key.to_vec(), key.to_vec()))
}

/// Length of the number key that the bytes begin with (see `fhir::Decimal::key`): zero is one byte; others end with 0, or with 0xFF
/// below zero.
fn key_bytes(bytes: &[u8]) -> Option<usize> {
    let end = match bytes.first()? {
        0x80 => return Some(1),
        0x81 => 0x00,
        0x7E => 0xFF,
        _ => return None,
    };
    let digits = bytes.get(3..)?.iter().position(|byte| *byte == end)?;
    Some(3 + digits + 1)
}

fn put_bytes(part: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(part.len()).expect("a value is far below 4 GiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(part);
}

fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = take_u32(bytes)? as usize;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

fn take_text(bytes: &mut &[u8]) -> Option<CompactString> {
    CompactString::from_utf8(take_bytes(bytes)?).ok()
}

fn take_i64(bytes: &mut &[u8]) -> Option<i64> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(i64::from_be_bytes(*number))
}

/// Seven bits a byte, lowest first: most numbers of systems and units take one byte. It says itself where it ends.
fn put_number(mut number: u32, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::Decimal;

    fn key(text: &str) -> Vec<u8> {
        Decimal::parse(text).unwrap().key()
    }

    #[test]
    fn parts_survive() {
        let quantity = |text: &str| PackedPart::Quantity { u: 70_000, lo: key(text), hi: key(text) };
        let mut all = vec![
            PackedPart::Token { h: -9, sys: 3 },
            PackedPart::System(8),
            PackedPart::Text { folded: "a".into(), exact: CompactString::default() },
            PackedPart::Date { lo: i64::MIN, hi: 4 },
            PackedPart::Number { lo: Vec::new(), hi: key("5") },
            PackedPart::Number { lo: key("5"), hi: vec![0xFF] },
            PackedPart::Ref(-1),
            PackedPart::Uri(5),
        ];
        all.extend(["0", "1", "-1", "120", "-0.001", "255.00", "1e30", "99", "-99"].map(quantity));
        let mut bytes = Vec::new();
        all.iter().for_each(|part| put(part, &mut bytes));
        assert_eq!(parts(&bytes), Some(all));
    }

    #[test]
    fn points_of_a_unit_sort_as_numbers() {
        let numbers = ["-1000", "-99.5", "-1", "0", "0.001", "1", "99", "100", "1000"];
        let mut last = Vec::new();
        for number in numbers {
            let mut bytes = Vec::new();
            put(&PackedPart::Quantity { u: 7, lo: key(number), hi: key(number) }, &mut bytes);
            assert!(bytes > last, "{number}");
            assert!(bytes.starts_with(&points_of(7)));
            last = bytes;
        }
    }
}
