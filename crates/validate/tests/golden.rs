//! Golden cases: a title, a resource, and the issues it gives; one passing and one failing resource per rule.
#![allow(clippy::unwrap_used, reason = "a test: a broken expectation may panic")]

use fhir::{Resource, json::Limits};
use validate::{Level, check};

/// One line per issue; `Basic` when that level finds it too.
fn answer(case: &str) -> String {
    let json = case.split_once('\n').expect("a case is a title and a resource").1;
    let resource = Resource::parse(json.as_bytes(), &Limits::default()).unwrap();
    let basic = check(&resource, Level::Basic);
    let full = check(&resource, Level::Full);
    assert!(
        basic.iter().all(|issue| full.contains(issue)),
        "the full level finds what the basic one does: {case}"
    );
    full.iter()
        .map(|issue| {
            let level = if basic.contains(issue) { "Basic" } else { "Full" };
            let place = issue.expression.as_deref().expect("every issue has a place");
            format!("{level} {} {} {place}: {}\n", issue.severity.code(), issue.slug, issue.diagnostics)
        })
        .collect()
}

#[test]
fn golden_cases_are_answered() {
    let n_cases = testkit::cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases/rules"), answer);
    assert!(n_cases > 60, "only {n_cases} cases");
}
