//! Numbers with a prefix: `gt5.40`. The stated precision makes the range of `eq`, `ne` and `ap`.

use fhir::Decimal;

use super::{Refusal, wrong};
use crate::query::{NumberOperand, Prefix};

pub(super) fn operand(name: &str, text: &str) -> Result<NumberOperand, Refusal> {
    let (prefix, number) = parse(name, text)?;
    Ok(of_decimal(prefix, &number, Decimal::key))
}

/// The prefix and the number.
pub(super) fn parse(name: &str, text: &str) -> Result<(Prefix, Decimal), Refusal> {
    let (prefix, rest) = prefix(text);
    let number =
        Decimal::parse(rest).ok_or_else(|| wrong(name, "is not a number with a prefix such as `gt5.4`"))?;
    Ok((prefix, number))
}

/// The operand of a number whose ends are converted to keys by `key`.
pub(super) fn of_decimal(
    prefix: Prefix,
    number: &Decimal,
    key: impl Fn(&Decimal) -> Vec<u8>,
) -> NumberOperand {
    let (mut low, mut high) = number.range();
    if prefix == Prefix::Ap {
        let (near_low, near_high) = number.around();
        (low, high) = (low.min(near_low), high.max(near_high));
    }
    NumberOperand { prefix, value: key(number), low: key(&low), high: key(&high) }
}

/// The prefix of a value; `eq` when there is none.
pub(super) fn prefix(text: &str) -> (Prefix, &str) {
    let prefix = match text.get(..2) {
        Some("eq") => Prefix::Eq,
        Some("ne") => Prefix::Ne,
        Some("gt") => Prefix::Gt,
        Some("lt") => Prefix::Lt,
        Some("ge") => Prefix::Ge,
        Some("le") => Prefix::Le,
        Some("sa") => Prefix::Sa,
        Some("eb") => Prefix::Eb,
        Some("ap") => Prefix::Ap,
        _ => return (Prefix::Eq, text),
    };
    (prefix, &text[2..])
}
