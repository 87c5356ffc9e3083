//! Date search: the nine prefixes as index ranges. A stored period lies in a width class (at most a day, at most a year, longer), so that a
//! condition on its end is also a range of its start.

use search::query::{DateOperand, Prefix};

use super::arm::Arm;
use super::cx::Cx;
use super::sql::Sql;

/// The longest period of each bounded width class, in microseconds; classes above have no bound.
const WIDTHS_MAX: [i64; 2] = [86_400_000_000, 366 * 86_400_000_000];
/// The width class without a bound.
const WIDTH_OPEN: i64 = 2;

/// The exact condition on one stored period, columns `{alias}.lo` and `{alias}.hi`. A period is half open.
pub(super) fn test(operand: &DateOperand, lo: &str, hi: &str) -> Sql {
    let (low, high) = (operand.low, operand.high);
    match operand.prefix {
        // The search period contains the stored one.
        Prefix::Eq => Sql::with(&format!("({lo} >= ? AND {hi} <= ?)"), [low, high]),
        Prefix::Ne => Sql::with(&format!("({lo} < ? OR {hi} > ?)"), [low, high]),
        // The stored period overlaps what lies above (below) the search period.
        Prefix::Gt => Sql::with(&format!("{hi} > ?"), [high]),
        Prefix::Lt => Sql::with(&format!("{lo} < ?"), [low]),
        Prefix::Ge => Sql::with(&format!("({hi} > ? OR {lo} >= ?)"), [high, low]),
        Prefix::Le => Sql::with(&format!("({lo} < ? OR {hi} <= ?)"), [low, high]),
        // The stored period lies wholly above (below) the search period.
        Prefix::Sa => Sql::with(&format!("{lo} >= ?"), [high]),
        Prefix::Eb => Sql::with(&format!("{hi} <= ?"), [low]),
        // The operand was widened by the parser; the periods overlap.
        Prefix::Ap => Sql::with(&format!("({lo} < ? AND {hi} > ?)"), [high, low]),
    }
}

/// The range of starts inside one width class that holds every matching period: `[from, to)`, either side may be open.
fn starts(operand: &DateOperand, class: i64) -> (Option<i64>, Option<i64>) {
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

/// Index ranges of the operands; none when one of them is a negation, which no range narrows.
pub(super) fn arms(p: i64, operands: &[DateOperand], cx: &Cx<'_>) -> Option<Vec<Arm>> {
    if operands.iter().any(|operand| operand.prefix == Prefix::Ne) {
        return None;
    }
    let mut arms = Vec::new();
    for operand in operands {
        for class in 0..=WIDTH_OPEN {
            let d = cx.alias("d");
            let (from, to) = starts(operand, class);
            let mut range = Sql::with(&format!("{d}.p = ? AND {d}.w = ?"), [p, class]);
            if let Some(from) = from {
                range = range.and(Sql::with(&format!("{d}.lo >= ?"), [from]));
            }
            if let Some(to) = to {
                range = range.and(Sql::with(&format!("{d}.lo < ?"), [to]));
            }
            let exact = test(operand, &format!("{d}.lo"), &format!("{d}.hi"));
            arms.push(Arm::over("date", &d, range.and(exact), false));
        }
    }
    Some(arms)
}

/// Whether the row has a period that matches one of the operands.
pub(super) fn probe(p: i64, operands: &[DateOperand], rid: &str, cx: &Cx<'_>) -> Sql {
    let d = cx.alias("d");
    let tests = Sql::any(operands.iter().map(|operand| test(operand, &format!("{d}.lo"), &format!("{d}.hi"))));
    Sql::with(&format!("EXISTS (SELECT 1 FROM date AS {d} INDEXED BY date_rid WHERE {d}.rid = {rid} AND {d}.p = ? AND "), [p])
        .and_sql(tests)
        .and_text(")")
}
