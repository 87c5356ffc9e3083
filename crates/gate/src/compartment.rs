//! Is a resource inside what a restriction allows: asked for single reads and for both sides of a write. `bases` are the addresses
//! under which this server's resources are known.

use fhir::Resource;
use search::Restriction;
use store::{Op, Stored};

/// May a caller under this restriction see the stored version. Deletions carry no content to decide by, so a
/// restricted caller sees none.
pub(crate) fn admits_stored(restriction: &Restriction, stored: &Stored, bases: &[String]) -> bool {
    match restriction {
        Restriction::All => true,
        Restriction::Nothing => false,
        Restriction::Compartment { .. } => {
            stored.op != Op::Delete
                && stored.body.resource().is_ok_and(|resource| admits(restriction, &resource, bases))
        }
    }
}

/// May a caller under this restriction see the resource.
pub(crate) fn admits(restriction: &Restriction, resource: &Resource, bases: &[String]) -> bool {
    match restriction {
        Restriction::All => true,
        Restriction::Nothing => false,
        Restriction::Compartment { of, ids } => {
            let inside = |id: &str| ids.iter().any(|allowed| allowed == id);
            // Until `search` tells what a resource refers to, only the owners themselves are inside: closed rather than open.
            let _ = bases;
            resource.kind() == *of && resource.id().is_some_and(inside)
        }
    }
}
