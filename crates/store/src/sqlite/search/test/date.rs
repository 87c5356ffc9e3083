//! Date search: the nine prefixes, and each as ranges of the index. A stored period lies in a width class (at most a day, at most a
//! year, longer), so that a condition on its end is also a range of its start.

use search::query::{DateOperand, Prefix};

use super::super::arm::{Arm, Arms};
use super::super::sql::Sql;
use crate::sqlite::index::row::{WIDTH_OPEN, WIDTHS_MAX};

/// Does a stored period, half open, pass.
pub(in super::super) fn passes(operand: &DateOperand, lo: i64, hi: i64) -> bool {
    let (low, high) = (operand.low, operand.high);
    match operand.prefix {
        // The search period contains the stored one.
        Prefix::Eq => lo >= low && hi <= high,
        Prefix::Ne => lo < low || hi > high,
        // The stored period reaches above (below) the search period.
        Prefix::Gt => hi > high,
        Prefix::Lt => lo < low,
        Prefix::Ge => hi > high || lo >= low,
        Prefix::Le => lo < low || hi <= high,
        // The stored period lies wholly above (below) the search period.
        Prefix::Sa => lo >= high,
        Prefix::Eb => hi <= low,
        // The operand was widened by the parser; the periods overlap.
        Prefix::Ap => lo < high && hi > low,
    }
}

/// The same in SQL; `hi` is the end of the stored period.
fn exact(operand: &DateOperand, hi: &str) -> Sql {
    let (low, high) = (operand.low, operand.high);
    match operand.prefix {
        Prefix::Eq => Sql::with(&format!("lo >= ? AND {hi} <= ?"), [low, high]),
        Prefix::Ne => Sql::with(&format!("(lo < ? OR {hi} > ?)"), [low, high]),
        Prefix::Gt => Sql::with(&format!("{hi} > ?"), [high]),
        Prefix::Lt => Sql::with("lo < ?", [low]),
        Prefix::Ge => Sql::with(&format!("({hi} > ? OR lo >= ?)"), [high, low]),
        Prefix::Le => Sql::with(&format!("(lo < ? OR {hi} <= ?)"), [low, high]),
        Prefix::Sa => Sql::with("lo >= ?", [high]),
        Prefix::Eb => Sql::with(&format!("{hi} <= ?"), [low]),
        Prefix::Ap => Sql::with(&format!("(lo < ? AND {hi} > ?)"), [high, low]),
    }
}

/// The starts inside one width class that hold every matching period: `[from, to)`, either side may be open.
pub(in super::super) fn starts(operand: &DateOperand, class: i64) -> (Option<i64>, Option<i64>) {
    let width = usize::try_from(class).ok().and_then(|class| WIDTHS_MAX.get(class)).copied();
    let since = |end: i64| width.map(|width| end.saturating_sub(width));
    match operand.prefix {
        Prefix::Eq => (Some(operand.low), Some(operand.high)),
        Prefix::Ne => (None, None),
        Prefix::Gt => (since(operand.high), None),
        Prefix::Lt => (None, Some(operand.low)),
        Prefix::Ge => (since(operand.high).map(|from| from.min(operand.low)), None),
        Prefix::Le => (None, Some(operand.high)),
        Prefix::Sa => (Some(operand.high), None),
        Prefix::Eb => (None, Some(operand.low)),
        Prefix::Ap => (since(operand.low), Some(operand.high)),
    }
}

/// Index ranges of the operands.
pub(in super::super) fn arms(p: u32, operands: &[DateOperand]) -> Arms {
    let mut arms = Vec::with_capacity(operands.len() * 3);
    for operand in operands {
        for class in 0..=WIDTH_OPEN {
            let (from, to) = starts(operand, class);
            let mut range = Sql::with("p = ? AND w = ?", [i64::from(p), class]);
            if let Some(from) = from {
                range = range.and(Sql::with("lo >= ?", [from]));
            }
            if let Some(to) = to {
                range = range.and(Sql::with("lo < ?", [to]));
            }
            let hi = if class == WIDTH_OPEN { "e" } else { "(lo + e)" };
            arms.push(Arm::new("date", range.and(exact(operand, hi)), false));
        }
    }
    Arms::exact(arms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::index::row::width_of;

    const PREFIXES: [Prefix; 9] = [
        Prefix::Eq,
        Prefix::Ne,
        Prefix::Gt,
        Prefix::Lt,
        Prefix::Ge,
        Prefix::Le,
        Prefix::Sa,
        Prefix::Eb,
        Prefix::Ap,
    ];

    /// Every period that passes lies in the range of its width class.
    fn check(lo: i64, hi: i64, low: i64, high: i64) {
        for prefix in PREFIXES {
            let operand = DateOperand { prefix, low, high };
            let (from, to) = starts(&operand, width_of(lo, hi).0);
            let inside = from.is_none_or(|from| lo >= from) && to.is_none_or(|to| lo < to);
            assert!(inside || !passes(&operand, lo, hi), "{prefix:?} [{lo}, {hi}) in [{low}, {high})");
        }
    }

    #[test]
    fn ranges_hold_all_that_passes() {
        let day = WIDTHS_MAX[0];
        let ends = [i64::MIN, -400 * day, -day, 0, 1, day / 2, day, 2 * day, 365 * day, 400 * day, i64::MAX];
        for (i, lo) in ends.iter().enumerate() {
            for hi in &ends[i + 1..] {
                for (j, low) in ends[1..10].iter().enumerate() {
                    for high in &ends[j + 2..10] {
                        check(*lo, *hi, *low, *high);
                    }
                }
            }
        }
    }
}
