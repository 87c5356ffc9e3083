//! References: `Patient/42`, `42`, an absolute URL; `:Patient`, `:identifier`, `:not`, `:above`, `:below`.

use compact_str::CompactString;
use fhir::{IssueType, Kind, Reference, is_id};

use super::filter::Context;
use super::modifier::Modifier;
use super::string::plain;
use super::{Refusal, problem, token, wrong};
use crate::ParamId;
use crate::param::ParamDef;
use crate::query::{ReferenceOperand, Test};

pub(super) fn test(
    context: &Context<'_>,
    def: &ParamDef,
    modifier: Option<Modifier<'_>>,
    values: &[&str],
) -> Result<Test, Refusal> {
    let name = context.name;
    let (only, negated) = match modifier {
        None => (None, false),
        Some(Modifier::Not) => (None, true),
        Some(Modifier::Type(kind, _)) => {
            context.check_target(def.leads_to(kind), def.code, kind)?;
            (Some(kind), false)
        }
        Some(Modifier::Identifier) => {
            let operands = values.iter().map(|text| token::operand(name, text));
            return Ok(Test::ReferenceIdentifier(operands.collect::<Result<_, _>>()?));
        }
        Some(Modifier::Above) => return hierarchy(context, def, values, false),
        Some(Modifier::Below) => return hierarchy(context, def, values, true),
        Some(other) => return Err(context.no_such_modifier(def, other.word())),
    };
    let mut any_of = Vec::new();
    let holds_addresses = ParamId::find(def.kind, def.code).is_some_and(ParamId::holds_addresses);
    for text in values {
        operands(context, def.code, def.targets, only, text, &mut any_of)?;
        // This server's own address of a resource may be stated as an address, too.
        if holds_addresses && matches!(any_of.last(), Some(ReferenceOperand::Local { .. })) {
            let text = plain(context.name, text)?;
            if let Reference::Url(_) = Reference::parse(&text) {
                any_of.push(ReferenceOperand::Url(text));
            }
        }
    }
    Ok(Test::Reference { any_of, negated })
}

/// What one value may mean: an id alone stands for every type that the parameter may lead to.
pub(super) fn operands(
    context: &Context<'_>,
    code: &str,
    targets: &[Kind],
    only: Option<Kind>,
    text: &str,
    into: &mut Vec<ReferenceOperand>,
) -> Result<(), Refusal> {
    let name = context.name;
    let text = plain(name, text)?;
    let leads = |kind: Kind| only.map_or(targets.is_empty() || targets.contains(&kind), |only| only == kind);
    match Reference::resolve(&text, &context.options.bases) {
        Reference::Local { kind, id, .. } => {
            context.check_target(leads(kind), code, kind)?;
            into.push(ReferenceOperand::Local { kind, id: id.into() });
        }
        Reference::Url(_) | Reference::Urn(_) if text.ends_with('|') => {
            return Err(wrong(name, "ends with `|`: write the version behind it, or leave it out"));
        }
        Reference::Url(_) | Reference::Urn(_) => into.push(ReferenceOperand::Url(text)),
        Reference::Malformed(_) if is_id(&text) => {
            let id: CompactString = text;
            let local = |kind: Kind| ReferenceOperand::Local { kind, id: id.clone() };
            match only {
                Some(kind) => into.push(local(kind)),
                None if targets.is_empty() => into.extend(Kind::all().map(local)),
                None => into.extend(targets.iter().copied().map(local)),
            }
        }
        Reference::Contained(_) | Reference::Conditional { .. } | Reference::Malformed(_) => {
            return Err(wrong(name, "is not a reference: write `Type/id`, an id, or an absolute address"));
        }
    }
    Ok(())
}

/// Starting points of `:above` and `:below`: of the types that form a hierarchy.
fn hierarchy(context: &Context<'_>, def: &ParamDef, values: &[&str], below: bool) -> Result<Test, Refusal> {
    let has_hierarchy = |kind: &Kind| ParamId::hierarchy_of(*kind).is_some();
    let targets: Vec<Kind> = def.targets.iter().copied().filter(has_hierarchy).collect();
    if targets.is_empty() {
        let text = format!("nothing that `{}` leads to forms a hierarchy", def.code);
        return Err(Refusal::Wrong(problem(IssueType::NotSupported, "not-supported", context.name, text)));
    }
    let mut found = Vec::new();
    for text in values {
        operands(context, def.code, &targets, None, text, &mut found)?;
    }
    let mut any_of = Vec::new();
    for operand in found {
        match operand {
            ReferenceOperand::Local { kind, id } => any_of.push((kind, id)),
            ReferenceOperand::Url(_) => {
                return Err(wrong(
                    context.name,
                    "is not here: `:above` and `:below` work for resources of this server",
                ));
            }
        }
    }
    Ok(Test::ReferenceHierarchy { any_of, below })
}
