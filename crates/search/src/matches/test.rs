//! Does one value pass one operand. Plain Rust on extracted rows; the planner of a store shares none of it.

use compact_str::CompactString;

use crate::ParamId;
use crate::query::{
    CompositeOperand, DateOperand, NumberOperand, OfTypeOperand, Prefix, QuantityOperand, ReferenceOperand,
    StringMode, SystemMatch, Test, TokenOperand, UnitMatch, UriMode,
};
use crate::rows::{IndexRows, Part, QuantityValue, Target};

/// Do the values of a parameter pass a test. Hierarchies of references need other resources and are not looked at here.
pub(crate) fn passes(test: &Test, param: ParamId, rows: &IndexRows) -> bool {
    match test {
        Test::Token { any_of, negated } => {
            let found = values(&rows.tokens, param, |row| row.param)
                .any(|row| any_of.iter().any(|operand| token(operand, &row.system, &row.code)));
            found != *negated
        }
        Test::TokenText(texts) => values(&rows.token_texts, param, |row| row.param)
            .any(|row| texts.iter().any(|text| row.text.contains(text.as_str()))),
        Test::OfType(any_of) => values(&rows.of_types, param, |row| row.param).any(|row| {
            let same = |operand: &OfTypeOperand| {
                operand.system == row.system && operand.code == row.code && operand.value == row.value
            };
            any_of.iter().any(same)
        }),
        Test::String { mode, any_of } => values(&rows.strings, param, |row| row.param)
            .any(|row| any_of.iter().any(|text| string(*mode, text, &row.folded, &row.exact))),
        Test::Date(any_of) => values(&rows.dates, param, |row| row.param)
            .any(|row| any_of.iter().any(|operand| date(operand, row.low, row.high))),
        Test::Number(any_of) => values(&rows.numbers, param, |row| row.param)
            .any(|row| any_of.iter().any(|operand| number(operand, &row.low, &row.high))),
        Test::Quantity(any_of) => values(&rows.quantities, param, |row| row.param)
            .any(|row| any_of.iter().any(|operand| quantity(operand, &row.value))),
        Test::Reference { any_of, negated } => {
            let found = values(&rows.references, param, |row| row.param)
                .any(|row| any_of.iter().any(|operand| reference(operand, &row.target)));
            found != *negated
        }
        Test::ReferenceIdentifier(any_of) => values(&rows.reference_identifiers, param, |row| row.param)
            .any(|row| any_of.iter().any(|operand| token(operand, &row.system, &row.code))),
        Test::ReferenceHierarchy { .. } => false,
        Test::Uri { mode, any_of, negated } => {
            let found = values(&rows.uris, param, |row| row.param)
                .any(|row| any_of.iter().any(|text| uri(*mode, text, &row.text)));
            found != *negated
        }
        Test::Composite(any_of) => values(&rows.composites, param, |row| row.param)
            .any(|row| any_of.iter().any(|operand| composite(operand, &row.parts))),
    }
}

/// Has a parameter a value.
pub(crate) fn is_there(param: ParamId, rows: &IndexRows) -> bool {
    values(&rows.tokens, param, |row| row.param).next().is_some()
        || values(&rows.token_texts, param, |row| row.param).next().is_some()
        || values(&rows.strings, param, |row| row.param).next().is_some()
        || values(&rows.dates, param, |row| row.param).next().is_some()
        || values(&rows.numbers, param, |row| row.param).next().is_some()
        || values(&rows.quantities, param, |row| row.param).next().is_some()
        || values(&rows.references, param, |row| row.param).next().is_some()
        || values(&rows.reference_identifiers, param, |row| row.param).next().is_some()
        || values(&rows.uris, param, |row| row.param).next().is_some()
        || values(&rows.composites, param, |row| row.param).next().is_some()
}

fn values<R>(rows: &[R], param: ParamId, of: impl Fn(&R) -> ParamId) -> impl Iterator<Item = &R> {
    rows.iter().filter(move |row| of(row) == param)
}

/// One token against one operand.
pub(super) fn token(
    operand: &TokenOperand,
    system: &Option<CompactString>,
    code: &Option<CompactString>,
) -> bool {
    let system_fits = match &operand.system {
        SystemMatch::Any => true,
        SystemMatch::Absent => system.is_none(),
        SystemMatch::Is(wanted) => system.as_ref() == Some(wanted),
    };
    let code_fits = match &operand.code {
        None => true,
        Some(wanted) => code.as_ref() == Some(wanted),
    };
    system_fits && code_fits
}

fn string(mode: StringMode, text: &str, folded: &str, exact: &str) -> bool {
    match mode {
        StringMode::StartsWith => folded.starts_with(text),
        StringMode::Contains => folded.contains(text),
        StringMode::Exact => exact == text,
    }
}

/// One period against one operand.
pub(super) fn date(operand: &DateOperand, low: i64, high: i64) -> bool {
    let contained = operand.low <= low && high <= operand.high;
    let above = high > operand.high;
    let below = low < operand.low;
    match operand.prefix {
        Prefix::Eq => contained,
        Prefix::Ne => !contained,
        Prefix::Gt => above,
        Prefix::Lt => below,
        Prefix::Ge => above || contained,
        Prefix::Le => below || contained,
        Prefix::Sa => low >= operand.high,
        Prefix::Eb => high <= operand.low,
        Prefix::Ap => low < operand.high && operand.low < high,
    }
}

fn number(operand: &NumberOperand, low: &[u8], high: &[u8]) -> bool {
    let value = operand.value.as_slice();
    let contained = operand.low.as_slice() <= low && high < operand.high.as_slice();
    match operand.prefix {
        Prefix::Eq => contained,
        Prefix::Ne => !contained,
        Prefix::Gt => high > value,
        Prefix::Lt => low < value,
        Prefix::Ge => high >= value,
        Prefix::Le => low <= value,
        Prefix::Sa => low > value,
        Prefix::Eb => high < value,
        Prefix::Ap => low < operand.high.as_slice() && operand.low.as_slice() <= high,
    }
}

fn quantity(operand: &QuantityOperand, value: &QuantityValue) -> bool {
    if let Some((wanted, unit)) = &operand.canonical {
        return value.canonical.as_ref().is_some_and(|canonical| {
            canonical.unit == *unit && number(wanted, &canonical.low, &canonical.high)
        });
    }
    let unit_fits = match &operand.unit {
        UnitMatch::Any => true,
        UnitMatch::Text(text) => value.code.as_ref() == Some(text) || value.unit.as_ref() == Some(text),
        UnitMatch::Coded { system, code } => {
            value.system.as_ref() == Some(system) && value.code.as_ref() == Some(code)
        }
    };
    unit_fits && number(&operand.number, &value.low, &value.high)
}

fn reference(operand: &ReferenceOperand, target: &Target) -> bool {
    match (operand, target) {
        (ReferenceOperand::Local { kind, id }, Target::Local { kind: other, id: other_id }) => {
            kind == other && id == other_id
        }
        (ReferenceOperand::Url(url), Target::Url(other)) => url == other,
        _ => false,
    }
}

fn uri(mode: UriMode, text: &str, value: &str) -> bool {
    match mode {
        UriMode::Exact => value == text,
        UriMode::Below => is_below(value, text),
        UriMode::Above => is_below(text, value),
    }
}

/// Is a path the other one, or below it. A slash at the end does not count.
fn is_below(path: &str, start: &str) -> bool {
    let start = start.trim_end_matches('/');
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn composite(operand: &CompositeOperand, parts: &[Part]) -> bool {
    operand.parts.len() == parts.len()
        && operand.parts.iter().zip(parts).all(|(test, part)| part_passes(test, part))
}

fn part_passes(test: &Test, part: &Part) -> bool {
    match (test, part) {
        (Test::Token { any_of, negated }, Part::Token { system, code }) => {
            any_of.iter().any(|operand| token(operand, system, code)) != *negated
        }
        (Test::String { mode, any_of }, Part::String { folded, exact }) => {
            any_of.iter().any(|text| string(*mode, text, folded, exact))
        }
        (Test::Date(any_of), Part::Date { low, high }) => {
            any_of.iter().any(|operand| date(operand, *low, *high))
        }
        (Test::Number(any_of), Part::Number { low, high }) => {
            any_of.iter().any(|operand| number(operand, low, high))
        }
        (Test::Quantity(any_of), Part::Quantity(value)) => {
            any_of.iter().any(|operand| quantity(operand, value))
        }
        (Test::Reference { any_of, negated }, Part::Reference(target)) => {
            any_of.iter().any(|operand| reference(operand, target)) != *negated
        }
        (Test::Uri { mode, any_of, negated }, Part::Uri(value)) => {
            any_of.iter().any(|text| uri(*mode, text, value)) != *negated
        }
        _ => false,
    }
}
