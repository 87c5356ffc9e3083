//! `_include` and `_revinclude`.

use fhir::Kind;
use fhir::definitions::SearchType;

use super::{Known, Scene};
use crate::ParamId;
use crate::query::Include;

impl<'w> Scene<'w> {
    /// What the matches include, directly and, for `:iterate`, over what was included.
    pub(super) fn included(&self, includes: &[Include], found: &[&'w Known]) -> Vec<&'w Known> {
        let mut included: Vec<&Known> = Vec::new();
        let mut fresh: Vec<&Known> = found.to_vec();
        let mut first = true;
        while !fresh.is_empty() {
            let mut next: Vec<&Known> = Vec::new();
            for include in includes.iter().filter(|include| first || include.iterate) {
                for resource in &fresh {
                    next.extend(self.step(include, resource));
                }
            }
            fresh.clear();
            for resource in next {
                let same = |known: &&Known| known.kind == resource.kind && known.id == resource.id;
                if !found.iter().any(same) && !included.iter().any(same) {
                    included.push(resource);
                    fresh.push(resource);
                }
            }
            first = false;
        }
        included
    }

    fn step(&self, include: &Include, resource: &Known) -> Vec<&'w Known> {
        if !include.reverse {
            if include.source.is_some_and(|source| source != resource.kind) {
                return Vec::new();
            }
            let targets = self.pointed_at(include, resource);
            return targets.into_iter().filter_map(|(kind, id)| self.visible(kind, id)).collect();
        }
        let sources: Vec<Kind> = include.source.map_or_else(|| Kind::all().collect(), |source| vec![source]);
        let all = sources.into_iter().flat_map(|source| self.all_visible(source));
        let points_here = |source: &&Known| {
            self.pointed_at(include, source)
                .iter()
                .any(|(kind, id)| *kind == resource.kind && *id == resource.id)
        };
        all.filter(points_here).collect()
    }

    /// What the references that an include follows point at.
    fn pointed_at<'r>(&self, include: &Include, resource: &'r Known) -> Vec<(Kind, &'r str)>
    where
        'w: 'r,
    {
        let params: Vec<ParamId> = match include.param {
            Some(param) => vec![param],
            None => {
                let all = ParamId::of_kind(resource.kind);
                all.filter(|param| param.def().ty == SearchType::Reference).collect()
            }
        };
        let targets = params.into_iter().flat_map(|param| self.targets(param, resource));
        targets.filter(|(kind, _)| include.target.is_none_or(|target| target == *kind)).collect()
    }
}
