//! Finds published data, and lists what is known to differ from it.

use std::collections::BTreeMap;
use std::io::Read;
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
    present(folder, "the official R4 package")
}

/// Files of an archive of the shared data folder: path and content.
pub(crate) fn shared(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("SALUS_SHARED_DATA").map_or_else(default, PathBuf::from);
    let path = present(folder.join(format!("{name}.tar.zst")), name)?;
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.push((path, bytes));
        }
    }
    Some(files)
}

fn present(path: PathBuf, what: &str) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    println!("not checked: {what} is not at {}", path.display());
    None
}

/// All errors of a JSON text, those of reading included.
pub(crate) fn errors_of(bytes: &[u8]) -> Vec<Issue> {
    let mut issues = match Resource::parse(bytes, &Limits::default()) {
        Ok(resource) => check(&resource, Level::Full),
        Err(issues) => issues,
    };
    issues.retain(Issue::is_error);
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
