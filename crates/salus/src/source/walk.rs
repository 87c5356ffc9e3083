//! Finds the files below the given paths and tells their format from their names.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::exit::usage;

use super::limits::SourceLimits;
use super::unit::{At, Place, Reject};

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// What a file holds once it is unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One JSON document: a bundle or a resource.
    Document,
    /// One JSON document a line.
    Lines,
    /// A tar archive of such files.
    Archive,
}

/// One file to read.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) name: Arc<str>,
    pub(crate) packing: Packing,
    pub(crate) shape: Shape,
    pub(crate) bytes: u64,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) inputs: Vec<Input>,
    /// Files in folders that are no FHIR data by their name; said in the report, no failure.
    pub(crate) skipped: Vec<Reject>,
}

/// Walks files and folders in name order. A path that does not exist or whose format is unknown is an error; a file of unknown
/// format inside a folder is listed as skipped.
pub(crate) fn walk(paths: &[PathBuf], limits: &SourceLimits) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for path in paths {
        let meta = fs::metadata(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        if meta.is_dir() {
            walk_folder(path, 0, limits, &mut found)?;
        } else if let Some(input) = input_of(path, meta.len()) {
            found.inputs.push(input);
        } else {
            return Err(usage(format!(
                "cannot tell the format of `{}`: name it .json, .ndjson or .tar, with .gz or .zst behind when it is compressed",
                path.display()
            )));
        }
    }
    Ok(found)
}

fn walk_folder(folder: &Path, depth: usize, limits: &SourceLimits, found: &mut Found) -> anyhow::Result<()> {
    if depth > limits.folder_depth_max {
        bail!("`{}` is more than {} folders deep", folder.display(), limits.folder_depth_max);
    }
    let listed =
        fs::read_dir(folder).with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    let mut entries = listed
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    entries.sort_by_key(|entry| load_order(&entry.file_name().to_string_lossy()));
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().with_context(|| format!("cannot read `{}`", path.display()))?;
        // A link could lead back up; it is followed only to files.
        let meta = fs::metadata(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        if kind.is_dir() {
            walk_folder(&path, depth + 1, limits, found)?;
        } else if meta.is_dir() {
            found.skipped.push(skipped(&path, "a link to a folder is not followed"));
        } else if entry.file_name().to_string_lossy().starts_with('.') {
            found.skipped.push(skipped(&path, "hidden file"));
        } else if let Some(input) = input_of(&path, meta.len()) {
            found.inputs.push(input);
        } else {
            found.skipped.push(skipped(&path, "not .json, .ndjson or .tar"));
        }
    }
    Ok(())
}

fn skipped(path: &Path, reason: &str) -> Reject {
    Reject::new(Place::new(&name_of(path), At::File), reason)
}

fn name_of(path: &Path) -> Arc<str> {
    Arc::from(path.to_string_lossy().as_ref())
}

// Synthea's bundles of hospitals and practitioners are what its patient bundles refer to by search.
fn load_order(name: &str) -> (u8, String) {
    let rank = match name {
        n if n.starts_with("hospitalInformation") => 0,
        n if n.starts_with("practitionerInformation") => 1,
        _ => 2,
    };
    (rank, name.to_owned())
}

fn input_of(path: &Path, bytes: u64) -> Option<Input> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let (packing, shape) = format_of(&name)?;
    Some(Input { path: path.to_owned(), name: name_of(path), packing, shape, bytes })
}

/// Packing and shape by the file's name, in lower case.
pub(crate) fn format_of(name: &str) -> Option<(Packing, Shape)> {
    let (inner, packing) = match name {
        n if n.ends_with(".gz") => (&n[..n.len() - 3], Packing::Gzip),
        n if n.ends_with(".zst") => (&n[..n.len() - 4], Packing::Zstd),
        n if n.ends_with(".tgz") => return Some((Packing::Gzip, Shape::Archive)),
        n => (n, Packing::Plain),
    };
    let shape = match inner.rsplit_once('.')?.1 {
        "json" => Shape::Document,
        "ndjson" | "jsonl" => Shape::Lines,
        "tar" => Shape::Archive,
        _ => return None,
    };
    Some((packing, shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format() {
        let check = |name: &str, expected| assert_eq!(format_of(name), expected, "{name}");
        check("a.json", Some((Packing::Plain, Shape::Document)));
        check("a.ndjson.gz", Some((Packing::Gzip, Shape::Lines)));
        check("a.b.json.zst", Some((Packing::Zstd, Shape::Document)));
        check("a.tar.zst", Some((Packing::Zstd, Shape::Archive)));
        check("a.tgz", Some((Packing::Gzip, Shape::Archive)));
        check("a.csv", None);
        check("json", None);
        check("a.zst", None);
    }

    #[test]
    fn folders_are_walked_in_order_and_nothing_is_dropped_in_silence() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        for name in
            ["b.json", "a.ndjson", "sub/c.json.gz", "notes.txt", ".hidden.json", "hospitalInformation1.json"]
        {
            fs::write(at(name), "").unwrap();
        }
        let found = walk(&[dir.path().to_owned()], &SourceLimits::default()).unwrap();
        let names: Vec<_> = found
            .inputs
            .iter()
            .map(|i| i.path.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["hospitalInformation1.json", "a.ndjson", "b.json", "sub/c.json.gz"]);
        assert_eq!(found.skipped.len(), 2);
        assert!(walk(&[at("notes.txt")], &SourceLimits::default()).is_err());
        assert!(walk(&[at("absent.json")], &SourceLimits::default()).is_err());
    }
}
