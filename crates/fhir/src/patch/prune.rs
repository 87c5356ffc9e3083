//! FHIR knows no empty lists and objects: what a patch emptied is left out.

use crate::Value;

/// Is a list or object in it that is empty.
pub fn has_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty() || items.iter().any(has_empty),
        Value::Object(object) => object.is_empty() || object.iter().any(|(_, member)| has_empty(member)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Leaves out lists and objects that are empty, from the inside out.
pub fn prune(value: &mut Value) {
    prune_in(value, false);
}

/// `beside`: the list stands beside another (`_given`), so that its positions must stay.
fn prune_in(value: &mut Value, beside: bool) {
    match value {
        Value::Array(items) => {
            for item in &mut *items {
                prune_in(item, false);
                if beside && is_empty(item) {
                    *item = Value::Null;
                }
            }
            items.retain(|item| !is_empty(item));
        }
        Value::Object(object) => {
            for (key, member) in object.iter_mut() {
                prune_in(member, key.starts_with('_'));
            }
            object.retain(|_, member| !is_empty(member));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
