//! All official examples and definitions of R4 are valid, but for those that truly are not.

use std::collections::BTreeMap;

use crate::support::{compare, errors_of, r4_package, shown};

#[test]
fn official_resources_are_valid() {
    let Some(folder) = r4_package() else { return };
    let mut wrong = BTreeMap::new();
    let mut n_resources = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        // The manifest and the index of the package are no resources.
        if !name.ends_with(".json") || name == "package.json" || name.starts_with('.') {
            continue;
        }
        n_resources += 1;
        let issues = errors_of(&std::fs::read(entry.path()).unwrap());
        if !issues.is_empty() {
            let lines: Vec<String> = issues.iter().take(3).map(shown).collect();
            wrong.insert(name, format!("{} issues: {}", issues.len(), lines.join("; ")));
        }
    }
    assert!(n_resources > 5000, "only {n_resources} resources");
    compare(include_str!("../../cases/known_wrong_examples.txt"), &wrong);
}
