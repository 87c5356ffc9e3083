//! JSON as a tree that opens and closes, with references as links.

use fhir::Value;
use maud::{Markup, html};

use super::raw::{link_of, quoted};

/// From this depth on, branches start closed.
const OPEN_DEPTH_MAX: usize = 3;

/// The members of a resource.
pub(crate) fn tree(value: &Value) -> Markup {
    html! {
        div.tree {
            @match value.as_object() {
                Some(object) => @for (name, value) in object.iter() { (branch(name, value, None, 0)) },
                None => (leaf(value, None)),
            }
        }
    }
}

fn branch(name: &str, value: &Value, index: Option<usize>, depth: usize) -> Markup {
    let label = html! { span.name { (name) @if let Some(index) = index { "[" (index) "]" } } };
    html! {
        @match value {
            Value::Array(items) if items.len() > 1 || items.iter().any(|item| item.as_array().is_some()) => {
                details open[depth < OPEN_DEPTH_MAX && items.len() <= 12] {
                    summary { (label) " " span.peek { (items.len()) " items" } }
                    ul { @for (at, item) in items.iter().enumerate() { li { (branch(name, item, Some(at), depth + 1)) } } }
                }
            }
            Value::Array(items) => @for (at, item) in items.iter().enumerate() { (branch(name, item, Some(at), depth)) },
            Value::Object(object) => {
                details open[depth < OPEN_DEPTH_MAX] {
                    summary { (label) @if let Some(peek) = peek(value) { " " span.peek { (peek) } } }
                    ul { @for (name, value) in object.iter() { li { (branch(name, value, None, depth + 1)) } } }
                }
            }
            value => { div.leaf { (label) ": " (leaf(value, Some(name))) } }
        }
    }
}

/// A few words for a closed branch.
fn peek(value: &Value) -> Option<String> {
    let quantity =
        || crate::facts::quantity_of(value).map(|quantity| format!("{} {}", quantity.value, quantity.unit));
    let text = ["display", "text", "url", "reference", "family", "value", "start"]
        .into_iter()
        .find_map(|name| value.text(name));
    let text = text.map(String::from).or_else(quantity).or_else(|| crate::facts::concept_of(value))?;
    let short: String = text.chars().take(64).collect();
    Some(if short.len() < text.len() { format!("{short}…") } else { short })
}

/// A value without parts.
pub(super) fn leaf(value: &Value, name: Option<&str>) -> Markup {
    html! {
        @match value {
            Value::String(text) => {
                @match link_of(name, text) {
                    Some(href) => { "\"" a href=(href) { (text) } "\"" }
                    None => { span.is-text { (quoted(text)) } }
                }
            }
            Value::Number(number) => { span.is-number { (number.as_str()) } }
            Value::Bool(truth) => { span.is-word { (truth) } }
            Value::Null => { span.is-word { "null" } }
            Value::Array(_) => "[]",
            Value::Object(_) => "{}",
        }
    }
}
