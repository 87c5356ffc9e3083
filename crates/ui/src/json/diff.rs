//! What changed between two versions of a resource: one line per element, by its path.

use fhir::{Object, Value};

/// One element that differs.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// `name[0].family`.
    pub path: String,
    /// How it was; `None` when it was not there.
    pub before: Option<String>,
    /// How it is; `None` when it is gone.
    pub after: Option<String>,
}

/// Differences in the order of the older version, then of the newer. `meta` is left out: every version has its own.
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(before), Some(after), &mut changes);
    changes.retain(|change| change.path != "meta.versionId" && change.path != "meta.lastUpdated");
    changes
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => objects(path, before, after, changes),
        (Some(Value::Array(before)), Some(Value::Array(after))) => arrays(path, before, after, changes),
        (before, after) => changes.push(Change {
            path: path.to_string(),
            before: before.map(Value::to_text),
            after: after.map(Value::to_text),
        }),
    }
}

fn objects(path: &str, before: &Object, after: &Object, changes: &mut Vec<Change>) {
    let below = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    for (name, value) in before.iter() {
        compare(&below(name), Some(value), after.get(name), changes);
    }
    for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(name)) {
        compare(&below(name), None, Some(value), changes);
    }
}

/// What is the same at both ends is left out first, so that an item put in front is one change and not many.
fn arrays(path: &str, before: &[Value], after: &[Value], changes: &mut Vec<Change>) {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (old, new) = (&before[head..], &after[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    for at in 0..old.len().max(new.len()) {
        compare(&format!("{path}[{}]", head + at), old.get(at), new.get(at), changes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;

    fn check(before: &Value, after: &Value, expected: &[(&str, Option<&str>, Option<&str>)]) {
        let changes = diff(before, after);
        let shown: Vec<_> =
            changes.iter().map(|c| (c.path.as_str(), c.before.as_deref(), c.after.as_deref())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn elements_that_differ() {
        let before = json!({"meta": {"versionId": "1"}, "a": 1, "name": [{"family": "Ng"}], "gone": true});
        let after = json!({"meta": {"versionId": "2"}, "a": 1, "name": [{"family": "Li"}], "new": null});
        check(
            &before,
            &after,
            &[
                ("name[0].family", Some("\"Ng\""), Some("\"Li\"")),
                ("gone", Some("true"), None),
                ("new", None, Some("null")),
            ],
        );
    }

    #[test]
    fn an_item_in_front_is_one_change() {
        check(&json!({"l": [2, 3]}), &json!({"l": [1, 2, 3]}), &[("l[0]", None, Some("1"))]);
        check(&json!({"l": [1, 2, 3]}), &json!({"l": [1, 3]}), &[("l[1]", Some("2"), None)]);
    }
}
