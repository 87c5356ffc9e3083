//! Generated files are what their generator wrote: each folder of them holds a `CHECKSUMS` file that must agree.

use super::Finding;
use std::path::Path;
use std::process::Command;

/// Folders whose files `cargo xtask gen` writes, `CHECKSUMS` included.
const GENERATED: &[&str] = &["crates/fhir/definitions"];

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for folder in GENERATED {
        let sums = root.join(folder).join("CHECKSUMS");
        if !sums.exists() {
            findings.push(Finding::new(folder, "no `CHECKSUMS`: run `cargo xtask gen`"));
            continue;
        }
        let answer = Command::new("sha256sum")
            .args(["--check", "--quiet", "--strict", "CHECKSUMS"])
            .current_dir(root.join(folder))
            .output()?;
        if !answer.status.success() {
            let text = String::from_utf8_lossy(&answer.stdout).trim().replace('\n', ", ");
            findings.push(Finding::new(folder, format!("edited by hand, run `cargo xtask gen`: {text}")));
        }
        findings.extend(unlisted(root, folder)?);
    }
    Ok(findings)
}

/// What `CHECKSUMS` must hold for the files of a folder.
pub(crate) fn checksums(folder: &Path) -> anyhow::Result<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<anyhow::Result<_>>()?;
    names.retain(|name| name != "CHECKSUMS");
    names.sort_unstable();
    let answer = Command::new("sha256sum").args(&names).current_dir(folder).output()?;
    anyhow::ensure!(answer.status.success(), "sha256sum: {}", String::from_utf8_lossy(&answer.stderr).trim());
    Ok(String::from_utf8(answer.stdout)?)
}

fn unlisted(root: &Path, folder: &str) -> anyhow::Result<Vec<Finding>> {
    let sums = std::fs::read_to_string(root.join(folder).join("CHECKSUMS"))?;
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(root.join(folder))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "CHECKSUMS" && !sums.lines().any(|line| line.ends_with(&format!("  {name}"))) {
            findings.push(Finding::new(format!("{folder}/{name}"), "not listed in `CHECKSUMS`"));
        }
    }
    Ok(findings)
}
