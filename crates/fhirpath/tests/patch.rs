//! The official cases of FHIRPath Patch: a name, a resource, a patch, and the patched resource with sorted keys (`cases/patch/README.md`).

use std::collections::BTreeMap;

use fhir::json::{self, Limits};
use fhir::{Object, Resource, Value};
use fhirpath::Patch;

/// 33 of R4, and 3 that only R5's file has so.
const CASES: usize = 36;

#[test]
fn official_cases_of_patches() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/patch");
    assert_eq!(testkit::cases(folder, answer), CASES);
}

fn answer(case: &str) -> String {
    let mut lines = case.lines().skip(1);
    let mut line = || lines.next().expect("a name, a resource and a patch").as_bytes();
    let resource = Resource::parse(line(), &Limits::default()).expect("a case has a resource");
    let patch = json::parse(line(), &Limits::default()).expect("a case has a patch");
    match Patch::parse(patch).and_then(|patch| patch.apply(&resource)) {
        Ok(patched) => sorted(patched.value()).to_text(),
        Err(issues) => format!("refused: {}", issues[0].diagnostics),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let members: BTreeMap<&str, Value> =
                object.iter().map(|(name, member)| (name, sorted(member))).collect();
            let mut object = Object::new();
            members.into_iter().for_each(|(name, member)| drop(object.insert(name, member)));
            Value::Object(object)
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
