//! Finds the ends of fields and records 64 bytes at a time. What is unusual (a quote where none may be) is left to [`super::record`].

use wide::i8x16;

use crate::csv::rows::{ROOM, Rows};

/// Why the scan stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// There are enough rows.
    Full,
    /// The record that begins at `rows.start` does not end in the text.
    Need,
    /// The record that begins at `rows.start` is unusual.
    Odd,
}

/// Bits of 64 bytes: which are delimiters or line ends, which line ends, which quotes.
#[derive(Clone, Copy, Default)]
struct Marks {
    seps: u64,
    lines: u64,
    quotes: u64,
}

#[inline]
fn marks<const QUOTED: bool>(chunk: &[u8; 64], delimiter: u8, quote: u8) -> Marks {
    let (delimiter, quote, line) = (splat(delimiter), splat(quote), splat(b'\n'));
    let mut marks = Marks::default();
    let (parts, _) = chunk.as_chunks::<16>();
    for (index, part) in parts.iter().enumerate() {
        let bytes = i8x16::new(part.map(|byte| byte as i8));
        let is_line = bytes.simd_eq(line);
        let shift = 16 * index;
        marks.lines |= u64::from(is_line.to_bitmask() & 0xFFFF) << shift;
        marks.seps |= u64::from((bytes.simd_eq(delimiter) | is_line).to_bitmask() & 0xFFFF) << shift;
        if QUOTED {
            marks.quotes |= u64::from(bytes.simd_eq(quote).to_bitmask() & 0xFFFF) << shift;
        }
    }
    marks
}

fn splat(byte: u8) -> i8x16 {
    i8x16::splat(byte as i8)
}

/// Bit n: whether an odd number of bits up to n is set.
#[inline]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Bits below a position.
#[inline]
fn below(bit: u32) -> u64 {
    (1_u64 << bit) - 1
}

/// What is carried from 64 bytes to the next.
#[derive(Clone, Copy)]
struct Carry {
    /// All bits: the next byte is inside of quotes.
    inside: u64,
    /// Bit 0: a quote may open, because a separator or a closing quote came last.
    may_open: u64,
    /// Bit 0: a quote was closed.
    closed: u64,
}

/// Divides the text from `rows.start` to `end` into rows until there are `rows_max`. 64 bytes behind `end` can be looked at.
pub(crate) fn scan<const QUOTED: bool>(
    bytes: &[u8],
    end: usize,
    delimiter: u8,
    quote: u8,
    rows: &mut Rows,
    rows_max: usize,
) -> Stop {
    let mut carry = Carry { inside: 0, may_open: 1, closed: 0 };
    let mut at = rows.start;
    while at < end {
        let chunk: &[u8; 64] = bytes[at..at + 64].try_into().expect("64 bytes are 64 bytes");
        let mut found = marks::<QUOTED>(chunk, delimiter, quote);
        if end - at < 64 {
            let valid = below((end - at) as u32);
            found =
                Marks { seps: found.seps & valid, lines: found.lines & valid, quotes: found.quotes & valid };
        }
        let mut inner = 0;
        if QUOTED && (found.quotes | carry.inside | carry.closed) != 0 {
            match outside(bytes, at, end, found, &mut carry) {
                Some(marks) => {
                    inner = found.lines & !marks.lines;
                    found = marks;
                }
                None => {
                    rows.reopen();
                    return Stop::Odd;
                }
            }
        } else {
            carry.may_open = found.seps >> 63;
        }
        let before = rows.n_ends;
        flatten(found.seps, at, rows);
        if (found.lines | inner) != 0 && !close_records(bytes, at, found, inner, before, rows) {
            rows.reopen();
            return Stop::Odd;
        }
        at += 64;
        if rows.starts.len() >= rows_max {
            rows.reopen();
            return Stop::Full;
        }
    }
    rows.reopen();
    Stop::Need
}

/// The separators and line ends outside of quotes; `None` when a quote stands where none may.
#[inline]
fn outside(bytes: &[u8], at: usize, end: usize, found: Marks, carry: &mut Carry) -> Option<Marks> {
    let inside = parity(found.quotes) ^ carry.inside;
    let (opening, closing) = (found.quotes & inside, found.quotes & !inside);
    let seps = found.seps & !inside;
    let may_open = (seps | closing) << 1 | carry.may_open;
    if opening & !may_open != 0 {
        return None;
    }
    let behind = closing << 1 | carry.closed;
    let mut odd = behind & !(found.seps | found.quotes);
    while odd != 0 {
        let next = at + odd.trailing_zeros() as usize;
        // The end of the text may cut a record; a line end may be two bytes.
        let is_line_end = bytes[next] == b'\r' && (next + 1 >= end || bytes[next + 1] == b'\n');
        if next < end && !is_line_end {
            return None;
        }
        odd &= odd - 1;
    }
    carry.inside = ((inside as i64) >> 63) as u64;
    carry.may_open = (seps | closing) >> 63;
    carry.closed = closing >> 63;
    Some(Marks { seps, lines: found.lines & !inside, quotes: 0 })
}

/// Adds the positions of the bits to the ends.
#[inline]
fn flatten(mut bits: u64, at: usize, rows: &mut Rows) {
    let count = bits.count_ones() as usize;
    rows.make_room();
    let room: &mut [u32; ROOM] =
        (&mut rows.ends[rows.n_ends..rows.n_ends + ROOM]).try_into().expect("the room was made");
    let at = at as u32;
    // Eight at once without asking: what is too much is overwritten.
    let mut index = 0;
    loop {
        for slot in &mut room[index..index + 8] {
            *slot = at + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        index += 8;
        if index >= count {
            break;
        }
    }
    rows.n_ends += count;
}

/// Ends the records whose line ends are in these 64 bytes; `false`: one is too long.
#[inline]
fn close_records(
    bytes: &[u8],
    at: usize,
    found: Marks,
    mut inner: u64,
    before: usize,
    rows: &mut Rows,
) -> bool {
    let (mut lines, mut n_out) = (found.lines, 0);
    while lines != 0 {
        let bit = lines.trailing_zeros();
        let newline = at + bit as usize;
        if newline - rows.start > rows.record_bytes_max {
            return false;
        }
        let last = before + (found.seps & below(bit)).count_ones() as usize - n_out;
        if inner != 0 {
            rows.inner_lines += u64::from((inner & below(bit)).count_ones());
            inner &= !below(bit);
        }
        n_out += rows.close(bytes, last, newline);
        lines &= lines - 1;
    }
    rows.inner_lines += u64::from(inner.count_ones());
    true
}
