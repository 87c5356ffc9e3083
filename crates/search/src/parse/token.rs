//! Tokens: `code`, `system|code`, `|code`, `system|`; `:not`, `:text`, `:in`, `:not-in`, `:of-type`.

use compact_str::CompactString;
use fhir::{IssueType, definitions};

use super::filter::Context;
use super::modifier::Modifier;
use super::string::{folded, plain};
use super::text::split;
use super::{Refusal, problem, shown, wrong};
use crate::param::ParamDef;
use crate::query::{OfTypeOperand, SystemMatch, Test, TokenOperand};

pub(super) fn test(
    context: &Context<'_>,
    def: &ParamDef,
    modifier: Option<Modifier<'_>>,
    values: &[&str],
) -> Result<Test, Refusal> {
    let name = context.name;
    let operands = |negated| -> Result<Test, Refusal> {
        let any_of = values.iter().map(|text| operand(name, text)).collect::<Result<_, _>>()?;
        Ok(Test::Token { any_of, negated })
    };
    match modifier {
        None => operands(false),
        Some(Modifier::Not) => operands(true),
        Some(Modifier::Text) => {
            Ok(Test::TokenText(values.iter().map(|text| folded(name, text)).collect::<Result<_, _>>()?))
        }
        Some(Modifier::OfType) => {
            Ok(Test::OfType(values.iter().map(|text| of_type(name, text)).collect::<Result<_, _>>()?))
        }
        Some(Modifier::In) => Ok(Test::Token { any_of: members(name, values)?, negated: false }),
        Some(Modifier::NotIn) => Ok(Test::Token { any_of: members(name, values)?, negated: true }),
        Some(Modifier::Above | Modifier::Below) => {
            let text = "hierarchies of codes are not supported: name the codes";
            Err(Refusal::Wrong(problem(IssueType::NotSupported, "not-supported", name, text)))
        }
        Some(other) => Err(context.no_such_modifier(def, other.word())),
    }
}

/// Most codes that `:in` stands for.
const MEMBERS_MAX: usize = 3_000;

/// One token.
pub(super) fn operand(name: &str, text: &str) -> Result<TokenOperand, Refusal> {
    let parts = split(text, b'|');
    let (system, code) = match parts.as_slice() {
        [code] => (SystemMatch::Any, plain(name, code)?),
        ["", code] => (SystemMatch::Absent, plain(name, code)?),
        [system, code] => (SystemMatch::Is(plain(name, system)?), plain(name, code)?),
        _ => {
            return Err(wrong(
                name,
                "has more than one `|`: write `system|code`, and `\\|` for a bar inside them",
            ));
        }
    };
    if code.is_empty() && !matches!(system, SystemMatch::Is(_)) {
        return Err(wrong(name, "has neither system nor code"));
    }
    Ok(TokenOperand { system, code: Some(code).filter(|code| !code.is_empty()) })
}

fn of_type(name: &str, text: &str) -> Result<OfTypeOperand, Refusal> {
    match split(text, b'|').as_slice() {
        [system, code, value] if !system.is_empty() && !code.is_empty() && !value.is_empty() => {
            Ok(OfTypeOperand {
                system: plain(name, system)?,
                code: plain(name, code)?,
                value: plain(name, value)?,
            })
        }
        _ => Err(wrong(name, "is not written `type-system|type-code|value`")),
    }
}

/// The codes of value sets, as far as they are enumerated.
fn members(name: &str, values: &[&str]) -> Result<Vec<TokenOperand>, Refusal> {
    let mut any_of = Vec::new();
    for text in values {
        let url: CompactString = plain(name, text)?;
        let Some(set) = definitions::value_set_codes(&url) else {
            let text = format!(
                "the codes of `{}` are not known here: `:in` and `:not-in` work for value sets of R4 whose codes are enumerated",
                shown(&url)
            );
            return Err(Refusal::Wrong(problem(IssueType::NotSupported, "not-supported", name, text)));
        };
        if any_of.len() + set.codes().len() > MEMBERS_MAX {
            let text = format!("the value sets have more than {MEMBERS_MAX} codes: name the codes");
            return Err(Refusal::Wrong(problem(IssueType::TooCostly, "too-many-values", name, text)));
        }
        any_of.extend(set.codes().iter().map(|coded| TokenOperand {
            system: SystemMatch::Is(coded.system.into()),
            code: Some(coded.code.into()),
        }));
    }
    Ok(any_of)
}
