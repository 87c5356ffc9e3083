//! Writes: scopes, validation, then one call of the store that decides again on what is really stored.
//! The change-log row of a write, committed with it, is its audit record; only refusals go to the ledger.

use std::sync::Arc;

use fhir::{Issue, IssueType, Kind, Resource, Value};
use search::Restriction;
use store::{Action as Op, Author, StoreError, WriteOp, WriteRequest, Written};

use crate::decide::Decision;
use crate::door::read::no_scope;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome, Record};
use crate::principal::{Access, Principal};
use crate::scope::Right;
use crate::validation::{Validation, errors_of};

/// From so many operations on, checking them leaves the threads that answer requests.
const OPS_INLINE_MAX: usize = 4;

/// What became of a write request.
#[derive(Debug)]
pub struct Answer {
    /// One result per operation, in the order asked.
    pub results: Vec<Result<Written, GateError>>,
    /// Position in the change log after it.
    pub seq: u64,
}

/// An operation that passed the checks, or why it did not.
type Checked = Result<WriteOp, GateError>;

impl Gate {
    /// Writes one thing.
    pub async fn write_one(&self, access: &Access, action: Op) -> Result<Written, GateError> {
        let answer = self.write(access, false, vec![WriteOp { full_url: None, action }]).await?;
        answer.results.into_iter().next().unwrap_or(Err(GateError::Store(StoreError::Closed)))
    }

    /// Writes several things: all or nothing when `atomic`, else each on its own.
    pub async fn write(&self, access: &Access, atomic: bool, ops: Vec<WriteOp>) -> Result<Answer, GateError> {
        let answer = self.attempt(access, atomic, ops).await;
        let refused: Vec<&GateError> = match &answer {
            Ok(answer) => answer.results.iter().filter_map(|result| result.as_ref().err()).collect(),
            Err(error) => vec![error],
        };
        // One record, however many operations were refused.
        if let Some(record) = self.record_of_refusals(access, &refused) {
            self.record(record).await?;
        }
        answer
    }

    async fn attempt(&self, access: &Access, atomic: bool, ops: Vec<WriteOp>) -> Result<Answer, GateError> {
        let checked = self.check_ops(access, ops).await;
        let mut results: Vec<Option<Result<Written, GateError>>> = Vec::with_capacity(checked.len());
        let mut ops = Vec::with_capacity(checked.len());
        for (entry, checked) in checked.into_iter().enumerate() {
            match checked {
                Ok(op) => {
                    ops.push(op);
                    results.push(None);
                }
                Err(error) if atomic => return Err(in_entry(entry, error)),
                Err(error) => results.push(Some(Err(error))),
            }
        }
        if ops.is_empty() {
            return Ok(Answer { results: results.into_iter().flatten().collect(), seq: 0 });
        }
        let answer = self.inner.store.write(self.request(access, atomic, ops)).await?;
        let mut written = answer.results.into_iter();
        let mut next = || written.next().unwrap_or(Err(StoreError::Closed)).map_err(GateError::from);
        let results = results.into_iter().map(|slot| slot.unwrap_or_else(&mut next)).collect();
        Ok(Answer { results, seq: answer.seq })
    }

    fn request(&self, access: &Access, atomic: bool, ops: Vec<WriteOp>) -> WriteRequest {
        let author = Author {
            principal: access.principal.id.clone(),
            purpose: access.purpose.code().to_string(),
            request: access.request.clone(),
            decision: format!("role {}", access.principal.roles),
            on_behalf_of: access.on_behalf_of.clone(),
        };
        WriteRequest {
            tenant: access.tenant.clone(),
            author,
            atomic,
            ops,
            decide: Arc::new(Decision {
                principal: Arc::clone(&access.principal),
                bases: Arc::clone(&self.inner.bases),
            }),
            restrictions: access.principal.restrictions(Right::Search),
        }
    }

    /// Scopes and validation of every operation, in order.
    async fn check_ops(&self, access: &Access, ops: Vec<WriteOp>) -> Vec<Checked> {
        let scoped = ops.into_iter().map(|op| match missing_scope(&access.principal, &op) {
            None => Ok(op),
            Some(why) => Err(GateError::Forbidden(why)),
        });
        let scoped: Vec<Checked> = scoped.collect();
        let (level, n_ops) = (self.inner.validation, scoped.len());
        let check = move || scoped.into_iter().map(|op| op.and_then(|op| validated(op, level))).collect();
        if n_ops <= OPS_INLINE_MAX {
            return check();
        }
        match tokio::task::spawn_blocking(check).await {
            Ok(checked) => checked,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// What the ledger says of a request of which something was refused. Nothing when the store itself failed: nothing was decided.
    fn record_of_refusals(&self, access: &Access, refused: &[&GateError]) -> Option<Record> {
        let denied = refused.iter().find(|error| matches!(error, GateError::Forbidden(_)));
        let first = denied.or_else(|| refused.iter().find(|error| error.is_callers()))?;
        let outcome = if denied.is_some() { Outcome::Denied } else { Outcome::Failed };
        let mut detail = first.to_string();
        if refused.len() > 1 {
            detail.push_str(&format!(" (and {} more)", refused.len() - 1));
        }
        Some(self.record_of(access, Action::Write, outcome).because(detail))
    }
}

/// The reason when no scope covers an operation, whatever is stored.
fn missing_scope(principal: &Principal, op: &WriteOp) -> Option<String> {
    let (kind, rights): (Kind, &[Right]) = match &op.action {
        Op::Create { resource, if_none_exist: None } => (resource.kind(), &[Right::Create]),
        Op::Create { resource, if_none_exist: Some(_) } => (resource.kind(), &[Right::Create, Right::Search]),
        Op::Update { resource, .. } => (resource.kind(), &[Right::Update]),
        Op::ConditionalUpdate { resource, .. } => (resource.kind(), &[Right::Update, Right::Search]),
        Op::Patch { kind, .. } => (*kind, &[Right::Update, Right::Read]),
        Op::ConditionalPatch { kind, .. } => (*kind, &[Right::Update, Right::Read, Right::Search]),
        Op::Delete { kind, .. } => (*kind, &[Right::Delete]),
        Op::ConditionalDelete { query, .. } => {
            (query.branches.first()?.kind, &[Right::Delete, Right::Search])
        }
    };
    let missing = |right: &&Right| principal.restriction(**right, kind) == Restriction::Nothing;
    rights.iter().find(missing).map(|right| no_scope(*right, kind))
}

fn validated(mut op: WriteOp, level: Validation) -> Checked {
    // What a patch makes is known only inside the transaction: it is checked there.
    if let Op::Patch { amendment, .. } | Op::ConditionalPatch { amendment, .. } = &mut op.action {
        let check = move |stored: &Resource, new: &Resource| patch_errors(stored, new, level);
        *amendment = amendment.clone().checked(check);
        return Ok(op);
    }
    let resource = match &op.action {
        Op::Create { resource, .. }
        | Op::Update { resource, .. }
        | Op::ConditionalUpdate { resource, .. } => resource,
        Op::Patch { .. } | Op::ConditionalPatch { .. } | Op::Delete { .. } | Op::ConditionalDelete { .. } => {
            return Ok(op);
        }
    };
    let issues = errors_of(resource, level);
    if issues.is_empty() { Ok(op) } else { Err(GateError::Invalid(issues)) }
}

/// What is wrong with what a patch made. Security labels stay: a patch that takes one away would open what they close.
fn patch_errors(stored: &Resource, new: &Resource, level: Validation) -> Vec<Issue> {
    let labels = |resource: &Resource| {
        let labels = resource.object().get("meta").and_then(|meta| meta.get("security"));
        labels.map_or_else(Vec::new, |labels| labels.items().to_vec())
    };
    let is_same = |a: &Value, b: &Value| a.get("system") == b.get("system") && a.get("code") == b.get("code");
    let kept = labels(new);
    let mut issues = errors_of(new, level);
    if labels(stored).iter().any(|label| !kept.iter().any(|other| is_same(label, other))) {
        let text = "a patch cannot take security labels away: leave `meta.security` as it is, or add to it";
        let issue = Issue::error(IssueType::BusinessRule, "patch-labels", text);
        issues.push(issue.at(format!("{}.meta.security", new.kind())));
    }
    issues
}

/// Says which entry of a transaction was at fault.
fn in_entry(entry: usize, error: GateError) -> GateError {
    match error {
        GateError::Invalid(issues) => GateError::InvalidEntry { entry, issues },
        error => error,
    }
}
