//! JSON as indented text, coloured, with references as links. Numbers keep their text.

use fhir::Value;
use maud::{Markup, html};

use super::page_of;

/// The text of a resource.
pub(crate) fn raw(value: &Value) -> Markup {
    html! { pre.raw tabindex="0" aria-label="JSON of the resource" id="raw" { (node(value, None, 1)) } }
}

fn node(value: &Value, name: Option<&str>, depth: usize) -> Markup {
    let pad = || "  ".repeat(depth);
    let end = || "  ".repeat(depth - 1);
    html! {
        @match value {
            Value::Object(object) if object.is_empty() => "{}",
            Value::Array(items) if items.is_empty() => "[]",
            Value::Object(object) => {
                "{\n"
                @for (at, (name, value)) in object.iter().enumerate() {
                    (pad()) span.name { (quoted(name)) } ": " (node(value, Some(name), depth + 1))
                    @if at + 1 < object.len() { "," } "\n"
                }
                (end()) "}"
            }
            Value::Array(items) => {
                "[\n"
                @for (at, item) in items.iter().enumerate() {
                    (pad()) (node(item, name, depth + 1))
                    @if at + 1 < items.len() { "," } "\n"
                }
                (end()) "]"
            }
            leaf => (super::tree::leaf(leaf, name)),
        }
    }
}

/// A string as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_text()
}

/// The link of a `reference`, when it leads to a page here.
pub(super) fn link_of(name: Option<&str>, text: &str) -> Option<String> {
    if name == Some("reference") { page_of(text) } else { None }
}
