//! One row of the index, whichever table it stands in. The order of the variants is the order of the blob.

use compact_str::CompactString;

/// A row without the resource it belongs to. `p` is the parameter's number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Row {
    /// A code: hash of the code, name of its system.
    Token { p: u32, h: i64, sys: u32 },
    /// A reference to a resource of this store, there or not.
    Ref { p: u32, target: i64 },
    /// A uri, or a reference to somewhere else.
    Uri { p: u32, n: u32 },
    /// A folded text; `exact` is empty when it is the same.
    Text { p: u32, text: CompactString, exact: CompactString },
    /// A period.
    Date { p: u32, lo: i64, hi: i64 },
    /// A number or range.
    Number { p: u32, lo: Vec<u8>, hi: Vec<u8> },
    /// A number or range in a unit.
    Quantity { p: u32, u: u32, lo: Vec<u8>, hi: Vec<u8> },
    /// A composite value: hash of the first part's code, and the parts.
    Composite { p: u32, h: i64, parts: Vec<u8> },
    /// A fact about a patient.
    Relation { p: u32, patient: i64, h: i64, sys: u32, lo: i64, hi: i64 },
}

/// Sorts of rows, as they are numbered in the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Sort {
    Token = 1,
    Ref = 2,
    Uri = 3,
    Text = 4,
    Date = 5,
    Number = 6,
    Quantity = 7,
    Composite = 8,
    Relation = 9,
}

impl Row {
    pub(crate) fn sort(&self) -> Sort {
        match self {
            Row::Token { .. } => Sort::Token,
            Row::Ref { .. } => Sort::Ref,
            Row::Uri { .. } => Sort::Uri,
            Row::Text { .. } => Sort::Text,
            Row::Date { .. } => Sort::Date,
            Row::Number { .. } => Sort::Number,
            Row::Quantity { .. } => Sort::Quantity,
            Row::Composite { .. } => Sort::Composite,
            Row::Relation { .. } => Sort::Relation,
        }
    }

    pub(crate) fn p(&self) -> u32 {
        match self {
            Row::Token { p, .. }
            | Row::Ref { p, .. }
            | Row::Uri { p, .. }
            | Row::Text { p, .. }
            | Row::Date { p, .. }
            | Row::Number { p, .. }
            | Row::Quantity { p, .. }
            | Row::Composite { p, .. }
            | Row::Relation { p, .. } => *p,
        }
    }
}

/// The longest period of each bounded width class, in microseconds; the class above has no bound.
pub(crate) const WIDTHS_MAX: [i64; 2] = [86_400_000_000, 366 * 86_400_000_000];
/// The width class without a bound.
pub(crate) const WIDTH_OPEN: i64 = 2;

/// Width class and end column of a period.
pub(crate) fn width_of(lo: i64, hi: i64) -> (i64, i64) {
    match hi.checked_sub(lo) {
        Some(length) if length <= WIDTHS_MAX[0] && lo != i64::MIN && hi != i64::MAX => (0, length),
        Some(length) if length <= WIDTHS_MAX[1] && lo != i64::MIN && hi != i64::MAX => (1, length),
        _ => (WIDTH_OPEN, hi),
    }
}

/// The end of a period from its columns.
#[cfg(test)]
fn end_of(w: i64, lo: i64, e: i64) -> i64 {
    if w == WIDTH_OPEN { e } else { lo.saturating_add(e) }
}

/// Class and upper column of a number: a point needs no second end.
pub(crate) fn ends_of<'a>(lo: &[u8], hi: &'a [u8]) -> (i64, &'a [u8]) {
    if lo == hi { (0, &[]) } else { (1, hi) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_survives_its_columns() {
        let day = WIDTHS_MAX[0];
        for (lo, hi, class) in [
            (5, 5 + day, 0),
            (-5, day + 1, 1),
            (0, WIDTHS_MAX[1] + 1, 2),
            (i64::MIN, 3, 2),
            (3, i64::MAX, 2),
            (i64::MIN, i64::MAX, 2),
            (i64::MAX - 1, i64::MAX, 2),
        ] {
            let (w, e) = width_of(lo, hi);
            assert_eq!((w, end_of(w, lo, e)), (class, hi), "{lo}..{hi}");
        }
    }
}
