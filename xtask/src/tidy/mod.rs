//! Checks the rules of the house that a machine can check: layers, sizes, opening lines, links, generated files, words.

pub(crate) mod generated;
mod layers;
mod links;
mod sizes;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One broken rule and the place where it is broken.
pub(crate) struct Finding {
    place: String,
    problem: String,
}

impl Finding {
    fn new(place: impl fmt::Display, problem: impl Into<String>) -> Self {
        Self { place: place.to_string(), problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.problem)
    }
}

/// A text file of the project, as git knows it.
struct Source {
    /// Path from the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
    fn is_markdown(&self) -> bool {
        self.path.ends_with(".md")
    }
    /// Code that ships: not a test, bench, example or fuzz target.
    fn is_shipped_rust(&self) -> bool {
        self.is_rust()
            && self.path.contains("/src/")
            && !["/tests/", "/benches/", "/examples/"].iter().any(|part| self.path.contains(part))
            && !self.path.starts_with("fuzz/")
    }
}

/// Runs every check on the tree at `root`.
///
/// # Errors
/// When git cannot list the files or one of them cannot be read.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let sources = sources(root)?;
    let mut findings = Vec::new();
    findings.extend(layers::check(&sources));
    findings.extend(sizes::check(&sources));
    findings.extend(links::check(root, &sources));
    findings.extend(words::check(&sources));
    findings.extend(generated::check(root)?);
    Ok(findings)
}

fn sources(root: &Path) -> anyhow::Result<Vec<Source>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    anyhow::ensure!(listing.status.success(), "git cannot list the files of {}", root.display());
    let mut sources = Vec::new();
    for path in String::from_utf8(listing.stdout)?.split('\0').filter(|path| !path.is_empty()) {
        let Ok(bytes) = std::fs::read(root.join(path)) else { continue }; // deleted but not yet committed
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path: path.to_owned(), text });
        }
    }
    Ok(sources)
}

/// The workspace root, two levels above this crate's manifest or one, whichever holds `Cargo.lock`. Cargo says where the crate is now: one
/// build folder may serve several checkouts.
pub(crate) fn root() -> PathBuf {
    let built_in = || PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(built_in, PathBuf::from);
    here.ancestors().find(|dir| dir.join("Cargo.lock").exists()).unwrap_or(&here).to_path_buf()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_keeps_the_rules_of_the_house() {
        let findings = super::check(&super::root()).unwrap();
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{} broken rules:\n{}", findings.len(), text.join("\n"));
    }
}
