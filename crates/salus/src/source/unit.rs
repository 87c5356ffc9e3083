//! What an input asks for: changes, each with the place it came from, in units that are written together.

use std::fmt;
use std::sync::Arc;

use fhir::{Kind, Resource};

/// Where in the input something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file as the caller named it; for an archive `archive.tar.zst!inner.json`.
    pub(crate) file: Arc<str>,
    /// Where in the file.
    pub(crate) at: At,
}

/// A position in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The file as a whole.
    File,
    /// A line, from 1.
    Line(u64),
    /// An entry of a bundle, from 0 as FHIRPath counts.
    Entry(usize),
    /// An entry of a bundle that is a line.
    LineEntry(u64, usize),
}

impl Place {
    pub(crate) fn new(file: &Arc<str>, at: At) -> Place {
        Place { file: Arc::clone(file), at }
    }

    /// The place of an entry of the bundle that stands here.
    pub(crate) fn entry(&self, index: usize) -> Place {
        let at = match self.at {
            At::Line(line) | At::LineEntry(line, _) => At::LineEntry(line, index),
            At::File | At::Entry(_) => At::Entry(index),
        };
        Place::new(&self.file, at)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::File => write!(f, "{}", self.file),
            At::Line(line) => write!(f, "{}:{line}", self.file),
            At::Entry(entry) => write!(f, "{} entry[{entry}]", self.file),
            At::LineEntry(line, entry) => write!(f, "{}:{line} entry[{entry}]", self.file),
        }
    }
}

/// One wanted change.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// The resource shall be what is stored under its id.
    Put { resource: Resource, if_match: Option<u64> },
    /// A new resource under an id the store chooses, unless the condition finds one.
    Create { resource: Resource, if_none_exist: Option<String> },
    /// The resource that the query finds shall be this.
    PutWhere { resource: Resource, query: String },
    /// The resource shall be gone.
    Delete { kind: Kind, id: String },
}

impl Change {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Change::Put { resource, .. }
            | Change::Create { resource, .. }
            | Change::PutWhere { resource, .. } => resource.kind(),
            Change::Delete { kind, .. } => *kind,
        }
    }

    /// `Patient/42`, when the change names its resource.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Change::Put { resource, .. } => Some(resource.reference()),
            Change::Delete { kind, id } => Some(format!("{kind}/{id}")),
            Change::Create { .. } | Change::PutWhere { .. } => None,
        }
    }
}

/// A change and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) place: Place,
    pub(crate) full_url: Option<String>,
    pub(crate) change: Change,
}

/// Changes that are written together.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// All or nothing: a transaction.
    pub(crate) atomic: bool,
    pub(crate) items: Vec<Item>,
    /// Size of the text it came from, to bound what is in memory.
    pub(crate) bytes: usize,
}

/// Something in the input that is not loaded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) place: Place,
    pub(crate) kind: Option<Kind>,
    pub(crate) reason: String,
}

impl Reject {
    pub(crate) fn new(place: Place, reason: impl Into<String>) -> Reject {
        Reject { place, kind: None, reason: reason.into() }
    }
}
