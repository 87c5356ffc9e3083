//! What a search means: each resource is looked at by itself, with plain Rust on the rows that it puts into the index. Slow and simple; a store
//! must give the same answers.

mod answer;
mod hierarchy;
mod include;
mod relation;
mod sort;
pub(crate) mod test;
mod world;

use fhir::{Instant, Kind};

pub use answer::{Answer, search_all};
pub use sort::compare;
pub use world::{Known, Memory, World};

use crate::ParamId;
use crate::query::{Branch, DateOperand, Filter, Test};
use crate::restriction::Restrictions;
use crate::rows::{CanonicalRow, Target};

/// Everything that the evaluation of filters looks at.
pub(crate) struct Scene<'w> {
    world: &'w dyn World,
    restrictions: &'w Restrictions,
    now: Instant,
}

/// Does a resource pass a branch of a query, in the eyes of a caller: a resource that the caller may not see passes none, and what filters reach
/// through references is looked at only where the caller may see it.
pub fn matches(
    branch: &Branch,
    resource: &Known,
    now: Instant,
    restrictions: &Restrictions,
    world: &dyn World,
) -> bool {
    let scene = Scene { world, restrictions, now };
    resource.kind == branch.kind && scene.sees(resource) && scene.passes_all(&branch.filters, resource)
}

impl<'w> Scene<'w> {
    /// May the caller see a resource. The filter of a restriction looks at the resource only.
    fn sees(&self, resource: &Known) -> bool {
        match self.restrictions.of(resource.kind).filter(resource.kind) {
            None => true,
            Some(filter) => self.passes(&filter, resource),
        }
    }

    /// A resource that is there and that the caller may see.
    fn visible(&self, kind: Kind, id: &str) -> Option<&'w Known> {
        self.world.get(kind, id).filter(|resource| self.sees(resource))
    }

    fn all_visible(&self, kind: Kind) -> Vec<&'w Known> {
        self.world.all(kind).into_iter().filter(|resource| self.sees(resource)).collect()
    }

    fn passes_all(&self, filters: &[Filter], resource: &Known) -> bool {
        filters.iter().all(|filter| self.passes(filter, resource))
    }

    fn passes(&self, filter: &Filter, resource: &Known) -> bool {
        match filter {
            Filter::Id { any_of, negated } => any_of.contains(&resource.id) != *negated,
            Filter::LastUpdated(any_of) => any_of.iter().any(|operand| updated(operand, resource)),
            Filter::Value { param, test: Test::ReferenceHierarchy { any_of, below } } => {
                self.in_hierarchy(*param, any_of, *below, resource)
            }
            Filter::Value { param, test } => test::passes(test, *param, &resource.rows),
            Filter::Missing { param, missing } => test::is_there(*param, &resource.rows) != *missing,
            Filter::Chain { param, any_of } => {
                self.targets(*param, resource).into_iter().any(|(kind, id)| {
                    let branches = any_of.iter().filter(|branch| branch.kind == kind);
                    branches.into_iter().any(|branch| {
                        self.visible(kind, id).is_some_and(|target| self.passes_all(&branch.filters, target))
                    })
                })
            }
            Filter::Has { param, branch } => self.all_visible(branch.kind).into_iter().any(|source| {
                let points_here =
                    self.targets(*param, source).contains(&(resource.kind, resource.id.as_str()));
                points_here && self.passes_all(&branch.filters, source)
            }),
            Filter::List(ids) => ids.iter().any(|id| self.is_item(id, resource)),
            Filter::Relation { relation, any_of, negated } => {
                self.related(*relation, any_of, resource) != *negated
            }
            Filter::Any(any) => any.iter().any(|filter| self.passes(filter, resource)),
        }
    }

    /// The resources that a parameter points at: those that references name, there or not, and those with the canonical addresses.
    fn targets<'r>(&self, param: ParamId, resource: &'r Known) -> Vec<(Kind, &'r str)>
    where
        'w: 'r,
    {
        let references = resource.rows.references.iter().filter(|row| row.param == param);
        let mut targets: Vec<(Kind, &str)> = references
            .filter_map(|row| match &row.target {
                Target::Local { kind, id } => Some((*kind, id.as_str())),
                Target::Url(_) => None,
            })
            .collect();
        for row in resource.rows.canonicals.iter().filter(|row| row.param == param) {
            targets.extend(self.with_address(row));
        }
        targets
    }

    /// What a canonical address stands for: every resource of a type that the parameter leads to with this `url`, and with the `version` when
    /// one is stated.
    fn with_address(&self, row: &CanonicalRow) -> Vec<(Kind, &'w str)> {
        let mut found = Vec::new();
        for kind in Kind::all().filter(|kind| row.param.def().leads_to(*kind)) {
            let Some((url, version)) = ParamId::canonical_of(kind) else { continue };
            for known in self.world.all(kind) {
                let has_url = known.rows.uris.iter().any(|uri| uri.param == url && uri.text == row.url);
                let versions = || known.rows.tokens.iter().filter(|token| token.param == version);
                if has_url && (row.version.is_none() || versions().any(|token| token.code == row.version)) {
                    found.push((kind, known.id.as_str()));
                }
            }
        }
        found
    }

    fn is_item(&self, list: &str, resource: &Known) -> bool {
        let kind = Kind::named("List");
        let (Some(list), Some(param)) = (self.visible(kind, list), ParamId::find(kind, "item")) else {
            return false;
        };
        self.targets(param, list).contains(&(resource.kind, resource.id.as_str()))
    }
}

/// When a version was written is one microsecond.
fn updated(operand: &DateOperand, resource: &Known) -> bool {
    test::date(operand, resource.updated.0, resource.updated.0 + 1)
}
