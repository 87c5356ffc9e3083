//! Strings: from the start, `:contains`, `:exact`.

use compact_str::CompactString;

use super::filter::Context;
use super::modifier::Modifier;
use super::text::unescape;
use super::{Refusal, wrong};
use crate::fold::fold;
use crate::param::ParamDef;
use crate::phonetic::sounds;
use crate::query::{StringMode, Test};

pub(super) fn test(
    context: &Context<'_>,
    def: &ParamDef,
    modifier: Option<Modifier<'_>>,
    values: &[&str],
) -> Result<Test, Refusal> {
    let mode = match modifier {
        None => StringMode::StartsWith,
        Some(Modifier::Contains) => StringMode::Contains,
        Some(Modifier::Exact) => StringMode::Exact,
        Some(other) => return Err(context.no_such_modifier(def, other.word())),
    };
    if def.code == "phonetic" {
        if let Some(other) = modifier {
            return Err(context.no_such_modifier(def, other.word()));
        }
        let any_of = values.iter().map(|text| Ok(sounds(&folded(context.name, text)?)));
        return Ok(Test::String { mode, any_of: any_of.collect::<Result<_, Refusal>>()? });
    }
    let any_of = values.iter().map(|text| {
        if mode == StringMode::Exact { plain(context.name, text) } else { folded(context.name, text) }
    });
    Ok(Test::String { mode, any_of: any_of.collect::<Result<_, _>>()? })
}

/// A value without its escapes.
pub(super) fn plain(name: &str, text: &str) -> Result<CompactString, Refusal> {
    unescape(text).ok_or_else(|| {
        wrong(name, "has a `\\` that escapes nothing: only `\\,`, `\\$`, `\\|` and `\\\\` are escapes")
    })
}

/// The same, folded; nothing may be left of it.
pub(super) fn folded(name: &str, text: &str) -> Result<CompactString, Refusal> {
    let folded = fold(&plain(name, text)?);
    if folded.is_empty() { Err(wrong(name, "has no letter or digit")) } else { Ok(folded) }
}
