//! Words that mean unfinished work, and tests that are switched off.

use super::{Finding, Source};

/// Split so that this file does not find itself.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];
const SWITCHED_OFF: &str = concat!("#[ig", "nore");

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust() || source.is_markdown()) {
        for (index, line) in source.text.lines().enumerate() {
            let place = || format!("{}:{}", source.path, index + 1);
            for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                findings.push(Finding::new(
                    place(),
                    format!("`{word}`: finish it or say in the docs that it is not supported"),
                ));
            }
            if source.is_rust() && line.contains(SWITCHED_OFF) {
                findings.push(Finding::new(place(), "a test that is switched off"));
            }
        }
    }
    findings
}
