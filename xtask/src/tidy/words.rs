//! Words that mean unfinished work, tests that are switched off, and folders of somebody's machine.

use super::{Finding, Source};

/// Split so that this file does not find itself.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];
/// Folders of the machine a thing was made on; they mean nothing elsewhere.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/tmp/", "wt"), concat!("/tmp/", "data"), concat!("/tmp/", "r4")];
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
            if MACHINE_PATHS.iter().any(|path| line.contains(path)) {
                findings.push(Finding::new(place(), "a folder of somebody's machine"));
            }
            if source.is_rust() && line.contains(SWITCHED_OFF) {
                findings.push(Finding::new(place(), "a test that is switched off"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_with_its_line() {
        let check = |text: String, expected: &[&str]| {
            let findings = check(&[Source { path: "a.rs".into(), text }]);
            assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        };
        let unfinished =
            format!("a.rs:2: `{}`: finish it or say in the docs that it is not supported", UNFINISHED[0]);
        check(format!("fine\n// {}", UNFINISHED[0]), &[&unfinished]);
        check(format!("{SWITCHED_OFF}]"), &["a.rs:1: a test that is switched off"]);
        check(format!("see {}main", MACHINE_PATHS[0]), &["a.rs:1: a folder of somebody's machine"]);
        check("fine".into(), &[]);
    }
}
