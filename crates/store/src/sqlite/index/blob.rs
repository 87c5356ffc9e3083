//! All index rows of a resource in one piece of bytes: the hashes that occur in it, each once, then groups of one sort and parameter,
//! each with its length, so that a reader jumps to the one it asks for.

use compact_str::CompactString;

use super::row::{Row, Sort};

/// Rows, sorted and each once, as bytes.
pub(crate) fn encode(rows: &[Row]) -> Vec<u8> {
    let mut hashes: Vec<i64> = rows.iter().filter_map(hash_of).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let mut out = Vec::with_capacity(hashes.len() * 8 + rows.len() * 8 + 8);
    put(&mut out, hashes.len() as u64);
    hashes.iter().for_each(|h| out.extend_from_slice(&h.to_le_bytes()));
    let mut groups: Vec<&[Row]> = rows.chunk_by(|a, b| a.sort() == b.sort() && a.p() == b.p()).collect();
    groups.sort_unstable_by_key(|same| same[0].p());
    let mut last = 0;
    // Entries of the groups so far; empty for one that repeats another.
    let mut written: Vec<(Sort, Vec<u8>)> = Vec::with_capacity(groups.len());
    for same in groups {
        let (sort, mut entries) = (same[0].sort(), Vec::with_capacity(32));
        same.iter().for_each(|row| put_row(row, &hashes, &mut entries));
        put(&mut out, u64::from(same[0].p() - last));
        last = same[0].p();
        match written.iter().position(|(other, bytes)| *other == sort && *bytes == entries) {
            Some(at) => {
                put(&mut out, head(at, sort) | REPEATS);
                entries.clear();
            }
            None => {
                put(&mut out, head(entries.len(), sort));
                out.extend_from_slice(&entries);
            }
        }
        written.push((sort, entries));
    }
    out
}

/// Bits of a group's head below its length: four say its sort, the fifth that it has the entries of an earlier group, whose position
/// stands in place of the length. `code` and `combo-code` of most observations are the same.
const HEAD_BITS: u32 = 5;
const SORT_MASK: u64 = 0b01111;
const REPEATS: u64 = 0b10000;

fn head(length: usize, sort: Sort) -> u64 {
    ((length as u64) << HEAD_BITS) | sort as u64
}

/// The rows of the bytes; `None` when they are damaged.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    if bytes.is_empty() {
        return Some(rows);
    }
    let (hashes, groups) = split(bytes)?;
    for group in Groups::of(groups) {
        let (sort, p, rest) = group?;
        for row in (Entries { sort, p, hashes, rest }) {
            rows.push(row?);
        }
    }
    rows.sort_unstable();
    Some(rows)
}

/// The rows of one sort and parameter.
pub(crate) fn find(bytes: &[u8], sort: Sort, p: u32) -> Entries<'_> {
    let (hashes, groups) = split(bytes).unwrap_or_default();
    let wanted = Groups::of(groups)
        .map_while(|group| group)
        .take_while(|(_, q, _)| *q <= p)
        .find(|(s, q, _)| *s == sort as u8 && *q == p);
    Entries { sort: sort as u8, p, hashes, rest: wanted.map_or(&[], |(_, _, entries)| entries) }
}

/// Sort and parameter of every group.
pub(crate) fn groups(bytes: &[u8]) -> impl Iterator<Item = (u8, u32)> {
    let (_, groups) = split(bytes).unwrap_or_default();
    Groups::of(groups).map_while(|group| group).map(|(sort, p, _)| (sort, p))
}

/// The hashes, 8 bytes each, and the groups behind them.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes;
    let n = usize::try_from(take(&mut rest)?).ok()?;
    rest.split_at_checked(n.checked_mul(8)?)
}

/// The hash of a row that has one.
fn hash_of(row: &Row) -> Option<i64> {
    match row {
        Row::Token { h, .. } | Row::Composite { h, .. } | Row::Relation { h, .. } => Some(*h),
        _ => None,
    }
}

/// Groups by rising parameter: each head says how far its parameter is from the last one, its length and its sort.
struct Groups<'b> {
    all: &'b [u8],
    p: u32,
    rest: &'b [u8],
}

impl<'b> Groups<'b> {
    fn of(all: &'b [u8]) -> Groups<'b> {
        Groups { all, p: 0, rest: all }
    }

    fn group(&mut self) -> Option<(u8, u32, &'b [u8])> {
        self.p = self.p.checked_add(take_u32(&mut self.rest)?)?;
        let head = take(&mut self.rest)?;
        let (sort, number) = ((head & SORT_MASK) as u8, usize::try_from(head >> HEAD_BITS).ok()?);
        if head & REPEATS != 0 {
            return Some((sort, self.p, self.written(number)?));
        }
        let (entries, after) = self.rest.split_at_checked(number)?;
        self.rest = after;
        Some((sort, self.p, entries))
    }

    /// The entries that the group at a position has itself.
    fn written(&self, at: usize) -> Option<&'b [u8]> {
        let mut rest = self.all;
        for position in 0..=at {
            take(&mut rest)?;
            let head = take(&mut rest)?;
            let repeats = head & REPEATS != 0;
            let length = if repeats { 0 } else { usize::try_from(head >> HEAD_BITS).ok()? };
            let (entries, after) = rest.split_at_checked(length)?;
            if position == at {
                return (!repeats).then_some(entries);
            }
            rest = after;
        }
        None
    }
}

impl<'b> Iterator for Groups<'b> {
    type Item = Option<(u8, u32, &'b [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let group = self.group();
        if group.is_none() {
            self.rest = &[];
        }
        Some(group)
    }
}

/// Rows of one group. An item is `None` when the bytes are damaged.
pub(crate) struct Entries<'b> {
    sort: u8,
    p: u32,
    hashes: &'b [u8],
    rest: &'b [u8],
}

impl Iterator for Entries<'_> {
    type Item = Option<Row>;

    fn next(&mut self) -> Option<Option<Row>> {
        if self.rest.is_empty() {
            return None;
        }
        let row = take_row(self.sort, self.p, self.hashes, &mut self.rest);
        if row.is_none() {
            self.rest = &[];
        }
        Some(row)
    }
}

fn put_row(row: &Row, hashes: &[i64], out: &mut Vec<u8>) {
    let put_hash = |out: &mut Vec<u8>, h: &i64| {
        let at = hashes.binary_search(h).expect("every hash was gathered before");
        put(out, at as u64);
    };
    match row {
        Row::Token { h, sys, .. } => {
            put_hash(out, h);
            put(out, u64::from(*sys));
        }
        Row::Ref { target, .. } => put(out, target.cast_unsigned()),
        Row::Uri { n, .. } => put(out, u64::from(*n)),
        Row::Text { text, exact, .. } => {
            put_bytes(out, text.as_bytes());
            put_bytes(out, exact.as_bytes());
        }
        Row::Date { lo, hi, .. } => put_period(out, *lo, *hi),
        Row::Number { lo, hi, .. } => put_ends(out, lo, hi),
        Row::Quantity { u, lo, hi, .. } => {
            put(out, u64::from(*u));
            put_ends(out, lo, hi);
        }
        Row::Composite { h, parts, .. } => {
            put_hash(out, h);
            put_bytes(out, parts);
        }
        Row::Relation { patient, h, sys, lo, hi, .. } => {
            put(out, patient.cast_unsigned());
            put_hash(out, h);
            put(out, u64::from(*sys));
            put_period(out, *lo, *hi);
        }
    }
}

fn take_row(sort: u8, p: u32, hashes: &[u8], rest: &mut &[u8]) -> Option<Row> {
    let take_hash = |rest: &mut &[u8]| {
        let at = usize::try_from(take(rest)?).ok()?.checked_mul(8)?;
        take_i64(&mut hashes.get(at..)?)
    };
    Some(match sort {
        1 => Row::Token { p, h: take_hash(rest)?, sys: take_u32(rest)? },
        2 => Row::Ref { p, target: take(rest)?.cast_signed() },
        3 => Row::Uri { p, n: take_u32(rest)? },
        4 => Row::Text { p, text: take_text(rest)?, exact: take_text(rest)? },
        5 => {
            let (lo, hi) = take_period(rest)?;
            Row::Date { p, lo, hi }
        }
        6 => {
            let (lo, hi) = take_ends(rest)?;
            Row::Number { p, lo, hi }
        }
        7 => {
            let u = take_u32(rest)?;
            let (lo, hi) = take_ends(rest)?;
            Row::Quantity { p, u, lo, hi }
        }
        8 => Row::Composite { p, h: take_hash(rest)?, parts: take_bytes(rest)?.to_vec() },
        9 => {
            let (patient, h, sys) = (take(rest)?.cast_signed(), take_hash(rest)?, take_u32(rest)?);
            let (lo, hi) = take_period(rest)?;
            Row::Relation { p, patient, h, sys, lo, hi }
        }
        _ => return None,
    })
}

/// Bounded periods as start and length: lengths are mostly a second or a day.
fn put_period(out: &mut Vec<u8>, lo: i64, hi: i64) {
    out.extend_from_slice(&lo.to_le_bytes());
    put(out, hi.wrapping_sub(lo).cast_unsigned());
}

fn take_period(rest: &mut &[u8]) -> Option<(i64, i64)> {
    let lo = take_i64(rest)?;
    Some((lo, lo.wrapping_add(take(rest)?.cast_signed())))
}

/// Two ends; the second is left out when it is the first.
fn put_ends(out: &mut Vec<u8>, lo: &[u8], hi: &[u8]) {
    let is_range = u64::from(lo != hi);
    put(out, lo.len() as u64 * 2 + is_range);
    out.extend_from_slice(lo);
    if is_range == 1 {
        put_bytes(out, hi);
    }
}

fn take_ends(rest: &mut &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let head = take(rest)?;
    let (lo, after) = rest.split_at_checked(usize::try_from(head / 2).ok()?)?;
    *rest = after;
    let hi = if head % 2 == 1 { take_bytes(rest)? } else { lo };
    Some((lo.to_vec(), hi.to_vec()))
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    u32::try_from(take(rest)?).ok()
}

fn take_i64(rest: &mut &[u8]) -> Option<i64> {
    let (number, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(i64::from_le_bytes(*number))
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_bytes<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(take(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

fn take_text(rest: &mut &[u8]) -> Option<CompactString> {
    CompactString::from_utf8(take_bytes(rest)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let mut rows = vec![
            Row::Token { p: 1, h: -5, sys: 0 },
            Row::Token { p: 1, h: 7, sys: 300 },
            Row::Token { p: 9, h: i64::MAX, sys: 1 },
            Row::Token { p: 11, h: -5, sys: 0 },
            Row::Token { p: 11, h: 7, sys: 300 },
            Row::Uri { p: 11, n: 77 },
            Row::Ref { p: 2, target: 1 << 40 },
            Row::Uri { p: 3, n: 77 },
            Row::Text { p: 4, text: "smith".into(), exact: "Smith".into() },
            Row::Date { p: 5, lo: i64::MIN, hi: i64::MAX },
            Row::Date { p: 5, lo: 86_400_000_000, hi: 2 * 86_400_000_000 },
            Row::Number { p: 6, lo: vec![1, 0], hi: vec![1, 0] },
            Row::Number { p: 6, lo: vec![], hi: vec![0xFF] },
            Row::Quantity { p: 7, u: 500, lo: vec![2], hi: vec![3] },
            Row::Composite { p: 8, h: 3, parts: vec![9; 200] },
            Row::Relation { p: 10, patient: 4, h: 5, sys: 6, lo: i64::MIN, hi: 8 },
        ];
        rows.sort_unstable();
        rows
    }

    #[test]
    fn rows_survive() {
        let bytes = encode(&rows());
        assert_eq!(decode(&bytes), Some(rows()));
        assert_eq!(decode(&[]), Some(vec![]));
        for sort in [Sort::Token, Sort::Date, Sort::Relation] {
            for p in 0..12 {
                let found: Option<Vec<Row>> = find(&bytes, sort, p).collect();
                let expected: Vec<Row> =
                    rows().into_iter().filter(|row| row.sort() == sort && row.p() == p).collect();
                assert_eq!(found, Some(expected), "{sort:?} {p}");
            }
        }
    }

    #[test]
    fn damage_is_seen_or_harmless() {
        let bytes = encode(&rows());
        for cut in 1..bytes.len() {
            assert_ne!(decode(&bytes[..cut]), Some(rows()), "cut at {cut}");
        }
    }
}
