//! The npm package with the official definitions: get it, read it, look a resource up by its canonical address.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

/// The package and the exact version. Despite its name it holds all definitions, not only examples.
const PACKAGE: &str = "hl7.fhir.r4.examples@4.0.1";

/// Kinds of definitions that are read.
const KINDS: &[&str] =
    &["CodeSystem", "CompartmentDefinition", "SearchParameter", "StructureDefinition", "ValueSet"];

/// The definitions of the package.
pub(super) struct Package {
    /// By kind, then by canonical address.
    by_kind: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Package {
    /// Asks `npm` for the package, in a temporary folder that is removed afterwards.
    pub(super) fn download() -> anyhow::Result<Package> {
        let folder = std::env::temp_dir().join(format!("salus-gen-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let package = download_into(&folder).and_then(|()| Package::load(&folder.join("package")));
        std::fs::remove_dir_all(&folder)?;
        package
    }

    /// Reads an unpacked package.
    pub(super) fn load(folder: &Path) -> anyhow::Result<Package> {
        let mut package = Package { by_kind: BTreeMap::new() };
        for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some(kind) = name.split_once('-').map(|(kind, _)| kind) else { continue };
            if KINDS.contains(&kind) && name.ends_with(".json") {
                let value: Value = serde_json::from_slice(&std::fs::read(folder.join(&name))?)
                    .with_context(|| format!("{name} is not JSON"))?;
                // A few files are a manifest of their kind, not a resource.
                if let Some(url) = value["url"].as_str() {
                    let url = url.to_owned();
                    package.by_kind.entry(kind.to_owned()).or_default().insert(url, value);
                }
            }
        }
        anyhow::ensure!(package.all("StructureDefinition").count() > 600, "this is not {PACKAGE}");
        Ok(package)
    }

    /// All of a kind, sorted by canonical address.
    pub(super) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.by_kind.get(kind).into_iter().flat_map(BTreeMap::values)
    }

    /// One by its canonical address, with or without a version behind `|`.
    pub(super) fn get(&self, kind: &str, url: &str) -> Option<&Value> {
        self.by_kind.get(kind)?.get(without_version(url))
    }
}

/// A canonical address without `|version`.
pub(super) fn without_version(url: &str) -> &str {
    url.split_once('|').map_or(url, |(url, _)| url)
}

fn download_into(folder: &Path) -> anyhow::Result<()> {
    run(Command::new("npm").args(["pack", "--silent", PACKAGE]).current_dir(folder))?;
    let file = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find(|name| name.ends_with(".tgz"))
        .context("npm pack left no file")?;
    run(Command::new("tar").args(["xzf", &file]).current_dir(folder))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let answer = command.output().with_context(|| format!("cannot run `{name}`"))?;
    anyhow::ensure!(answer.status.success(), "`{name}`: {}", String::from_utf8_lossy(&answer.stderr).trim());
    Ok(())
}
