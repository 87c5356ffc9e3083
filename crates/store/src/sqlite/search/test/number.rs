//! Number search on keys, bytes that sort as the numbers do. A stored number is a point, a `Range` has two ends (decision 3).

use search::query::{NumberOperand, Prefix};

use super::super::arm::{Arm, Arms};
use super::super::sql::Sql;

/// Does a stored number or range pass.
pub(in super::super) fn passes(operand: &NumberOperand, lo: &[u8], hi: &[u8]) -> bool {
    let (value, low, high) = (&*operand.value, &*operand.low, &*operand.high);
    match operand.prefix {
        Prefix::Eq => low <= lo && hi < high,
        Prefix::Ne => lo < low || hi >= high,
        Prefix::Gt => hi > value,
        Prefix::Lt => lo < value,
        Prefix::Ge => hi >= value,
        Prefix::Le => lo <= value,
        Prefix::Sa => lo > value,
        Prefix::Eb => hi < value,
        Prefix::Ap => lo < high && hi >= low,
    }
}

/// A bound of a range of points: the key, and whether it belongs to the range.
type Bound<'o> = Option<(&'o [u8], bool)>;

/// The points that pass, as ranges of their keys; two for `ne`.
pub(in super::super) fn points(operand: &NumberOperand) -> Vec<(Bound<'_>, Bound<'_>)> {
    let (value, low, high) = (&*operand.value, &*operand.low, &*operand.high);
    match operand.prefix {
        Prefix::Eq | Prefix::Ap => vec![(Some((low, true)), Some((high, false)))],
        Prefix::Ne => vec![(None, Some((low, false))), (Some((high, true)), None)],
        Prefix::Gt | Prefix::Sa => vec![(Some((value, false)), None)],
        Prefix::Lt | Prefix::Eb => vec![(None, Some((value, false)))],
        Prefix::Ge => vec![(Some((value, true)), None)],
        Prefix::Le => vec![(None, Some((value, true)))],
    }
}

/// Conditions on `w` and `lo` for the points that pass, and one for all ranges: there are few, and they are probed.
pub(in super::super) fn conditions(operand: &NumberOperand) -> Vec<Sql> {
    let mut all = vec![Sql::text("w = 1")];
    for (from, to) in points(operand) {
        let mut sql = Sql::text("w = 0");
        if let Some((key, included)) = from {
            sql = sql.and(Sql::with(if included { "lo >= ?" } else { "lo > ?" }, [key.to_vec()]));
        }
        if let Some((key, included)) = to {
            sql = sql.and(Sql::with(if included { "lo <= ?" } else { "lo < ?" }, [key.to_vec()]));
        }
        all.push(sql);
    }
    all
}

pub(in super::super) fn arms(p: u32, operands: &[NumberOperand]) -> Arms {
    let of_operand = |operand| conditions(operand).into_iter().map(|sql| Sql::with("p = ?", [p]).and(sql));
    let arm = |sql| Arm::new("number", sql, false);
    Arms::inexact(operands.iter().flat_map(of_operand).map(arm).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::Decimal;

    fn check(prefix: Prefix, text: &str, number: &str, expected: bool) {
        let stated = Decimal::parse(text).unwrap();
        let (low, high) = if prefix == Prefix::Ap { stated.around() } else { stated.range() };
        let operand = NumberOperand { prefix, value: stated.key(), low: low.key(), high: high.key() };
        let key = Decimal::parse(number).unwrap().key();
        assert_eq!(passes(&operand, &key, &key), expected, "{number} {prefix:?} {text}");
        let inside = |(from, to): (Bound<'_>, Bound<'_>)| {
            from.is_none_or(|(bound, included)| *key > *bound || included && *key == *bound)
                && to.is_none_or(|(bound, included)| *key < *bound || included && *key == *bound)
        };
        assert_eq!(points(&operand).into_iter().any(inside), expected, "range of {number} {prefix:?} {text}");
    }

    #[test]
    fn points_pass_and_lie_in_the_range() {
        check(Prefix::Eq, "5.4", "5.35", true);
        check(Prefix::Eq, "5.4", "5.45", false);
        check(Prefix::Ne, "5.4", "5.45", true);
        check(Prefix::Gt, "9", "9.0", false);
        check(Prefix::Gt, "9", "9.01", true);
        check(Prefix::Ge, "9", "9", true);
        check(Prefix::Lt, "-1", "-1.5", true);
        check(Prefix::Le, "0", "0.0", true);
        check(Prefix::Sa, "9", "9", false);
        check(Prefix::Eb, "9", "8.9", true);
        check(Prefix::Ap, "100", "109", true);
        check(Prefix::Ap, "100", "111", false);
    }
}
