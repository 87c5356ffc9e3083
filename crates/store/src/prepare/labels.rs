//! Labels of a stored version that an update must not lose: removing a label is an action of its own, never a side effect.

use fhir::{Object, Resource, Value};

/// Lists of `meta` that only grow by an update.
const LABELS: [&str; 2] = ["security", "tag"];

/// Adds to `new` the security labels and tags of the stored version that it lacks. True: something was added.
pub(crate) fn keep(new: &mut Resource, stored: &Resource) -> bool {
    let mut changed = false;
    for list in LABELS {
        let missing: Vec<Value> = {
            let had = labels_of(stored, list);
            let has = labels_of(new, list);
            had.iter().filter(|label| !has.iter().any(|other| is_same(label, other))).cloned().collect()
        };
        if missing.is_empty() {
            continue;
        }
        changed = true;
        let object = new.object_mut();
        if object.get("meta").and_then(Value::as_object).is_none() {
            object.insert_at(2, "meta", Value::Object(Object::new()));
        }
        let meta = object.get_mut("meta").and_then(Value::as_object_mut).expect("it was put there above");
        match meta.get_mut(list).and_then(Value::as_array_mut) {
            Some(labels) => labels.extend(missing),
            None => drop(meta.insert(list, Value::Array(missing))),
        }
    }
    changed
}

fn labels_of<'r>(resource: &'r Resource, list: &str) -> &'r [Value] {
    resource.object().get("meta").and_then(|meta| meta.get(list)).map_or(&[], Value::items)
}

/// Two labels are the same when system and code are.
fn is_same(a: &Value, b: &Value) -> bool {
    a.get("system") == b.get("system") && a.get("code") == b.get("code")
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json::Limits;

    fn check(stored: &str, new: &str, expected: &str) {
        let parse = |meta: &str| {
            let text = format!(r#"{{"resourceType":"Patient","id":"1"{meta}}}"#);
            Resource::parse(text.as_bytes(), &Limits::default()).unwrap()
        };
        let mut resource = parse(new);
        assert_eq!(keep(&mut resource, &parse(stored)), new != expected);
        assert_eq!(resource.value().to_text(), parse(expected).value().to_text());
    }

    #[test]
    fn labels_are_added_and_never_removed() {
        let labelled = r#","meta":{"security":[{"system":"s","code":"R"}]}"#;
        check(labelled, "", labelled);
        check(labelled, labelled, labelled);
        check("", labelled, labelled);
        check(
            labelled,
            r#","meta":{"security":[{"system":"s","code":"V"}],"profile":["p"]}"#,
            r#","meta":{"security":[{"system":"s","code":"V"},{"system":"s","code":"R"}],"profile":["p"]}"#,
        );
        check(
            r#","meta":{"tag":[{"code":"a"}]}"#,
            r#","meta":{"source":"x"}"#,
            r#","meta":{"source":"x","tag":[{"code":"a"}]}"#,
        );
    }
}
