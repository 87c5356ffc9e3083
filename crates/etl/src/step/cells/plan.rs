//! Columns of a plan: what a step needs, and what it adds.

use table::{Columns, Type};

use crate::yaml::{Fields, Kind};
use crate::{Point, Problems, Word};

/// The type of a column that a step needs. A column that is not there or that has another type is a problem at its place; `wanted` says
/// which types are right.
pub(crate) fn need(
    input: &Columns,
    column: &Word,
    step: &str,
    is_right: fn(Type) -> bool,
    wanted: &str,
    problems: &mut Problems,
) -> Option<Type> {
    let Some(found) = input.get(column) else {
        let names: Vec<String> = input.names().iter().map(|name| format!("`{name}`")).collect();
        let message =
            format!("there is no column `{column}` for the step `{step}`: there are {}", names.join(", "));
        problems.add(column.at, message);
        return None;
    };
    if is_right(found.kind) {
        return Some(found.kind);
    }
    let message = format!("the column `{column}` is {}, and the step `{step}` needs {wanted}", found.kind);
    problems.add(column.at, message);
    None
}

/// Adds a column that must be new.
pub(crate) fn add(columns: &mut Columns, name: &str, kind: Type, at: Point, problems: &mut Problems) {
    if columns.get(name).is_some() {
        problems.add(at, format!("there is a column `{name}` already: give the new one another name"));
        return;
    }
    if table::is_place(name) {
        problems
            .add(at, format!("the column name `{name}` is reserved: names must not begin with `_salus_`"));
        return;
    }
    columns.set(name, kind);
}

/// Whether days can be read from the type.
pub(crate) fn is_calendar(kind: Type) -> bool {
    matches!(kind, Type::Text | Type::Date | Type::Instant)
}

/// Whether numbers can be read from the type.
pub(crate) fn is_number(kind: Type) -> bool {
    matches!(kind, Type::Text | Type::Integer | Type::Number | Type::Decimal { .. })
}

/// One of some words, of which one may be `null`, which YAML reads as nothing.
pub(crate) fn choice_or_null<T: Copy>(
    fields: &mut Fields<'_>,
    key: &'static str,
    choices: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let what = format!("`{key}` of {}", fields.what());
    let node = fields.node(key)?;
    let (text, at) = match &node.kind {
        Kind::Null => ("null".to_owned(), node.at),
        _ => node.text(&what, problems).map(|word| (word.text, word.at))?,
    };
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        problems.add(at, format!("{what} must be one of {}", names.join(", ")));
    }
    found
}
