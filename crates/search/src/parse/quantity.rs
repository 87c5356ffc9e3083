//! Quantities: `gt5.4|http://unitsofmeasure.org|mg`, `5.4||mg`, `5.4`.

use compact_str::CompactString;
use fhir::Decimal;

use super::string::plain;
use super::text::split;
use super::{Refusal, number, wrong};
use crate::query::{QuantityOperand, UnitMatch};
use crate::unit::{self, UCUM};

pub(super) fn operand(name: &str, text: &str) -> Result<QuantityOperand, Refusal> {
    let parts = split(text, b'|');
    let unit = match parts.as_slice() {
        [_] | [_, ""] | [_, "", ""] => UnitMatch::Any,
        [_, "", unit] => UnitMatch::Text(plain(name, unit)?),
        [_, system, code] if !code.is_empty() => {
            UnitMatch::Coded { system: plain(name, system)?, code: plain(name, code)? }
        }
        _ => return Err(wrong(name, "is not written `number|system|code`, `number||unit` or `number`")),
    };
    let (prefix, decimal) = number::parse(name, parts[0])?;
    let canonical = match &unit {
        UnitMatch::Coded { system, code } if system == UCUM => unit::parse(code).map(|unit| {
            let number = number::of_decimal(prefix, &decimal, |number| unit.convert(number));
            (number, CompactString::from(unit.canonical()))
        }),
        _ => None,
    };
    let number = number::of_decimal(prefix, &decimal, Decimal::key);
    Ok(QuantityOperand { number, unit, canonical })
}
