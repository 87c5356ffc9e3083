//! The values of one member with their `_` siblings, as one list whatever their JSON looks like.

use fhir::{Object, Value};

/// A value and its sibling; `null` for what is not there.
pub(super) type Pair = (Value, Value);

/// Takes the values out of an object.
pub(super) fn take(object: &mut Object, key: &str) -> Vec<Pair> {
    let values = each(object.remove(key));
    let siblings = each(object.remove(&format!("_{key}")));
    let n = values.len().max(siblings.len());
    let padded = |list: Vec<Value>| list.into_iter().chain(std::iter::repeat(Value::Null)).take(n);
    padded(values).zip(padded(siblings)).collect()
}

/// Puts values into an object. An element that may repeat is a list in JSON, any other is its one value.
pub(super) fn put(object: &mut Object, key: &str, pairs: Vec<Pair>, repeats: bool) {
    let (values, siblings): (Vec<Value>, Vec<Value>) = pairs.into_iter().unzip();
    for (key, mut list) in [(key.to_string(), values), (format!("_{key}"), siblings)] {
        if list.iter().all(Value::is_null) {
            continue;
        }
        let value = if repeats { Value::Array(list) } else { list.swap_remove(0) };
        object.insert(key, value);
    }
}

fn each(value: Option<Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
    }
}
