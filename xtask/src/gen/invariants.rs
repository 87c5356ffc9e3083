//! `invariants.txt`: the rules that each type states in FHIRPath, without the prose.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;
use serde_json::Value;

use super::package::Package;

const HEADER: &str = "\
# FHIR R4 4.0.1, written by `cargo xtask gen`.
# Path, then its rules, separated by tabs: key, severity (e error, w warning), FHIRPath
";

pub(super) fn write(package: &Package) -> anyhow::Result<String> {
    let mut rules: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for definition in
        package.all("StructureDefinition").filter(|definition| super::types::is_type(definition))
    {
        for element in definition["differential"]["element"].as_array().into_iter().flatten() {
            let path = element["path"].as_str().context("path")?;
            for rule in element["constraint"].as_array().into_iter().flatten() {
                if let Some(line) = line_of(rule) {
                    rules.entry(path).or_default().push(line);
                }
            }
        }
    }
    let mut text = HEADER.to_owned();
    for (path, lines) in rules {
        writeln!(text, "{path}")?;
        for line in lines {
            writeln!(text, "\t{line}")?;
        }
    }
    Ok(text)
}

fn line_of(rule: &Value) -> Option<String> {
    let severity = if rule["severity"] == "warning" { 'w' } else { 'e' };
    let expression = rule["expression"].as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(format!("{}\t{severity}\t{expression}", rule["key"].as_str()?))
}
