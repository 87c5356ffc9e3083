//! References inside a resource, found wherever they stand.

use compact_str::CompactString;

use crate::Value;

/// Calls `visit` with the text of every `Reference.reference` at any depth.
pub fn visit_references<'a>(value: &'a Value, visit: &mut impl FnMut(&'a str)) {
    match value {
        Value::Object(object) => {
            for (key, member) in object.iter() {
                match member {
                    Value::String(text) if key == "reference" => visit(text),
                    other => visit_references(other, visit),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| visit_references(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same, to change the texts.
pub fn visit_references_mut(value: &mut Value, visit: &mut impl FnMut(&mut CompactString)) {
    match value {
        Value::Object(object) => {
            for (key, member) in object.iter_mut() {
                match member {
                    Value::String(text) if key == "reference" => visit(text),
                    other => visit_references_mut(other, visit),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit_references_mut(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn references_are_found_at_any_depth() {
        let mut value = json!({"a": {"reference": "Patient/1"}, "b": [{"c": {"reference": "Patient/2", "display": "reference"}}]});
        visit_references_mut(&mut value, &mut |text| {
            *text = CompactString::from(text.replace("Patient", "Group"));
        });
        let mut found = Vec::new();
        visit_references(&value, &mut |text| found.push(text));
        assert_eq!(found, ["Group/1", "Group/2"]);
    }
}
