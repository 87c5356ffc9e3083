//! A crate depends only on crates above it in the table of ARCHITECTURE.md, and only the gate names the store.

use super::{Finding, Source};

/// The crates from the ground up: each may use those before it.
const LAYERS: &[&str] = &[
    "fhir",
    "fhirpath",
    "hl7v2",
    "clinical",
    "validate",
    "quality",
    "search",
    "db",
    "keys",
    "egress",
    "store",
    "privacy",
    "gate",
    "notify",
    "views",
    "govern",
    "stream",
    "etl",
    "population",
    "synth",
    "ui",
    "server",
    "salus",
];

/// Crates that only tests and developers use; anyone may name them in `[dev-dependencies]`.
const DEVELOPER_CRATES: &[&str] = &["testkit", "xtask"];

/// Who may name the crate `store` in `[dependencies]`.
const STORE_HOLDERS: &[&str] = &["gate"];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let Some(name) = crate_of(&source.path) else { continue };
        if DEVELOPER_CRATES.contains(&name) {
            continue;
        }
        let Some(own) = level(name) else {
            findings
                .push(Finding::new(&source.path, format!("crate `{name}` has no place in the layer table")));
            continue;
        };
        for used in dependencies(&source.text) {
            if DEVELOPER_CRATES.contains(&used) {
                findings.push(Finding::new(&source.path, format!("`{used}` belongs in [dev-dependencies]")));
            } else if level(used).is_some_and(|theirs| theirs >= own) {
                findings.push(Finding::new(
                    &source.path,
                    format!("`{name}` may not depend on `{used}`, which is above it"),
                ));
            } else if used == "store" && !STORE_HOLDERS.contains(&name) {
                findings.push(Finding::new(
                    &source.path,
                    format!("`{name}` names `store`: only the gate holds it"),
                ));
            }
        }
    }
    findings
}

fn level(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml").filter(|name| !name.contains('/'))
}

/// Names in `[dependencies]`, as the code spells them.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&[Source { path: path.into(), text: text.into() }]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_upward_dependency_is_found() {
        let manifest =
            "[dependencies]\nserver.workspace = true\n\n[dev-dependencies]\ntestkit.workspace = true\n";
        assert_eq!(
            findings("crates/store/Cargo.toml", manifest),
            ["crates/store/Cargo.toml: `store` may not depend on `server`, which is above it"]
        );
    }

    #[test]
    fn only_the_gate_names_the_store() {
        assert_eq!(findings("crates/server/Cargo.toml", "[dependencies]\nstore.workspace = true\n").len(), 1);
        assert_eq!(findings("crates/gate/Cargo.toml", "[dependencies]\nstore.workspace = true\n").len(), 0);
    }
}
