//! A limit and a value: met, not met, or not known because the value is only a bound.

use std::fmt;

use clinical::Number;
use event::Comparator;

/// Three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    NotMet,
    Unknown,
}

impl From<bool> for Verdict {
    fn from(met: bool) -> Verdict {
        if met { Verdict::Met } else { Verdict::NotMet }
    }
}

/// How a value lies to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// Which way is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up = 0,
    Down = 1,
}

impl Op {
    pub(crate) const ALL: [Op; 4] = [Op::Above, Op::AtLeast, Op::Below, Op::AtMost];

    /// Its key in a file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Op::Above => "above",
            Op::AtLeast => "at_least",
            Op::Below => "below",
            Op::AtMost => "at_most",
        }
    }
}

/// A limit in the unit of its measure. Exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) op: Op,
    pub(crate) number: Number,
}

impl Limit {
    pub(crate) fn direction(self) -> Direction {
        match self.op {
            Op::Above | Op::AtLeast => Direction::Up,
            Op::Below | Op::AtMost => Direction::Down,
        }
    }

    fn meets(self, value: Number) -> bool {
        match self.op {
            Op::Above => value > self.number,
            Op::AtLeast => value >= self.number,
            Op::Below => value < self.number,
            Op::AtMost => value <= self.number,
        }
    }

    /// Judges a value, which may be a bound: `>10` meets `above 6` and does not tell of `above 400`.
    pub(crate) fn judge(self, value: Number, comparator: Option<Comparator>) -> Verdict {
        let Some(comparator) = comparator else { return self.meets(value).into() };
        // All values that it can be meet the limit, none does, or it is not known.
        let upward = matches!(comparator, Comparator::Greater | Comparator::GreaterOrEqual);
        let open = matches!(comparator, Comparator::Greater | Comparator::Less);
        let limit = self.number;
        match (self.op, upward) {
            (Op::Above, true) if value > limit || (open && value == limit) => Verdict::Met,
            (Op::AtLeast, true) if value >= limit => Verdict::Met,
            (Op::Above, false) if value <= limit => Verdict::NotMet,
            (Op::AtLeast, false) if value < limit || (open && value == limit) => Verdict::NotMet,
            (Op::Below, false) if value < limit || (open && value == limit) => Verdict::Met,
            (Op::AtMost, false) if value <= limit => Verdict::Met,
            (Op::Below, true) if value >= limit => Verdict::NotMet,
            (Op::AtMost, true) if value > limit || (open && value == limit) => Verdict::NotMet,
            _ => Verdict::Unknown,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.op.name().replace('_', " "), self.number)
    }
}

/// `>`, `<=`, ... as it stands before a value.
pub(crate) fn sign_of(comparator: Option<Comparator>) -> &'static str {
    match comparator {
        None => "",
        Some(Comparator::Less) => "<",
        Some(Comparator::LessOrEqual) => "<=",
        Some(Comparator::GreaterOrEqual) => ">=",
        Some(Comparator::Greater) => ">",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(op: Op, limit: i32, comparator: Option<Comparator>, value: i32, expected: Verdict) {
        let limit = Limit { op, number: Number::from(limit) };
        assert_eq!(limit.judge(Number::from(value), comparator), expected, "{op:?} {comparator:?} {value}");
    }

    #[test]
    fn a_bound_is_judged_by_all_that_it_can_be() {
        check(Op::Above, 6, Some(Comparator::Greater), 10, Verdict::Met);
        check(Op::Above, 6, Some(Comparator::Greater), 6, Verdict::Met);
        check(Op::Above, 6, Some(Comparator::GreaterOrEqual), 6, Verdict::Unknown);
        check(Op::Above, 400, Some(Comparator::Greater), 350, Verdict::Unknown);
        check(Op::Above, 6, Some(Comparator::Less), 5, Verdict::NotMet);
        check(Op::Below, 40, Some(Comparator::Less), 40, Verdict::Met);
        check(Op::Below, 40, Some(Comparator::Less), 60, Verdict::Unknown);
    }

    proptest! {
        /// Against every value that the bound allows, near the limit.
        #[test]
        fn the_verdict_holds_for_all_values_of_a_bound(limit in -5i32..5, value in -5i32..5, op in 0usize..4, comparator in 0usize..4) {
            let comparators = [Comparator::Less, Comparator::LessOrEqual, Comparator::GreaterOrEqual, Comparator::Greater];
            let (op, comparator) = (Op::ALL[op], comparators[comparator]);
            let limit = Limit { op, number: Number::from(limit) };
            // Halves stand for the numbers between.
            let can_be: Vec<bool> = (-400..=400).map(|half| Number::of(half * 5, 1)).filter(|n| {
                let bound = Number::from(value);
                match comparator {
                    Comparator::Less => *n < bound,
                    Comparator::LessOrEqual => *n <= bound,
                    Comparator::GreaterOrEqual => *n >= bound,
                    Comparator::Greater => *n > bound,
                }
            }).map(|n| limit.judge(n, None) == Verdict::Met).collect();
            let expected = match () {
                () if can_be.iter().all(|met| *met) => Verdict::Met,
                () if !can_be.contains(&true) => Verdict::NotMet,
                () => Verdict::Unknown,
            };
            prop_assert_eq!(limit.judge(Number::from(value), Some(comparator)), expected);
        }
    }
}
