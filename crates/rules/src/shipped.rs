//! The rules that come with salus.

use std::sync::LazyLock;

use uuid::Uuid;

use crate::{RuleFile, RuleSet, UsedVersion};

macro_rules! files {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../shipped/", $name)))),*]
    };
}

const FILES: [(&str, &str); 8] = files!(
    "measures.yaml",
    "founding.yaml",
    "adult-ward.yaml",
    "pregnancy.yaml",
    "sensor.yaml",
    "scores.yaml",
    "labs.yaml",
    "medication.yaml"
);

/// Versions that were released: name, version, hash.
const VERSIONS: &str = include_str!("../shipped/versions.txt");

static SHIPPED: LazyLock<RuleSet> = LazyLock::new(|| match RuleSet::load(&shipped_files(), &[]) {
    Ok(set) => set,
    // A test loads them: a broken file does not reach a release.
    Err(problems) => panic!("the shipped rules are in order: {problems:#?}"),
});

/// What salus released: the same version never says something else, in no file.
pub(crate) fn released() -> Vec<UsedVersion> {
    let line = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let (rule, version) = (words.next()?, words.next()?);
        let hash = Uuid::parse_str(&words.next()?).ok()?;
        Some(UsedVersion { rule, version, hash })
    };
    VERSIONS.lines().filter_map(line).collect()
}

/// The shipped rule files.
pub fn shipped_files() -> Vec<RuleFile> {
    FILES.iter().map(|(path, text)| RuleFile { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

impl RuleSet {
    /// The rules that come with salus, compiled once per process.
    pub fn shipped() -> RuleSet {
        SHIPPED.clone()
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod threshold;
