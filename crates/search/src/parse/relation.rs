//! What belongs to the patient: `region=county|48201`, `population=diabetes-care`, `risk=high`.

use super::string::plain;
use super::text::split;
use super::{Refusal, wrong};
use crate::query::{Relation, RelationOperand};

/// Levels of a region.
pub(crate) const LEVELS: [&str; 3] = ["state", "county", "zip3"];

pub(super) fn operand(name: &str, relation: Relation, text: &str) -> Result<RelationOperand, Refusal> {
    let (system, code) = match split(text, b'|').as_slice() {
        [code] => (None, plain(name, code)?),
        [system, code] if !system.is_empty() => (Some(plain(name, system)?), plain(name, code)?),
        _ => return Err(wrong(name, "is not written `system|code` or `code`")),
    };
    if code.is_empty() {
        return Err(wrong(name, "has no code"));
    }
    if relation == Relation::Region && system.as_ref().is_some_and(|level| !LEVELS.contains(&level.as_str()))
    {
        return Err(wrong(name, "is not written `state|TX`, `county|48201` or `zip3|770`"));
    }
    Ok(RelationOperand { system, code })
}
