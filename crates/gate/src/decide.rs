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
        if stored.is_some_and(|resource| !admits(&restriction, resource, &self.bases)) {
            return Verdict::Hidden;
        }
        if new.is_some_and(|resource| !admits(&restriction, resource, &self.bases)) {
            return Verdict::Forbid(
                "the resource would be outside the compartment of the token's patient".into(),
            );
        }
        Verdict::Permit
    }
}
