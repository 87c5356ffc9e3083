//! `_type`: over which types a search at the base goes.

use fhir::{Issue, IssueType, Kind};

use super::text::{Pair, split};
use super::{hint, problem, shown};

/// The types that `_type` names; all of R4 when it is not given.
pub(super) fn kinds_of(pairs: &[Pair]) -> Result<Vec<Kind>, Issue> {
    let mut values = pairs.iter().filter(|pair| pair.name == "_type");
    let Some(pair) = values.next() else { return Ok(Kind::all().collect()) };
    if values.next().is_some() {
        return Err(problem(
            IssueType::Value,
            "bad-value",
            "_type",
            "`_type` is given twice: name all types in one",
        ));
    }
    let mut kinds = Vec::new();
    for name in split(&pair.value, b',') {
        let Some(kind) = Kind::parse(name) else {
            let text = format!("`{}` is not a resource type of R4{}", shown(name), hint::kind(name));
            return Err(problem(IssueType::Value, "bad-value", "_type", text));
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}
