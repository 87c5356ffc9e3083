//! Composites: `code$value`, one part for each component.

use fhir::definitions::SearchType;

use super::filter::Context;
use super::text::split;
use super::{Refusal, date, number, quantity, reference, string, token, wrong};
use crate::ParamId;
use crate::param::{ComponentDef, ParamDef};
use crate::query::{CompositeOperand, StringMode, Test, UriMode};

pub(super) fn operand(
    context: &Context<'_>,
    def: &ParamDef,
    text: &str,
) -> Result<CompositeOperand, Refusal> {
    let texts = split(text, b'$');
    if texts.len() != def.components.len() || texts.iter().any(|text| text.is_empty()) {
        let parts: Vec<&str> = def.components.iter().map(|part| part.code).collect();
        return Err(wrong(context.name, format_args!("does not have the parts `{}`", parts.join("$"))));
    }
    let parts = def.components.iter().zip(texts).map(|(component, text)| part(context, def, component, text));
    Ok(CompositeOperand { parts: parts.collect::<Result<_, _>>()? })
}

fn part(
    context: &Context<'_>,
    def: &ParamDef,
    component: &ComponentDef,
    text: &str,
) -> Result<Test, Refusal> {
    let name = context.name;
    Ok(match component.ty {
        SearchType::Token => Test::Token { any_of: vec![token::operand(name, text)?], negated: false },
        SearchType::String => {
            Test::String { mode: StringMode::StartsWith, any_of: vec![string::folded(name, text)?] }
        }
        SearchType::Date => Test::Date(vec![date::operand(name, text, context.options.now)?]),
        SearchType::Number => Test::Number(vec![number::operand(name, text)?]),
        SearchType::Quantity => Test::Quantity(vec![quantity::operand(name, text)?]),
        SearchType::Reference => {
            let targets =
                ParamId::find(def.kind, component.code).map_or(&[][..], |param| param.def().targets);
            let mut any_of = Vec::new();
            reference::operands(context, component.code, targets, None, text, &mut any_of)?;
            Test::Reference { any_of, negated: false }
        }
        SearchType::Uri => {
            Test::Uri { mode: UriMode::Exact, any_of: vec![string::plain(name, text)?], negated: false }
        }
        SearchType::Composite | SearchType::Special => {
            return Err(wrong(
                name,
                format_args!("cannot be compared: `{}` is not supported as a part", component.code),
            ));
        }
    })
}
