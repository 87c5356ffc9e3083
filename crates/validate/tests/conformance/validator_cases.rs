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
    let (xml, json): (Vec<_>, Vec<_>) = cases.iter().partition(|case| text(case, "file").ends_with(".xml"));
    let mut wrong = BTreeMap::new();
    for case in &json {
        let issues = errors_of(&file(&format!("files/{}", text(case, "file"))));
        if let Some(difference) = difference(case, &issues) {
            wrong.insert(text(case, "name").to_owned(), difference);
        }
    }
    println!("{} cases in JSON, {} known to differ, {} in XML left out", json.len(), wrong.len(), xml.len());
    compare(include_str!("../../cases/known_wrong.txt"), &wrong);
}

fn text<'a>(case: &'a serde_json::Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

/// What differs between the expected answer and the issues found.
fn difference(case: &serde_json::Value, issues: &[fhir::Issue]) -> Option<String> {
    let found = issues.iter().map(shown).collect::<Vec<_>>().join("; ");
    if case["expect_errors"] == 0 {
        return (!issues.is_empty()).then(|| format!("is valid, found {found}"));
    }
    let places: Vec<String> = case["error_at"].as_array().unwrap().iter().map(place_of).collect();
    let is_same = issues.iter().any(|issue| is_at(issue, &places));
    (!is_same).then(|| format!("is wrong at {places:?} ({}); found {found:?}", case["error_text"]))
}

/// Is it at one of the places, or one element below: the reference validator names what a missing or wrong element is in.
fn is_at(issue: &fhir::Issue, places: &[String]) -> bool {
    let own = issue.expression.as_deref().unwrap_or("");
    let parent = own.rsplit_once('.').map_or("", |(parent, _)| parent);
    places.iter().any(|place| place == own || place == parent)
}

/// `Bundle.entry[0].resource/*Patient/1*/.name` is `Bundle.entry[0].resource.name` here, and `value.ofType(Quantity)` is `value`.
fn place_of(place: &serde_json::Value) -> String {
    let mut place = place.as_str().unwrap().to_owned();
    for (start, end) in [("/*", "*/"), (".ofType(", ")")] {
        while let Some(from) = place.find(start) {
            let to = place[from..].find(end).unwrap() + from + end.len();
            place.replace_range(from..to, "");
        }
    }
    place
}
