//! A goal: what must hold of resources of one type, the caller's restriction included. Chains and `_has` are goals inside of goals.

use std::cell::RefCell;
use std::collections::HashMap;

use search::query::DateOperand;

use super::link::Link;
use super::relation::RelationProbe;
use super::row_test::{Presence, RowTest};

/// All of the probes must hold of a resource of this type.
#[derive(Debug)]
pub(super) struct Goal {
    /// Number of the type; `None` when there is no resource of it.
    pub(super) t: Option<u32>,
    pub(super) probes: Vec<Probe>,
}

/// One condition.
#[derive(Debug)]
pub(super) enum Probe {
    /// A value passes a test.
    Rows(RowTest),
    /// There is a value, or there is none.
    Presence { of: Presence, missing: bool },
    /// Row numbers, sorted.
    Rids { rids: Vec<i64>, negated: bool },
    /// Time of the current version.
    Updated(Vec<DateOperand>),
    /// What a reference points at passes one of the goals.
    Chain(Chain),
    /// Something that points here passes the goal.
    Has(Has),
    /// A fact about the resource's patient.
    Relation(RelationProbe),
    /// One of these holds.
    Any(Vec<Probe>),
}

/// Remembers of which rows a goal holds: many resources point at one patient.
pub(super) type Memo = RefCell<HashMap<i64, bool>>;

/// `subject:Patient.name=x`.
#[derive(Debug)]
pub(super) struct Chain {
    /// The reference parameter; `None` when no resource has it.
    pub(super) link: Option<Link>,
    pub(super) any_of: Vec<Goal>,
    pub(super) memo: Memo,
}

/// `_has:Observation:patient:code=x`.
#[derive(Debug)]
pub(super) struct Has {
    /// The reference parameter of the other type.
    pub(super) link: Option<Link>,
    pub(super) goal: Box<Goal>,
    pub(super) memo: Memo,
}

impl Probe {
    /// Can it hold of no resource.
    pub(super) fn is_never(&self) -> bool {
        match self {
            Probe::Rows(test) => test.is_never(),
            Probe::Rids { rids, negated } => rids.is_empty() && !negated,
            Probe::Updated(any_of) => any_of.is_empty(),
            Probe::Chain(chain) => chain.link.is_none() || chain.any_of.iter().all(Goal::is_never),
            Probe::Has(has) => has.link.is_none() || has.goal.is_never(),
            Probe::Relation(probe) => probe.is_never(),
            Probe::Any(any) => any.iter().all(Probe::is_never),
            Probe::Presence { .. } => false,
        }
    }
}

impl Goal {
    pub(super) fn is_never(&self) -> bool {
        self.t.is_none() || self.probes.iter().any(Probe::is_never)
    }
}
