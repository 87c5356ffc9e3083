//! The official validator cases that need the core definitions only: valid stays valid, and what is wrong is found at its place.
//!
//! XML is not supported, so cases in XML are left out and counted.

use std::collections::BTreeMap;

use testkit::shared_data;

use crate::support::{compare, errors_of, files_below, shown};

#[test]
fn official_validator_cases_are_answered() {
    let Some(folder) = shared_data("validator-core-cases.tar.zst") else { return };
    let files = files_below(&folder);
    let file = |name: &str| {
        let path = files.iter().find(|path| path.ends_with(name));
        std::fs::read(path.unwrap_or_else(|| panic!("{name} is in the archive"))).unwrap()
    };
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&file("cases.json")).unwrap();
    let mut wrong = BTreeMap::new();
    let (mut n_right, mut n_xml) = (0, 0);
    for case in &cases {
        let name = case["file"].as_str().unwrap();
        if name.ends_with(".xml") {
            n_xml += 1;
            continue;
        }
        let issues = errors_of(&file(&format!("files/{name}")));
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
