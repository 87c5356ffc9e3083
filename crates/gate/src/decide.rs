//! The decision on a write, made inside the store's transaction on what is stored and what would be.

use std::sync::Arc;

use fhir::{Kind, Resource};
use store::{Decide, Op, Verdict};

use crate::compartment::admits;
use crate::door::read::no_scope;
use crate::principal::Principal;
use crate::scope::Right;
use search::Restriction;

/// Decides the writes of one principal.
pub(crate) struct Decision {
    pub(crate) principal: Arc<Principal>,
    pub(crate) bases: Arc<[String]>,
}

impl Decide for Decision {
    fn decide(
        &self,
        op: Op,
        kind: Kind,
        _id: &str,
        stored: Option<&Resource>,
        new: Option<&Resource>,
    ) -> Verdict {
        let right = match (op, stored) {
            (Op::Delete, _) => Right::Delete,
            (Op::Create, _) | (Op::Update, None) => Right::Create,
            (Op::Update, Some(_)) => Right::Update,
        };
        let restriction = self.principal.restriction(right, kind);
        if restriction == Restriction::Nothing {
            return Verdict::Forbid(no_scope(right, kind));
        }
        // First what is sent, then what is stored: else the answer would tell whether something hidden is there.
        if new.is_some_and(|resource| !admits(&restriction, resource, &self.bases)) {
            return Verdict::Forbid(
                "the resource would be outside the compartment of the token's patient".into(),
            );
        }
        let hidden = stored.is_some_and(|resource| !admits(&restriction, resource, &self.bases));
        // For the same reason an id may not be chosen by who does not see all ids.
        let chosen = op == Op::Update && stored.is_none() && restriction != Restriction::All;
        if hidden || chosen { Verdict::Hidden } else { Verdict::Permit }
    }

    /// A patch tests what is stored and its answer shows it: who sends one must be allowed to read it, not only to change it.
    fn decide_look(&self, kind: Kind, _id: &str, stored: &Resource) -> Verdict {
        for right in [Right::Read, Right::Update] {
            let restriction = self.principal.restriction(right, kind);
            if restriction == Restriction::Nothing {
                return Verdict::Forbid(no_scope(right, kind));
            }
            if !admits(&restriction, stored, &self.bases) {
                return Verdict::Hidden;
            }
        }
        Verdict::Permit
    }
}
