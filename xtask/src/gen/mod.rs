//! Writes the R4 definitions as small text files, from the official npm package; or compares them with it.

mod code_system;
mod compartments;
mod invariants;
mod package;
mod search;
mod types;
mod value_sets;

use std::path::{Path, PathBuf};

use anyhow::Context;
use package::Package;

/// Where the files go, below the root.
const FOLDER: &str = "crates/fhir/definitions";

/// What the command line asks for.
#[derive(Default)]
pub(crate) struct Options {
    /// An unpacked package instead of `npm pack`.
    pub(crate) from: Option<PathBuf>,
    /// Compare, write nothing.
    pub(crate) check: bool,
}

/// Writes the files, or with `check` fails when they are not what the package gives.
///
/// # Errors
/// When the package cannot be had or read, has something this generator does not expect, or the files differ.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let package = match &options.from {
        Some(folder) => Package::load(folder)?,
        None => Package::download()?,
    };
    let mut files = vec![
        ("types.txt", types::write(&package)?),
        ("search.txt", search::write(&package)?),
        ("compartments.txt", compartments::write(&package)?),
        ("invariants.txt", invariants::write(&package)?),
    ];
    files.extend(value_sets::write(&package)?);
    let folder = root.join(FOLDER);
    if options.check { compare(&folder, &files) } else { store(&folder, &files) }
}

fn compare(folder: &Path, files: &[(&str, String)]) -> anyhow::Result<()> {
    let differing: Vec<&str> = files
        .iter()
        .filter(|(name, text)| std::fs::read_to_string(folder.join(name)).ok().as_deref() != Some(text))
        .map(|(name, _)| *name)
        .collect();
    anyhow::ensure!(
        differing.is_empty(),
        "not what the package gives, run `cargo xtask gen`: {}",
        differing.join(", ")
    );
    Ok(())
}

fn store(folder: &Path, files: &[(&str, String)]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    std::fs::write(folder.join("CHECKSUMS"), crate::tidy::generated::checksums(folder)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_what_the_package_gives() {
        // `./test` fetches the package and says where it is.
        let Some(folder) =
            std::env::var_os("SALUS_R4_PACKAGE").map(PathBuf::from).filter(|folder| folder.is_dir())
        else {
            println!("not checked: the definitions against the official R4 package (set SALUS_R4_PACKAGE)");
            return;
        };
        run(&crate::tidy::root(), &Options { from: Some(folder), check: true }).unwrap();
    }
}
