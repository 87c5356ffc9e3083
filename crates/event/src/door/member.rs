//! Members of a JSON object that must have a type: the value or a refusal with its place.

use fhir::{Object, Value as Json};

use crate::{Refusal, Why};

/// Longest text of a member.
const CHARS_MAX: usize = 512;
/// Most items of a list of texts.
const ITEMS_MAX: usize = 64;

/// A text; a number by its text. `null` is absent.
pub(super) fn text(value: &Json, place: &str) -> Result<Option<String>, Refusal> {
    text_of(value).map_err(|why| Refusal::at(place, why))
}

/// [`text`], of which the caller knows the place.
pub(super) fn text_of(value: &Json) -> Result<Option<String>, Why> {
    let text = match value {
        Json::Null => return Ok(None),
        Json::String(text) => text.as_str(),
        Json::Number(number) => number.as_str(),
        _ => return Err(Why::Expected("a text")),
    };
    sound(text).map(Some)
}

fn sound(text: &str) -> Result<String, Why> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Why::Missing);
    }
    if text.len() > CHARS_MAX && text.chars().count() > CHARS_MAX {
        return Err(Why::TooLarge { max: CHARS_MAX, of: "characters" });
    }
    if text.chars().any(char::is_control) {
        return Err(Why::Expected("a text without control characters"));
    }
    Ok(text.to_owned())
}

/// A text, or a list of texts.
pub(super) fn texts(value: &Json, place: &str) -> Result<Vec<String>, Refusal> {
    let items = value.each();
    if items.len() > ITEMS_MAX {
        return Err(Refusal::at(place, Why::TooLarge { max: ITEMS_MAX, of: "items" }));
    }
    let item = |item: &Json| match item {
        Json::String(text) => sound(text).map_err(|why| Refusal::at(place, why)),
        _ => Err(Refusal::at(place, Why::Expected("a text or a list of texts"))),
    };
    items.iter().map(item).collect()
}

/// A whole number from 0.
pub(super) fn whole(value: &Json, place: &str) -> Result<Option<u64>, Refusal> {
    let text = match value {
        Json::Null => return Ok(None),
        Json::Number(number) => number.as_str(),
        Json::String(text) => text.trim(),
        _ => "",
    };
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Refusal::at(place, Why::Expected("a whole number, 0 or more"))),
    }
}

/// An object.
pub(super) fn object<'a>(value: &'a Json, place: &str) -> Result<&'a Object, Refusal> {
    value.as_object().ok_or_else(|| Refusal::at(place, Why::Expected("an object")))
}

/// The one member that is there under one of several names.
pub(super) fn one_of<'a>(
    object: &'a Object,
    names: &[&str],
    place: &str,
) -> Result<Option<(String, &'a Json)>, Refusal> {
    let mut found = None;
    for (name, value) in object.iter().filter(|(name, _)| names.contains(name)) {
        if found.is_some() {
            return Err(Refusal::at(below(place, name), Why::Twice));
        }
        found = Some((below(place, name), value));
    }
    Ok(found)
}

/// Refuses members that are not known.
pub(super) fn only(object: &Object, known: &[&[&str]], place: &str) -> Result<(), Refusal> {
    match object.keys().find(|name| !known.iter().any(|names| names.contains(name))) {
        None => Ok(()),
        Some(name) => Err(Refusal::at(below(place, name), Why::UnknownMember)),
    }
}

/// The JSON pointer of a member.
pub(super) fn below(place: &str, name: &str) -> String {
    if name.contains(['~', '/']) {
        return format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
    }
    format!("{place}/{name}")
}
