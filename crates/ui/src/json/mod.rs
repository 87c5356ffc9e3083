//! FHIR JSON on a page: as a tree, as text, and as what changed between two versions.

mod diff;
mod raw;
mod tree;

pub use diff::{Change, diff};
pub(crate) use raw::raw;
pub(crate) use tree::tree;

use fhir::Reference;

/// The page that a reference of this server leads to.
pub(crate) fn page_of(reference: &str) -> Option<String> {
    match Reference::parse(reference) {
        Reference::Local { kind, id, .. } => Some(crate::url::resource(kind.name(), id)),
        _ => None,
    }
}
