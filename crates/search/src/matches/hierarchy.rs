//! `:above` and `:below` along `Location.partOf` and the like.

use std::collections::HashSet;

use compact_str::CompactString;
use fhir::Kind;

use super::{Known, Scene};
use crate::ParamId;

impl Scene<'_> {
    /// Does the parameter point at a starting point, or at something below it (or above it).
    pub(super) fn in_hierarchy(
        &self,
        param: ParamId,
        starts: &[(Kind, CompactString)],
        below: bool,
        resource: &Known,
    ) -> bool {
        self.targets(param, resource).into_iter().any(|(kind, id)| {
            starts.iter().filter(|(start, _)| *start == kind).any(|(_, start)| {
                if below { self.reaches(kind, id, start) } else { self.reaches(kind, start, id) }
            })
        })
    }

    /// Does the way up from one resource of a type, over resources that are there and visible, lead to another one.
    fn reaches(&self, kind: Kind, from: &str, to: &str) -> bool {
        let Some(param) = ParamId::hierarchy_of(kind) else { return from == to };
        let mut seen: HashSet<CompactString> = HashSet::new();
        let mut open = vec![CompactString::from(from)];
        while let Some(id) = open.pop() {
            if id == to {
                return true;
            }
            if let Some(here) = self.visible(kind, &id).filter(|_| seen.insert(id.clone())) {
                let above = self.targets(param, here).into_iter().filter(|(other, _)| *other == kind);
                open.extend(above.map(|(_, id)| id.into()));
            }
        }
        false
    }
}
