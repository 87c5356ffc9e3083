//! The plan of a write: every operation with the id it is about, its references resolved, its content packed.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;
use fhir::{Instant, Kind, Resource};
use search::{Extractor, Query};

use super::amend::Amending;
use super::content::{Content, refresh};
use super::facts::{Facts, Found, Seen};
use super::needs::Needs;
use super::references::{Links, local_targets};
use crate::{Action, Amendment, ReferenceProblem, StoreError, WriteOp, id};

/// What plans are made with.
pub(crate) struct Planner {
    /// Makes index rows.
    pub(crate) extractor: Extractor,
    /// Addresses of this store.
    pub(crate) bases: Vec<String>,
    /// Are local references looked at.
    pub(crate) referential_integrity: bool,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Planned {
    /// Its position in the request.
    pub(crate) entry: usize,
    /// What to do, or why it cannot be done.
    pub(crate) step: Result<Step, StoreError>,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Step {
    /// Store a version.
    Put(Box<Put>),
    /// The condition of a create found this one: nothing is stored.
    Matched(Kind, CompactString),
    /// Delete.
    Delete { kind: Kind, id: CompactString, if_match: Option<u64> },
    /// Delete what a search finds.
    DeleteWhere { query: Query, many: bool },
}

/// A version to store.
#[derive(Debug)]
pub(crate) struct Put {
    /// The resource with its id.
    pub(crate) resource: Resource,
    /// A create; else an update, which may find nothing stored.
    pub(crate) creates: bool,
    /// Only when this version is stored.
    pub(crate) if_match: Option<u64>,
    /// What was stored when the plan was made.
    pub(crate) seen: Seen,
    /// What to store.
    pub(crate) content: Content,
    /// Local resources that it refers to, when they must exist.
    pub(crate) targets: Vec<(Kind, CompactString)>,
    /// For a patch: what makes `resource` out of what is stored. Until then `resource` is only its type and id.
    pub(crate) amending: Option<Amending>,
}

impl Put {
    pub(crate) fn kind(&self) -> Kind {
        self.resource.kind()
    }

    pub(crate) fn id(&self) -> &str {
        self.resource.id().expect("a put was given its id")
    }
}

/// An operation that has its id but is not packed yet.
struct Draft {
    entry: usize,
    full_url: Option<String>,
    step: Result<Step, StoreError>,
}

impl Planner {
    /// Plans the operations of a request. `atomic`: they may refer to each other.
    pub(crate) fn plan(
        &self,
        ops: Vec<WriteOp>,
        atomic: bool,
        needs: &Needs,
        facts: &Facts,
        now: Instant,
    ) -> Vec<Planned> {
        let mut links = Links::new(atomic);
        let mut drafts: Vec<Draft> = Vec::with_capacity(ops.len());
        // Entries of one transaction with the same condition are about the same resource.
        let mut alike: HashMap<(Kind, String), usize> = HashMap::new();
        for (entry, op) in ops.into_iter().enumerate() {
            let sent = sent_as(&op.action);
            let found = needs.of_op.get(&entry).map(|at| &facts.found[*at]);
            let draft = match same_condition(&op.action).filter(|_| atomic && found == Some(&Found::None)) {
                Some(condition) => match alike.get(&condition).copied() {
                    Some(first) => matched_earlier(&drafts[first], op.action),
                    None => {
                        alike.insert(condition, entry);
                        draft_of(op.action, found, now)
                    }
                },
                None => draft_of(op.action, found, now),
            };
            let draft = Draft { entry, full_url: op.full_url, step: draft };
            if atomic {
                link(&draft, sent, &mut links);
            }
            drafts.push(draft);
        }
        for (text, at) in &needs.of_reference {
            links.found.insert(text.clone(), found_reference(needs, facts, *at));
        }
        let links = Arc::new(links);
        drafts.into_iter().map(|draft| self.packed(draft, &links, facts, now)).collect()
    }

    fn packed(&self, draft: Draft, links: &Arc<Links>, facts: &Facts, now: Instant) -> Planned {
        let Draft { entry, full_url, step } = draft;
        let step = step.and_then(|step| match step {
            Step::Put(mut put) if put.amending.is_some() => {
                let key = (put.kind(), CompactString::from(put.id()));
                if let Some(amending) = &mut put.amending {
                    amending.link(Arc::clone(links), full_url, entry);
                }
                self.amend(&mut put, facts.seen.get(&key).cloned().unwrap_or_default(), now)?;
                Ok(Step::Put(put))
            }
            Step::Put(mut put) => {
                let broken = links.apply(&mut put.resource, full_url.as_deref());
                broken.map_err(|(target, problem)| StoreError::Reference { entry, target, problem })?;
                if self.referential_integrity {
                    put.targets = local_targets(&put.resource, &self.bases);
                }
                let key = (put.kind(), CompactString::from(put.id()));
                let seen = if put.creates {
                    Seen::default()
                } else {
                    facts.seen.get(&key).cloned().unwrap_or_default()
                };
                refresh(&mut put, seen, &self.extractor, now)?;
                Ok(Step::Put(put))
            }
            other => Ok(other),
        });
        Planned { entry, step }
    }
}

/// Type and id under which a created resource was sent: others may refer to it by them.
fn sent_as(action: &Action) -> Option<(Kind, CompactString)> {
    match action {
        Action::Create { resource, .. } => Some((resource.kind(), resource.id()?.into())),
        _ => None,
    }
}

fn same_condition(action: &Action) -> Option<(Kind, String)> {
    match action {
        Action::Create { resource, if_none_exist: Some(query) } => {
            Some((resource.kind(), query.canonical.clone()))
        }
        _ => None,
    }
}

/// A second conditional create with the condition of an earlier one is about what that one creates.
fn matched_earlier(first: &Draft, action: Action) -> Result<Step, StoreError> {
    match (&first.step, action) {
        (Ok(Step::Put(put)), _) => Ok(Step::Matched(put.kind(), put.id().into())),
        (Ok(Step::Matched(kind, id)), _) => Ok(Step::Matched(*kind, id.clone())),
        (Err(error), _) => Err(error.clone()),
        (Ok(_), _) => unreachable!("only creates have this sort of condition"),
    }
}

fn link(draft: &Draft, sent: Option<(Kind, CompactString)>, links: &mut Links) {
    let (kind, id) = match &draft.step {
        Ok(Step::Put(put)) => (put.kind(), put.id()),
        Ok(Step::Matched(kind, id)) => (*kind, id.as_str()),
        _ => return,
    };
    if let Some(name) = &draft.full_url {
        links.add(name, kind, id);
    }
    if let Some((kind, old)) = sent {
        let name = format!("{kind}/{old}");
        if !links.contains(&name) {
            links.add(&name, kind, id);
        }
    }
}

fn found_reference(needs: &Needs, facts: &Facts, at: usize) -> Result<CompactString, ReferenceProblem> {
    if needs.conditions[at].query.is_none() {
        return Err(ReferenceProblem::BadCondition);
    }
    match &facts.found[at] {
        Found::One(kind, id) => Ok(compact_str::format_compact!("{kind}/{id}")),
        Found::None => Err(ReferenceProblem::NoMatch),
        Found::Many => Err(ReferenceProblem::ManyMatches),
    }
}

fn draft_of(action: Action, found: Option<&Found>, now: Instant) -> Result<Step, StoreError> {
    match action {
        Action::Create { resource, .. } => match found {
            Some(Found::One(kind, id)) => Ok(Step::Matched(*kind, id.clone())),
            Some(Found::Many) => Err(StoreError::MultipleMatches { kind: resource.kind() }),
            Some(Found::None) | None => Ok(put(resource, Some(&id::fresh(now)), true, None)),
        },
        Action::Update { resource, if_match } => match resource.id() {
            Some(_) => Ok(put(resource, None, false, if_match)),
            None => Err(StoreError::IdMismatch { kind: resource.kind() }),
        },
        Action::ConditionalUpdate { resource, if_match, .. } => match found {
            Some(Found::Many) => Err(StoreError::MultipleMatches { kind: resource.kind() }),
            Some(Found::One(_, id)) if resource.id().is_none_or(|own| own == id) => {
                Ok(put(resource, Some(id), false, if_match))
            }
            Some(Found::One(..)) => Err(StoreError::IdMismatch { kind: resource.kind() }),
            Some(Found::None) | None if resource.id().is_some() => Ok(put(resource, None, false, if_match)),
            Some(Found::None) | None => Ok(put(resource, Some(&id::fresh(now)), true, if_match)),
        },
        Action::Patch { kind, id, amendment, if_match } => Ok(patch(kind, &id, amendment, if_match)),
        Action::ConditionalPatch { kind, amendment, if_match, .. } => match found {
            Some(Found::One(kind, id)) => Ok(patch(*kind, id, amendment, if_match)),
            Some(Found::Many) => Err(StoreError::MultipleMatches { kind }),
            Some(Found::None) | None => Err(StoreError::NoMatch { kind }),
        },
        Action::Delete { kind, id, if_match } => Ok(Step::Delete { kind, id, if_match }),
        Action::ConditionalDelete { query, many } => Ok(Step::DeleteWhere { query, many }),
    }
}

fn put(mut resource: Resource, id: Option<&str>, creates: bool, if_match: Option<u64>) -> Step {
    if let Some(id) = id {
        resource.set_id(id);
    }
    let (seen, content) = (Seen::default(), Content::default());
    Step::Put(Box::new(Put {
        resource,
        creates,
        if_match,
        seen,
        content,
        targets: Vec::new(),
        amending: None,
    }))
}

fn patch(kind: Kind, id: &str, amendment: Amendment, if_match: Option<u64>) -> Step {
    let (seen, content) = (Seen::default(), Content::default());
    let (resource, amending) = (super::amend::nameplate(kind, id), Some(Amending::new(amendment)));
    Step::Put(Box::new(Put {
        resource,
        creates: false,
        if_match,
        seen,
        content,
        targets: Vec::new(),
        amending,
    }))
}
