//! What must be looked up before a write can be planned: the conditions it states, and the resources it updates.

use std::collections::HashMap;

use compact_str::CompactString;
use fhir::bundle::visit_references;
use fhir::{Instant, Kind, Reference, Resource};
use search::Query;

use crate::{Action, Amendment, WriteOp};

/// A search that must have at most one match.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The type it is about.
    pub(crate) kind: Kind,
    /// The search; `None` when the text of a conditional reference is no search.
    pub(crate) query: Option<Query>,
}

/// What must be looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    /// All searches, each once.
    pub(crate) conditions: Vec<Condition>,
    /// For an operation (by its position): its condition.
    pub(crate) of_op: HashMap<usize, usize>,
    /// For the text of a conditional reference: its condition.
    pub(crate) of_reference: HashMap<CompactString, usize>,
    /// Resources that are updated by id.
    pub(crate) updated: Vec<(Kind, CompactString)>,
}

impl Needs {
    /// Of the operations. Bases and time are those of conditional references.
    pub(crate) fn of(ops: &[WriteOp], bases: &[String], now: Instant) -> Needs {
        let mut needs = Needs::default();
        for (at, op) in ops.iter().enumerate() {
            match &op.action {
                Action::Create { resource, if_none_exist } => {
                    if let Some(query) = if_none_exist {
                        needs.add(at, resource.kind(), query);
                    }
                    needs.references(resource, bases, now);
                }
                Action::Update { resource, .. } => {
                    if let Some(id) = resource.id() {
                        needs.updated.push((resource.kind(), id.into()));
                    }
                    needs.references(resource, bases, now);
                }
                Action::ConditionalUpdate { resource, query, .. } => {
                    needs.add(at, resource.kind(), query);
                    if let Some(id) = resource.id() {
                        needs.updated.push((resource.kind(), id.into()));
                    }
                    needs.references(resource, bases, now);
                }
                Action::Patch { kind, id, amendment, .. } => {
                    needs.updated.push((*kind, id.clone()));
                    needs.texts(*kind, amendment, bases, now);
                }
                Action::ConditionalPatch { kind, query, amendment, .. } => {
                    needs.add(at, *kind, query);
                    needs.texts(*kind, amendment, bases, now);
                }
                Action::Delete { .. } | Action::ConditionalDelete { .. } => {}
            }
        }
        needs
    }

    /// Is there nothing to look up.
    pub(crate) fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.updated.is_empty()
    }

    fn add(&mut self, op: usize, kind: Kind, query: &Query) {
        self.of_op.insert(op, self.conditions.len());
        self.conditions.push(Condition { kind, query: Some(query.clone()) });
    }

    fn references(&mut self, resource: &Resource, bases: &[String], now: Instant) {
        if super::references::has_own_references(resource.kind()) {
            return;
        }
        visit_references(resource.value(), &mut |text| self.reference(text, bases, now));
    }

    fn texts(&mut self, kind: Kind, amendment: &Amendment, bases: &[String], now: Instant) {
        if !super::references::has_own_references(kind) {
            amendment.references().iter().for_each(|text| self.reference(text, bases, now));
        }
    }

    fn reference(&mut self, text: &str, bases: &[String], now: Instant) {
        let Reference::Conditional { kind, query } = Reference::parse(text) else { return };
        if self.of_reference.contains_key(text) {
            return;
        }
        let options = search::Options::new(true, bases.to_vec(), now);
        let query = search::parse(Some(kind), query, &options).ok().map(|parsed| parsed.query);
        let query = query.filter(|query| query.branches.iter().all(|branch| !branch.filters.is_empty()));
        self.of_reference.insert(text.into(), self.conditions.len());
        self.conditions.push(Condition { kind, query });
    }
}
