//! Is a resource inside what a restriction allows: asked for single reads and for both sides of a write. `bases` are the addresses
//! under which this server's resources are known.

use fhir::{Kind, Resource};
use search::{Restriction, Target};
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
            if resource.kind() == *of && resource.id().is_some_and(inside) {
                return true;
            }
            refers(resource, *of, &inside, bases)
        }
    }
}

/// Does one of the parameters that make up the compartment point at one of its owners.
fn refers(resource: &Resource, of: Kind, inside: &dyn Fn(&str) -> bool, bases: &[String]) -> bool {
    let codes = fhir::definitions::compartment(of, resource.kind());
    if codes.is_empty() {
        return false;
    }
    search::extract_references(resource, bases).iter().any(|row| match &row.target {
        Target::Local { kind, id } => *kind == of && inside(id) && codes.contains(&row.param.def().code),
        Target::Url(_) => false,
    })
}
