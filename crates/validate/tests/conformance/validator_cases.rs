//! The official validator cases that need the core definitions only: valid stays valid, and what is wrong is found at its place.
//!
//! XML is not supported, so cases in XML are left out and counted.

use std::collections::BTreeMap;

use crate::support::{compare, errors_of, shared, shown};

#[test]
fn official_validator_cases_are_answered() {
    let Some(files) = shared("validator-core-cases") else { return };
    let file = |end: &str| {
        let found = files.iter().find(|(path, _)| path.ends_with(end));
        &found.unwrap_or_else(|| panic!("{end} is in the archive")).1
    };
    let cases: Vec<serde_json::Value> = serde_json::from_slice(file("/cases.json")).unwrap();
    let mut wrong = BTreeMap::new();
    let (mut n_right, mut n_xml) = (0, 0);
    for case in &cases {
        let name = case["file"].as_str().unwrap();
        if name.ends_with(".xml") {
            n_xml += 1;
            continue;
        }
        let issues = errors_of(file(&format!("/files/{name}")));
        let found = issues.iter().map(shown).collect::<Vec<_>>().join("; ");
        let expected = case["expect_errors"].as_u64().unwrap();
        let text = match (expected == 0, issues.is_empty()) {
            (true, false) => format!("is valid, found {found}"),
            (false, true) => {
                format!("is wrong, nothing found; expected {} at {}", case["error_text"], case["error_at"])
            }
            _ => {
                n_right += 1;
                continue;
            }
        };
        wrong.insert(case["name"].as_str().unwrap().to_owned(), text);
    }
    println!("{n_right} cases right, {} known to differ, {n_xml} in XML left out", wrong.len());
    compare(include_str!("../../cases/known_wrong.txt"), &wrong);
}
