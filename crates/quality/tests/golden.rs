//! Golden cases: a title, a resource, and its score at 2026-01-01 with the rules that fail. Every rule fails in one of them.
#![allow(clippy::unwrap_used, reason = "a test: a broken expectation may panic")]

use std::collections::BTreeSet;
use std::fmt::Write;

use fhir::{Instant, Kind, Resource, json::Limits};
use quality::{Dimension, QualityScore, score};

fn shown(quality: &QualityScore) -> String {
    let overall =
        quality.overall_thousandths.map_or("not assessed".into(), |thousandths| thousandths.to_string());
    let mut text = format!("{overall}:");
    for dimension in Dimension::ALL {
        if let Some(fraction) = quality.of(dimension) {
            write!(text, " {} {fraction}", dimension.name()).unwrap();
        }
    }
    for failure in &quality.failures {
        write!(text, "\n{} {} {}: {}", failure.dimension.name(), failure.rule, failure.place, failure.text)
            .unwrap();
    }
    text
}

#[test]
fn golden_cases_are_answered() {
    let now = Instant::parse("2026-01-01T00:00:00Z").unwrap();
    let mut failed = BTreeSet::new();
    testkit::cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"), |case| {
        let (title, json) = case.split_once('\n').expect("a case is a title and a resource");
        let quality = score(&Resource::parse(json.as_bytes(), &Limits::default()).unwrap(), now);
        failed.extend(quality.failures.iter().map(|failure| failure.rule));
        assert!(!title.ends_with("in order") || quality.failures.is_empty(), "{title}: {}", shown(&quality));
        shown(&quality)
    });
    let never: Vec<&str> = Kind::all()
        .flat_map(quality::rules)
        .map(|rule| rule.rule)
        .filter(|rule| !failed.contains(rule))
        .collect();
    assert!(never.is_empty(), "no case fails {never:?}");
}

#[test]
fn rules_have_names_of_their_own() {
    for kind in Kind::all() {
        let names: Vec<&str> = quality::rules(kind).map(|rule| rule.rule).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{kind}");
    }
}
