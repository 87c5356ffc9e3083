//! Uris: the whole text, `:below`, `:above`.

use compact_str::CompactString;
use fhir::IssueType;

use super::filter::Context;
use super::modifier::Modifier;
use super::string::plain;
use super::{Refusal, problem};
use crate::param::ParamDef;
use crate::query::{Test, UriMode};

pub(super) fn test(
    context: &Context<'_>,
    def: &ParamDef,
    modifier: Option<Modifier<'_>>,
    values: &[&str],
) -> Result<Test, Refusal> {
    let (mode, negated) = match modifier {
        None => (UriMode::Exact, false),
        Some(Modifier::Not) => (UriMode::Exact, true),
        Some(Modifier::Below) => (UriMode::Below, false),
        Some(Modifier::Above) => (UriMode::Above, false),
        Some(other) => return Err(context.no_such_modifier(def, other.word())),
    };
    let any_of: Vec<CompactString> =
        values.iter().map(|text| plain(context.name, text)).collect::<Result<_, _>>()?;
    if mode != UriMode::Exact && any_of.iter().any(|uri| uri.starts_with("urn:")) {
        let text = "a `urn:` has no path, so nothing is above or below it";
        return Err(Refusal::Wrong(problem(IssueType::Value, "bad-value", context.name, text)));
    }
    Ok(Test::Uri { mode, any_of, negated })
}
