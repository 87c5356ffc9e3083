//! The whole answer to a query: matches in order, and what they include.

use compact_str::CompactString;
use fhir::Kind;

use super::{Known, Scene, World, sort};
use crate::query::Query;
use crate::restriction::Restrictions;

/// Type and id of everything that a query finds, all pages together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Matches, in order. Their number is the total.
    pub matches: Vec<(Kind, CompactString)>,
    /// What they include, each once and no match among it; without order.
    pub included: Vec<(Kind, CompactString)>,
}

/// The answer that a store must give to a caller under these restrictions.
pub fn search_all(world: &dyn World, query: &Query, restrictions: &Restrictions) -> Answer {
    let scene = Scene { world, restrictions, now: query.now };
    let mut found: Vec<&Known> = Vec::new();
    for branch in &query.branches {
        let passing = scene.all_visible(branch.kind).into_iter();
        found.extend(passing.filter(|resource| scene.passes_all(&branch.filters, resource)));
    }
    found.sort_by(|a, b| sort::compare(&query.sort, a, b).then(a.order.cmp(&b.order)));
    found.dedup_by(|a, b| a.kind == b.kind && a.id == b.id);
    let included = scene.included(&query.includes, &found);
    let name = |known: &&Known| (known.kind, known.id.clone());
    Answer { matches: found.iter().map(name).collect(), included: included.iter().map(name).collect() }
}
