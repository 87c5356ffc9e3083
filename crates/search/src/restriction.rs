//! What a caller may see, as something that every part of a search obeys.

use std::collections::BTreeMap;

use compact_str::CompactString;
use fhir::{Kind, definitions};

use crate::query::{Filter, ReferenceOperand, Test};
use crate::{ParamId, Query};

/// What a caller may see of one resource type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// Everything.
    All,
    /// Nothing.
    Nothing,
    /// The compartments of these owners, and the owners themselves.
    Compartment {
        /// Type of the owners.
        of: Kind,
        /// Ids of the owners.
        ids: Vec<CompactString>,
    },
}

/// What a caller may see, per type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restrictions {
    /// For types that are not named.
    pub default: Restriction,
    /// For the types that are.
    pub by_kind: BTreeMap<Kind, Restriction>,
}

impl Restrictions {
    /// Everything may be seen.
    pub fn all() -> Restrictions {
        Restrictions { default: Restriction::All, by_kind: BTreeMap::new() }
    }

    /// For one type.
    pub fn of(&self, kind: Kind) -> &Restriction {
        self.by_kind.get(&kind).unwrap_or(&self.default)
    }

    /// Is nothing restricted.
    pub fn is_all(&self) -> bool {
        self.default == Restriction::All
            && self.by_kind.values().all(|restriction| *restriction == Restriction::All)
    }
}

impl Restriction {
    /// The filter that must hold beside those of the query wherever a resource of `kind` is touched; `None` when everything may be seen.
    pub fn filter(&self, kind: Kind) -> Option<Filter> {
        match self {
            Restriction::All => None,
            Restriction::Nothing => Some(Filter::Any(Vec::new())),
            Restriction::Compartment { of, ids } => {
                let mut any = Vec::new();
                if kind == *of {
                    any.push(Filter::Id { any_of: ids.clone(), negated: false });
                }
                let owners: Vec<ReferenceOperand> =
                    ids.iter().map(|id| ReferenceOperand::Local { kind: *of, id: id.clone() }).collect();
                for code in definitions::compartment(*of, kind) {
                    if let Some(param) = ParamId::find(kind, code) {
                        any.push(Filter::Value {
                            param,
                            test: Test::Reference { any_of: owners.clone(), negated: false },
                        });
                    }
                }
                Some(Filter::Any(any))
            }
        }
    }
}

/// The restriction of a query's type, when it has one type only.
pub fn of_query<'r>(restrictions: &'r Restrictions, query: &Query) -> Option<&'r Restriction> {
    match query.branches.as_slice() {
        [one] => Some(restrictions.of(one.kind)),
        _ => None,
    }
}
