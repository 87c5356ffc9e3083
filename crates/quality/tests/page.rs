//! The page about quality lists every rule, as the table of rules has them; `SALUS_BLESS=1` writes the list.
#![allow(clippy::unwrap_used, reason = "a test: a broken expectation may panic")]

use std::fmt::Write;

use fhir::Kind;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/quality.md");
const START: &str = "| type | dimension | place | rule | wrong when |\n";

fn rows() -> String {
    // `Appointment` has no rules of its own: what it has is for every type.
    let any: Vec<_> = quality::rules(Kind::named("Appointment")).collect();
    let mut text = format!("{START}|---|---|---|---|---|\n");
    let mut row = |name: &str, rule: &quality::Described| {
        let (dimension, place) = (rule.dimension.name(), rule.place);
        writeln!(text, "| {name} | {dimension} | `{place}` | `{}` | {} |", rule.rule, rule.text).unwrap();
    };
    any.iter().for_each(|rule| row("every type", rule));
    for kind in Kind::all() {
        quality::rules(kind).filter(|rule| !any.contains(rule)).for_each(|rule| row(kind.name(), &rule));
    }
    text
}

#[test]
fn the_page_lists_every_rule() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let head = page.split(START).next().unwrap();
    let expected = format!("{}\n\n{}", head.trim_end(), rows());
    if std::env::var_os("SALUS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(PAGE, &expected).unwrap();
    } else {
        assert!(page == expected, "docs/quality.md is old: SALUS_BLESS=1 cargo test -p salus-quality");
    }
}
