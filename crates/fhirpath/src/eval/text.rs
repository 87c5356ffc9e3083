//! Functions on texts. Places and lengths are counted in characters.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use fhir::json;
use regex::Regex;

use super::{Eval, Scope, boolean, operands};
use crate::compile::regex_of;
use crate::error::{Problem, Result};
use crate::function::Function as F;
use crate::item::{Item, Items, System};
use crate::plan::Call;

impl<'a> Eval<'_, 'a> {
    pub(super) fn text(
        &self,
        call: &Call,
        input: &Item<'a>,
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Items<'a>> {
        let Some(System::String(text)) = input.system() else {
            return Err(operands(call.name, &[input]).at(at));
        };
        self.charge(1 + text.len() / 64, at)?;
        match call.function {
            F::Length => return Ok(one(Item::integer(length_of(text)))),
            F::Upper => return Ok(one(Item::text(text.to_uppercase()))),
            F::Lower => return Ok(one(Item::text(text.to_lowercase()))),
            F::Trim => return Ok(one(Item::text(text.trim()))),
            F::ToChars => {
                self.charge(text.len(), at)?;
                self.check_items(text.len(), at)?;
                return Ok(text.chars().map(|c| Item::text(c.to_string())).collect());
            }
            F::Substring => return self.substring(call, text, scope),
            F::Matches | F::MatchesFull | F::ReplaceMatches => return self.regex(call, text, scope, at),
            _ => {}
        }
        let Some(first) = self.argument_text(call, 0, scope, at)? else { return Ok(Items::new()) };
        let place =
            |found: Option<usize>| one(Item::integer(found.map_or(-1, |end| length_of(&text[..end]))));
        Ok(match call.function {
            F::IndexOf => place(text.find(&*first)),
            F::LastIndexOf => place(text.rfind(&*first)),
            F::StartsWith => boolean(Some(text.starts_with(&*first))),
            F::EndsWith => boolean(Some(text.ends_with(&*first))),
            F::Contains => boolean(Some(text.contains(&*first))),
            F::Split => {
                let n_parts = text.matches(&*first).count() + 1;
                self.charge(n_parts, at)?;
                self.check_items(n_parts, at)?;
                text.split(&*first).map(Item::text).collect()
            }
            F::Encode => one(Item::text(encoded(text, &first).map_err(|problem| problem.at(at))?)),
            F::Decode => {
                decoded(text, &first).map_err(|problem| problem.at(at))?.map(Item::text).into_iter().collect()
            }
            F::Escape => one(Item::text(escaped(text, &first).map_err(|problem| problem.at(at))?)),
            F::Unescape => unescaped(text, &first)
                .map_err(|problem| problem.at(at))?
                .map(Item::text)
                .into_iter()
                .collect(),
            // F::Replace
            _ => {
                let Some(by) = self.argument_text(call, 1, scope, at)? else { return Ok(Items::new()) };
                let n_found = text.matches(&*first).count();
                self.check_text(text.len().saturating_add(n_found.saturating_mul(by.len())), at)?;
                one(Item::text(text.replace(&*first, &by)))
            }
        })
    }

    fn substring(&self, call: &Call, text: &str, scope: Scope<'_, 'a>) -> Result<Items<'a>> {
        let Some(start) = self.argument_integer(call, 0, scope)? else { return Ok(Items::new()) };
        let length = match call.arguments.get(1) {
            // An empty length is none at all.
            Some(_) => self.argument_integer(call, 1, scope)?.unwrap_or(i64::MAX),
            None => i64::MAX,
        };
        let Ok(start) = usize::try_from(start) else { return Ok(Items::new()) };
        let Some((from, _)) = text.char_indices().nth(start) else { return Ok(Items::new()) };
        let rest = &text[from..];
        let length = usize::try_from(length).unwrap_or(0);
        let end = rest.char_indices().nth(length).map_or(rest.len(), |(end, _)| end);
        Ok(one(Item::text(&rest[..end])))
    }

    fn regex(&self, call: &Call, text: &str, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let computed;
        let regex: &Regex = match &call.regex {
            Some(regex) => regex,
            None => {
                let Some(pattern) = self.argument_text(call, 0, scope, at)? else { return Ok(Items::new()) };
                // Building one costs far more than a step.
                self.charge(1000 + pattern.len(), at)?;
                computed =
                    regex_of(&pattern, call.function == F::MatchesFull).map_err(|problem| problem.at(at))?;
                &computed
            }
        };
        if call.function != F::ReplaceMatches {
            return Ok(boolean(Some(regex.is_match(text))));
        }
        let Some(by) = self.argument_text(call, 1, scope, at)? else { return Ok(Items::new()) };
        // Replacing nothing by something is no use; the specification leaves the text as it is.
        if regex.as_str().is_empty() {
            return Ok(one(Item::text(text)));
        }
        let longest = text.len().saturating_add(1).saturating_mul(by.len().saturating_add(1));
        if longest > self.context.limits.text_bytes_max {
            let n_found = regex.find_iter(text).count();
            // A replacement may repeat what was found.
            self.check_text(n_found.saturating_mul(by.len() + text.len()), at)?;
        }
        Ok(one(Item::text(regex.replace_all(text, replacement_of(&by)).into_owned())))
    }

    pub(super) fn join(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let separator = self.argument_text(call, 0, scope, at)?.unwrap_or_else(|| Arc::from(""));
        let mut out: Option<String> = None;
        self.run(&call.input, scope, &mut |item| {
            let Some(System::String(text)) = item.system() else {
                return Err(operands("join", &[&item]).at(at));
            };
            let joined = out.take().map_or_else(String::new, |mut joined| {
                joined.push_str(&separator);
                joined
            });
            self.check_text(joined.len() + text.len(), at)?;
            out = Some(joined + text);
            Ok(true)
        })?;
        Ok(out.map(Item::text).into_iter().collect())
    }
}

fn one(item: Item<'_>) -> Items<'_> {
    Items::from_iter([item])
}

fn length_of(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// `$1x` means group 1 and an `x`.
fn replacement_of(by: &str) -> String {
    let mut out = String::with_capacity(by.len());
    let mut rest = by;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            out.push_str(&format!("${{{}}}", &rest[..digits]));
            rest = &rest[digits..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

fn unknown_format(format: &str) -> Problem {
    let known = ["base64", "urlbase64", "hex", "html", "json"].contains(&format);
    Problem::Unsupported(if known { "this format here".into() } else { "this format of a text".to_string() })
}

fn encoded(text: &str, format: &str) -> std::result::Result<String, Problem> {
    match format {
        "base64" => Ok(STANDARD.encode(text)),
        "urlbase64" => Ok(URL_SAFE.encode(text)),
        "hex" => Ok(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
        _ => Err(unknown_format(format)),
    }
}

/// Nothing when the text is not of the format.
fn decoded(text: &str, format: &str) -> std::result::Result<Option<String>, Problem> {
    let bytes = match format {
        "base64" => STANDARD.decode(text).ok(),
        "urlbase64" => URL_SAFE.decode(text).ok(),
        "hex" => text
            .as_bytes()
            .chunks(2)
            .map(|pair| {
                u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok()
            })
            .collect(),
        _ => return Err(unknown_format(format)),
    };
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

const ENTITIES: [(&str, char); 5] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\'')];

fn escaped(text: &str, format: &str) -> std::result::Result<String, Problem> {
    match format {
        "html" => Ok(text.chars().fold(String::new(), |mut out, c| {
            match ENTITIES.iter().find(|(_, character)| *character == c) {
                Some((entity, _)) => out.push_str(entity),
                None => out.push(c),
            }
            out
        })),
        "json" => {
            let quoted = fhir::Value::from(text).to_text();
            Ok(quoted[1..quoted.len() - 1].to_string())
        }
        _ => Err(unknown_format(format)),
    }
}

/// A bare quote in a JSON string can only mean itself.
fn with_escaped_quotes(text: &str) -> String {
    let (mut out, mut escaped) = (String::with_capacity(text.len()), false);
    for character in text.chars() {
        if character == '"' && !escaped {
            out.push('\\');
        }
        escaped = character == '\\' && !escaped;
        out.push(character);
    }
    out
}

/// Nothing when the text is not of the format.
fn unescaped(text: &str, format: &str) -> std::result::Result<Option<String>, Problem> {
    match format {
        "html" => {
            let (mut out, mut rest) = (String::new(), text);
            while let Some(at) = rest.find('&') {
                out.push_str(&rest[..at]);
                rest = &rest[at..];
                let found = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
                let (taken, character) =
                    found.map_or((1, '&'), |(entity, character)| (entity.len(), *character));
                out.push(character);
                rest = &rest[taken..];
            }
            out.push_str(rest);
            Ok(Some(out))
        }
        "json" => {
            let quoted = format!("\"{}\"", with_escaped_quotes(text));
            let value = json::parse(quoted.as_bytes(), &json::Limits::default()).ok();
            Ok(value.and_then(|value| value.as_str().map(str::to_string)))
        }
        _ => Err(unknown_format(format)),
    }
}
