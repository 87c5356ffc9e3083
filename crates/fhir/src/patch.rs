//! JSON Patch (RFC 6902) on checked JSON: numbers keep their text, what is copied is bounded. Knows nothing of resources.

mod apply;
mod pointer;
mod prune;

use std::fmt;

use crate::Value;
use pointer::Pointer;

pub use prune::{has_empty, prune};

/// Most operations of one patch, of either kind.
pub const OPS_MAX: usize = 1_000;

/// Why a patch cannot be read or applied, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    /// Position of the operation, from 0; `None` when the patch itself is wrong.
    pub operation: Option<usize>,
    /// What it does and where, in the caller's words: `replace` at `/name/0`.
    pub place: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl PatchError {
    /// Of the patch as a whole.
    pub fn whole(problem: impl Into<String>) -> PatchError {
        PatchError { operation: None, place: String::new(), problem: problem.into() }
    }

    /// Of one operation; `path` is shortened.
    pub fn at(operation: usize, op: &str, path: &str, problem: impl Into<String>) -> PatchError {
        let shown: String = path.chars().take(128).collect();
        let place = if op.is_empty() { String::new() } else { format!(" (`{op}` at `{shown}`)") };
        PatchError { operation: Some(operation), place, problem: problem.into() }
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation {
            Some(at) => write!(f, "operation {at}{}: {}", self.place, self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for PatchError {}

/// A JSON Patch: operations that are done in order, all or none.
///
/// ```
/// use fhir::{json, patch::JsonPatch};
/// let patch = JsonPatch::parse(json!([{"op": "replace", "path": "/active", "value": false}])).unwrap();
/// let mut patient = json!({"resourceType": "Patient", "active": true});
/// patch.apply(&mut patient).unwrap();
/// assert_eq!(patient.to_text(), r#"{"resourceType":"Patient","active":false}"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct JsonPatch {
    ops: Vec<Op>,
    /// Lists and objects that end up empty are left out, unless the patch itself sends empty ones: those are mistakes to be told.
    prunes: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct Op {
    path: Pointer,
    change: Change,
}

#[derive(Clone, PartialEq, Eq)]
enum Change {
    Add(Value),
    Remove,
    Replace(Value),
    Move(Pointer),
    Copy(Pointer),
    Test(Value),
}

impl Change {
    fn name(&self) -> &'static str {
        match self {
            Change::Add(_) => "add",
            Change::Remove => "remove",
            Change::Replace(_) => "replace",
            Change::Move(_) => "move",
            Change::Copy(_) => "copy",
            Change::Test(_) => "test",
        }
    }
}

/// Patient data does not print.
impl fmt::Debug for JsonPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "patch({} operations)", self.ops.len())
    }
}

impl JsonPatch {
    /// Reads a list of operations. Members that RFC 6902 does not know are passed over, as it asks.
    pub fn parse(value: Value) -> Result<JsonPatch, PatchError> {
        let Value::Array(sent) = value else {
            return Err(PatchError::whole("a JSON Patch is a list of operations"));
        };
        if sent.len() > OPS_MAX {
            return Err(PatchError::whole(format!("a patch has at most {OPS_MAX} operations: send several")));
        }
        let ops: Result<Vec<Op>, PatchError> =
            sent.into_iter().enumerate().map(|(at, op)| op_of(at, op)).collect();
        let ops = ops?;
        let prunes = !ops.iter().any(|op| match &op.change {
            Change::Add(value) | Change::Replace(value) => prune::has_empty(value),
            _ => false,
        });
        Ok(JsonPatch { ops, prunes })
    }

    /// Does the operations in order; at the first that cannot be done `target` is left half changed, so patch a copy.
    pub fn apply(&self, target: &mut Value) -> Result<(), PatchError> {
        let mut copies_left = apply::COPIED_VALUES_MAX;
        for (at, op) in self.ops.iter().enumerate() {
            apply::one(target, op, &mut copies_left)
                .map_err(|problem| PatchError::at(at, op.change.name(), op.path.text(), problem))?;
        }
        if self.prunes {
            prune::prune(target);
        }
        Ok(())
    }

    /// The values that it sends, with the last name of where they go.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.ops.iter().filter_map(|op| match &op.change {
            Change::Add(value) | Change::Replace(value) => Some((op.path.last(), value)),
            Change::Remove | Change::Move(_) | Change::Copy(_) | Change::Test(_) => None,
        })
    }
}

fn op_of(at: usize, mut sent: Value) -> Result<Op, PatchError> {
    let wrong = |problem: String| PatchError::at(at, "", "", problem);
    if sent.as_object().is_none() {
        return Err(wrong(format!("it is an object with `op` and `path`, this is {}", sent.type_name())));
    }
    let need = |name: &str, sent: &Value| match sent.get(name) {
        Some(Value::String(text)) => Ok(text.to_string()),
        Some(other) => Err(wrong(format!("`{name}` is a string, this is {}", other.type_name()))),
        None => Err(wrong(format!("`{name}` is missing"))),
    };
    let (name, path) = (need("op", &sent)?, need("path", &sent)?);
    let wrong = |problem: String| PatchError::at(at, &name, &path, problem);
    let pointer = |text: &str| {
        Pointer::parse(text).ok_or_else(|| {
            wrong("a path is empty or begins with `/`; `~` is written `~0` and `/` is written `~1`".into())
        })
    };
    let from = |sent: &Value| pointer(&need("from", sent)?);
    let mut value = || {
        let value = sent.get_mut("value").map(Value::take);
        value.ok_or_else(|| wrong("`value` is missing".into()))
    };
    let change = match name.as_str() {
        "add" => Change::Add(value()?),
        "remove" => Change::Remove,
        "replace" => Change::Replace(value()?),
        "test" => Change::Test(value()?),
        "move" => Change::Move(from(&sent)?),
        "copy" => Change::Copy(from(&sent)?),
        _ => return Err(wrong("use `add`, `remove`, `replace`, `move`, `copy` or `test`".into())),
    };
    Ok(Op { path: pointer(&path)?, change })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    fn parsed(text: &str) -> Value {
        json::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    /// What a patch makes of a document, or why not.
    fn check(document: &str, patch: &str, expected: &str) {
        let mut value = parsed(document);
        let answer = JsonPatch::parse(parsed(patch)).and_then(|patch| patch.apply(&mut value));
        let answer = answer.map_or_else(|error| error.to_string(), |()| value.to_text());
        assert_eq!(answer, expected, "{patch}");
    }

    #[test]
    fn the_examples_of_the_rfc() {
        check(
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        );
        check(
            r#"{"foo":["bar","baz"]}"#,
            r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            r#"{"foo":["bar","qux","baz"]}"#,
        );
        check(r#"{"baz":"qux","foo":"bar"}"#, r#"[{"op":"remove","path":"/baz"}]"#, r#"{"foo":"bar"}"#);
        check(r#"{"foo":["a","b","c"]}"#, r#"[{"op":"remove","path":"/foo/1"}]"#, r#"{"foo":["a","c"]}"#);
        check(r#"{"baz":"qux"}"#, r#"[{"op":"replace","path":"/baz","value":"boo"}]"#, r#"{"baz":"boo"}"#);
        check(
            r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
        );
        check(
            r#"{"foo":["all","grass","cows","eat"]}"#,
            r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            r#"{"foo":["all","cows","eat","grass"]}"#,
        );
        let two = r#"{"baz":"qux","foo":["a",2,"c"]}"#;
        let test = r#"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#;
        check(two, test, two);
        check(
            r#"{"foo":["bar"]}"#,
            r#"[{"op":"add","path":"/foo/-","value":["abc"]}]"#,
            r#"{"foo":["bar",["abc"]]}"#,
        );
        check(r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":10}]"#, r#"{"/":9,"~1":10}"#);
        check(r#"{"a":1}"#, r#"[{"op":"copy","from":"/a","path":"/b","xyz":3}]"#, r#"{"a":1,"b":1}"#);
        check(r#"{"a":1}"#, r#"[{"op":"replace","path":"","value":{"b":2}}]"#, r#"{"b":2}"#);
    }

    #[test]
    fn numbers_keep_their_text_and_are_compared_as_numbers() {
        check(
            r#"{"a":1.50}"#,
            r#"[{"op":"test","path":"/a","value":1.5},{"op":"add","path":"/b","value":2.500}]"#,
            r#"{"a":1.50,"b":2.500}"#,
        );
        let failed = "operation 0 (`test` at `/a`): another value is there";
        check(r#"{"a":1.50}"#, r#"[{"op":"test","path":"/a","value":1.51}]"#, failed);
        check(r#"{"a":"1"}"#, r#"[{"op":"test","path":"/a","value":1}]"#, failed);
    }

    #[test]
    fn what_cannot_be_done_names_its_place() {
        let nothing = |op: &str| format!("operation 0 (`{op}` at `/b`): nothing is there");
        check(r#"{"a":1}"#, r#"[{"op":"remove","path":"/b"}]"#, &nothing("remove"));
        check(r#"{"a":1}"#, r#"[{"op":"replace","path":"/b","value":1}]"#, &nothing("replace"));
        check(r#"{"a":1}"#, r#"[{"op":"test","path":"/b","value":null}]"#, &nothing("test"));
        check(
            r#"{"a":1}"#,
            r#"[{"op":"move","from":"/c","path":"/b"}]"#,
            "operation 0 (`move` at `/b`): nothing is at `/c`",
        );
        check(
            r#"{"a":{"b":1}}"#,
            r#"[{"op":"move","from":"/a","path":"/a/b"}]"#,
            "operation 0 (`move` at `/a/b`): it cannot be moved into itself",
        );
        let outside = "operation 1 (`add` at `/a/3`): the list has 2 items: use `-` for its end";
        check(
            r#"{"a":[1]}"#,
            r#"[{"op":"add","path":"/a/1","value":1},{"op":"add","path":"/a/3","value":1}]"#,
            outside,
        );
        check(
            r#"{"a":[1]}"#,
            r#"[{"op":"add","path":"/a/01","value":1}]"#,
            "operation 0 (`add` at `/a/01`): `01` is no position in a list",
        );
        check(
            r#"{"a":1}"#,
            r#"[{"op":"add","path":"/b/c","value":1}]"#,
            "operation 0 (`add` at `/b/c`): what it should be part of is not there",
        );
    }

    #[test]
    fn what_is_no_patch_is_told_apart() {
        check("{}", "{}", "a JSON Patch is a list of operations");
        check("{}", "[7]", "operation 0: it is an object with `op` and `path`, this is number");
        check("{}", r#"[{"op":"add","value":1}]"#, "operation 0: `path` is missing");
        check("{}", r#"[{"op":"add","path":"/a"}]"#, "operation 0 (`add` at `/a`): `value` is missing");
        let unknown = "operation 0 (`put` at `/a`): use `add`, `remove`, `replace`, `move`, `copy` or `test`";
        check("{}", r#"[{"op":"put","path":"/a"}]"#, unknown);
        let path = "a path is empty or begins with `/`; `~` is written `~0` and `/` is written `~1`";
        check("{}", r#"[{"op":"remove","path":"a"}]"#, &format!("operation 0 (`remove` at `a`): {path}"));
        check(
            "{}",
            r#"[{"op":"remove","path":"/a~2"}]"#,
            &format!("operation 0 (`remove` at `/a~2`): {path}"),
        );
    }

    #[test]
    fn what_is_emptied_is_left_out_and_what_is_sent_empty_is_not() {
        check(r#"{"a":[{"b":1}],"c":1}"#, r#"[{"op":"remove","path":"/a/0/b"}]"#, r#"{"c":1}"#);
        check(
            r#"{"a":["x"]}"#,
            r#"[{"op":"remove","path":"/a/0"},{"op":"add","path":"/a/0","value":"y"}]"#,
            r#"{"a":["y"]}"#,
        );
        check(
            r#"{"g":["x","y"],"_g":[{"id":"1"},{"id":"2"}]}"#,
            r#"[{"op":"remove","path":"/_g/0/id"}]"#,
            r#"{"g":["x","y"],"_g":[null,{"id":"2"}]}"#,
        );
        check("{}", r#"[{"op":"add","path":"/a","value":[]}]"#, r#"{"a":[]}"#);
    }

    #[test]
    fn copies_do_not_grow_without_end() {
        let doubling: Vec<String> =
            (0..30).map(|n| format!(r#"{{"op":"copy","from":"","path":"/a{n}"}}"#)).collect();
        let mut value = parsed(r#"{"a":[1,2,3,4,5,6,7,8]}"#);
        let patch = JsonPatch::parse(parsed(&format!("[{}]", doubling.join(",")))).unwrap();
        let error = patch.apply(&mut value).unwrap_err().to_string();
        assert!(error.contains("copies more than 100000 values"), "{error}");
        let deeper: Vec<String> = (0..200).map(|_| r#"{"op":"copy","from":"","path":"/a"}"#.into()).collect();
        let mut value = parsed(r#"{"b":1}"#);
        let patch = JsonPatch::parse(parsed(&format!("[{}]", deeper.join(",")))).unwrap();
        let error = patch.apply(&mut value).unwrap_err().to_string();
        assert!(error.contains("nested deeper than 100"), "{error}");
    }
}
