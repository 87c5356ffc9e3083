//! `compartments.txt`: by which search parameters a resource is in the compartment of a patient, an encounter, ...

use std::fmt::Write;

use anyhow::Context;

use super::package::Package;

const HEADER: &str = "\
# FHIR R4 4.0.1, written by `cargo xtask gen`.
# Compartment, then each type that can be in it with the codes of the search parameters that say so.
";

pub(super) fn write(package: &Package) -> anyhow::Result<String> {
    let mut text = HEADER.to_owned();
    for definition in package.all("CompartmentDefinition") {
        if definition["url"].as_str().is_some_and(|url| url.ends_with("/example")) {
            continue;
        }
        writeln!(text, "{}", definition["code"].as_str().context("a compartment has a code")?)?;
        for resource in definition["resource"].as_array().context("a compartment has types")? {
            // `{def}` says that a resource is in its own compartment.
            let codes = resource["param"].as_array().into_iter().flatten().filter_map(|code| code.as_str());
            let codes: Vec<&str> = codes.filter(|code| *code != "{def}").collect();
            if !codes.is_empty() {
                writeln!(text, " {} {}", resource["code"].as_str().context("type")?, codes.join(" "))?;
            }
        }
    }
    Ok(text)
}
