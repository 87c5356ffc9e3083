//! Finds published data, and lists what is known to differ from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fhir::{Issue, Resource, json::Limits};
use validate::{Level, check};

/// The official R4 package, unpacked; `None` when it is not there, which is said aloud.
pub(crate) fn r4_package() -> Option<PathBuf> {
    let cache = || {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
        cache.join("salus/r4/package")
    };
    let folder = std::env::var_os("SALUS_R4_PACKAGE").map_or_else(cache, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("not checked: the official R4 package is not at {} (`./test` fetches it)", folder.display());
    None
}

/// All files below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

/// All errors of a JSON text, those of reading included, and rules that could not be checked.
pub(crate) fn errors_of(bytes: &[u8]) -> Vec<Issue> {
    let mut issues = match Resource::parse(bytes, &Limits::default()) {
        Ok(resource) => check(&resource, Level::Full),
        Err(issues) => issues,
    };
    // A rule that cannot be evaluated is a defect here, whatever the data.
    issues.retain(|issue| issue.is_error() || issue.slug == "rule-not-checked");
    issues
}

/// A line for people.
pub(crate) fn shown(issue: &Issue) -> String {
    format!("{} {}: {}", issue.slug, issue.expression.as_deref().unwrap_or("-"), issue.diagnostics)
}

/// `name: reason` per line. What is not in the list must be right, and what is in it must be wrong.
pub(crate) fn compare(list: &str, wrong: &BTreeMap<String, String>) {
    let known: BTreeMap<&str, &str> = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(": ").expect("a line is `name: reason`"))
        .collect();
    let mut text = String::new();
    for (name, what) in wrong.iter().filter(|(name, _)| !known.contains_key(name.as_str())) {
        text.push_str(&format!("{name}: {what}\n"));
    }
    for name in known.keys().filter(|name| !wrong.contains_key(**name)) {
        text.push_str(&format!("{name}: is right now, take it out of the list\n"));
    }
    assert!(text.is_empty(), "{text}");
}
