//! What a position of a message says: nothing, empty, null, or a text.

use std::borrow::Cow;
use std::fmt;

/// What stands at a position.
///
/// For the standard, absent and empty are the same: the sender says nothing, and what the receiver knows stays. A null, written `""`, says
/// that there is no value: what the receiver knows goes. Every component of a field that is null is null, and every subcomponent of such a component.
#[derive(Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// The segment, field, repetition, component or subcomponent is not there.
    Absent,
    /// The position is there, with nothing in it.
    Empty,
    /// `""`: the sender says that there is no value.
    Null,
    /// A text, unescaped.
    Text(Cow<'a, str>),
}

impl Value<'_> {
    /// The text, when there is one; a null is none.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Absent | Value::Empty | Value::Null => None,
        }
    }

    /// Whether the sender says something here: a text or a null.
    pub fn is_given(&self) -> bool {
        matches!(self, Value::Text(_) | Value::Null)
    }
}

impl<'a> Value<'a> {
    /// The text, when there is one; a null is none.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Value::Text(text) => Some(text),
            Value::Absent | Value::Empty | Value::Null => None,
        }
    }
}

/// Without contents.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Absent => out.write_str("Absent"),
            Value::Empty => out.write_str("Empty"),
            Value::Null => out.write_str("Null"),
            Value::Text(text) => write!(out, "Text({} bytes)", text.len()),
        }
    }
}
