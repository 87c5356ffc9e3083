//! `_include` and `_revinclude`: `Observation:patient`, `Observation:subject:Patient`, `Observation:*`, `*`.

use fhir::definitions::SearchType;
use fhir::{IssueType, Kind};

use super::{Refusal, hint, problem, shown, wrong};
use crate::ParamId;
use crate::query::Include;

pub(super) fn parse(
    name: &str,
    modifier: Option<&str>,
    text: &str,
    reverse: bool,
) -> Result<Include, Refusal> {
    let iterate = match modifier {
        None => false,
        // `recurse` is what `iterate` was called before R4.
        Some("iterate" | "recurse") => true,
        Some(_) => {
            let text = "only `:iterate` can follow an include";
            return Err(Refusal::Wrong(problem(IssueType::NotSupported, "bad-modifier", name, text)));
        }
    };
    let mut words = text.split(':');
    let source = match words.next().unwrap_or("") {
        "*" if text == "*" => {
            return Ok(Include { source: None, param: None, target: None, reverse, iterate });
        }
        "" => return Err(wrong(name, "is empty: write `Type:parameter`, such as `Observation:patient`")),
        word => kind_of(name, word)?,
    };
    let param = match words.next() {
        None => return Err(wrong(name, "names no parameter: write `Type:parameter` or `Type:*`")),
        Some("*") => None,
        Some(code) => Some(param_of(name, source, code)?),
    };
    let target = words.next().map(|word| kind_of(name, word)).transpose()?;
    if words.next().is_some() {
        return Err(wrong(name, "has too many parts: write `Type:parameter:TargetType`"));
    }
    if let (Some(param), Some(target)) = (param, target)
        && !param.def().leads_to(target)
    {
        return Err(wrong(name, format_args!("is wrong: `{param}` never points at a `{target}`")));
    }
    Ok(Include { source: Some(source), param, target, reverse, iterate })
}

fn kind_of(name: &str, word: &str) -> Result<Kind, Refusal> {
    Kind::parse(word).ok_or_else(|| {
        wrong(
            name,
            format_args!("names `{}`, which is not a resource type of R4{}", shown(word), hint::kind(word)),
        )
    })
}

fn param_of(name: &str, source: Kind, code: &str) -> Result<ParamId, Refusal> {
    match ParamId::find(source, code) {
        Some(param) if param.def().ty == SearchType::Reference => Ok(param),
        Some(param) => Err(wrong(name, format_args!("names `{param}`, which is no reference"))),
        None => {
            let hint = hint::param(source, code);
            let text = format!("`{source}` has no parameter `{}`{hint}", shown(code));
            Err(Refusal::Unknown(problem(IssueType::NotSupported, "unknown-parameter", name, text)))
        }
    }
}
