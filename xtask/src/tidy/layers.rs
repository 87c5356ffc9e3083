//! A crate depends only on crates above it in the table of ARCHITECTURE.md, and only the gate depends on the store.

use super::{Finding, Source};

const TABLE: &str = "ARCHITECTURE.md";

/// Crates that only tests and developers use; anyone may name them in `[dev-dependencies]`.
const DEVELOPER_CRATES: &[&str] = &["testkit", "xtask"];

/// The only crate that holds a `Store`. Others only with a line in ARCHITECTURE.md that begins with [`EXCEPTION`], names the crate and its
/// files in backticks and says why.
const STORE_HOLDER: &str = "gate";
const EXCEPTION: &str = "**Exception: one door.**";

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(page) = sources.iter().find(|source| source.path == TABLE) else {
        return vec![Finding::new(TABLE, "the page is missing")];
    };
    let layers: Vec<&str> = page.text.lines().filter_map(row).collect();
    let mut findings = Vec::new();
    for source in sources {
        let Some(name) = crate_of(&source.path) else { continue };
        let Some(own) = layers.iter().position(|layer| *layer == name) else {
            findings
                .push(Finding::new(&source.path, format!("crate `{name}` is not in the table of {TABLE}")));
            continue;
        };
        if DEVELOPER_CRATES.contains(&name) {
            continue;
        }
        for used in dependencies(&source.text) {
            let above = layers.iter().position(|layer| *layer == used);
            let problem = if DEVELOPER_CRATES.contains(&used) {
                format!("`{used}` belongs in [dev-dependencies]")
            } else if above.is_some_and(|above| above >= own) {
                format!("`{name}` may not depend on `{used}`, which is not above it in {TABLE}")
            } else if used == "store" && name != STORE_HOLDER && !is_excepted(&page.text, name) {
                format!("`{name}` depends on `store`: only the gate holds it, use what `gate` re-exports")
            } else {
                continue;
            };
            findings.push(Finding::new(&source.path, problem));
        }
    }
    findings.extend(sources.iter().filter_map(|source| names_store(&page.text, source)));
    for layer in layers.iter().filter(|layer| !DEVELOPER_CRATES.contains(layer)) {
        let manifest = format!("crates/{layer}/Cargo.toml");
        if !sources.iter().any(|source| source.path == manifest) {
            findings.push(Finding::new(TABLE, format!("the table names `{layer}`, which does not exist")));
        }
    }
    findings
}

/// The crate of a row such as ``| [`fhir`](crates/fhir) | ...``.
fn row(line: &str) -> Option<&str> {
    line.strip_prefix("| [`")?
        .split_once("`](")
        .filter(|(_, rest)| rest.starts_with("crates/") || rest.starts_with("xtask"))
        .map(|(name, _)| name)
}

/// A file that uses the store, in a crate that may, but not in this file.
fn names_store(page: &str, source: &Source) -> Option<Finding> {
    let (name, file) = source.path.strip_prefix("crates/")?.split_once("/src/")?;
    let uses = source.text.lines().any(|line| line.trim_start().starts_with("use store::"));
    let free = [STORE_HOLDER, "store"].contains(&name) || !is_excepted(page, name) || is_excepted(page, file);
    (uses && !free)
        .then(|| Finding::new(&source.path, format!("uses `store`, which {TABLE} allows elsewhere only")))
}

fn is_excepted(page: &str, name: &str) -> bool {
    page.lines().any(|line| line.starts_with(EXCEPTION) && line.contains(&format!("`{name}`")))
}

fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml").filter(|name| !name.contains('/'))
}

/// Names in `[dependencies]`, `[build-dependencies]` and those of a target, as the code spells them.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            inside = line.contains("dependencies") && !line.contains("dev-dependencies");
            return None;
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or("");
        (inside && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(name: &str, manifest: &str, more: &str) -> Vec<String> {
        let table =
            ["fhir", "store", "gate", "server"].map(|name| format!("| [`{name}`](crates/{name}) | job |\n"));
        let mut sources = vec![Source { path: TABLE.into(), text: table.concat() + more }];
        for layer in ["fhir", "store", "gate", "server"] {
            let text = if layer == name { manifest } else { "" };
            sources.push(Source { path: format!("crates/{layer}/Cargo.toml"), text: text.into() });
        }
        check(&sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_upward_dependency_is_found() {
        let manifest = "[dependencies]\nserver.workspace = true\nfhir.workspace = true\n\n[dev-dependencies]\ngate.workspace = true\n";
        assert_eq!(
            check_one("store", manifest, ""),
            [
                "crates/store/Cargo.toml: `store` may not depend on `server`, which is not above it in ARCHITECTURE.md"
            ]
        );
    }

    #[test]
    fn only_the_gate_depends_on_the_store() {
        let manifest = "[dependencies]\nstore.workspace = true\n";
        assert_eq!(check_one("server", manifest, "").len(), 1);
        assert_eq!(
            check_one("server", manifest, "**Exception: one door.** `server` does, because ...\n").len(),
            0
        );
        assert_eq!(check_one("gate", manifest, "").len(), 0);
    }

    #[test]
    fn an_exception_is_for_the_files_it_names() {
        let page = "**Exception: one door.** `server` names `store` in `bench/store.rs`: it measures.\n";
        let found = |path: &str| {
            names_store(page, &Source { path: path.into(), text: "use store::Store;\n".into() }).is_some()
        };
        assert!(found("crates/server/src/read.rs"));
        assert!(!found("crates/server/src/bench/store.rs") && !found("crates/gate/src/lib.rs"));
    }

    #[test]
    fn table_and_folders_name_the_same_crates() {
        assert_eq!(
            check_one("fhir", "", "| [`etl`](crates/etl) | job |\n"),
            ["ARCHITECTURE.md: the table names `etl`, which does not exist"]
        );
    }
}
