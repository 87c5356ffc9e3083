//! Resource → [`IndexRows`]: what each search parameter finds in it, and what salus derives.

mod address;
mod convert;
mod date;
mod expression;
mod path;
mod plan;
mod quantity;
mod reference;
mod string;
mod token;
mod walk;

pub(crate) use date::{covered, period_of};
pub(crate) use plan::plan;

use fhir::{Instant, Resource};

use crate::derived::{self, EquityRules};
use crate::rows::{IndexRows, ReferenceRow};

/// Makes index rows. One per store; cheap to share.
pub struct Extractor {
    bases: Vec<String>,
    equity: EquityRules,
}

impl Extractor {
    /// For a server with these addresses (`http://host/fhir`): absolute references below them are local.
    pub fn new(bases: Vec<String>, equity: EquityRules) -> Extractor {
        Extractor { bases, equity }
    }

    /// The rows of one version of a resource; `at` is when it was written.
    pub fn extract(&self, resource: &Resource, at: Instant) -> IndexRows {
        let mut rows = IndexRows::default();
        let walk = walk::Walk { bases: &self.bases, root: resource.value() };
        walk.resource(plan::plan(resource.kind()), resource, &mut rows);
        address::mark(&mut rows);
        derived::add(resource, at, &self.bases, &self.equity, &mut rows);
        rows
    }
}

/// The references of a resource alone, for compartments.
pub fn extract_references(resource: &Resource, bases: &[String]) -> Vec<ReferenceRow> {
    let mut rows = IndexRows::default();
    let walk = walk::Walk { bases, root: resource.value() };
    walk.resource(plan::plan(resource.kind()), resource, &mut rows);
    rows.references
}
