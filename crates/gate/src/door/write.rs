//! Writes: scopes, validation, then one call of the store that decides again on what is really stored.
//! The change-log row of a write, committed with it, is its audit record; only refusals go to the ledger.

use std::sync::Arc;

use fhir::Kind;
use search::Restriction;
use store::{Action as Op, Author, StoreError, WriteOp, WriteRequest, Written};

use crate::decide::Decision;
use crate::door::read::no_scope;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
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
        let checked = self.check(access, ops).await;
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
        let mut seq = 0;
        let mut written = Vec::new();
        if !ops.is_empty() {
            let answer = match self.inner.store.write(self.request(access, atomic, ops)).await {
                Ok(answer) => answer,
                Err(error) => return Err(self.refused(access, error).await),
            };
            seq = answer.seq;
            written = answer.results;
        }
        let mut written = written.into_iter();
        let mut filled = Vec::with_capacity(results.len());
        for slot in results {
            filled.push(match (slot, written.len()) {
                (Some(result), _) => result,
                (None, _) => match written.next() {
                    Some(Ok(written)) => Ok(written),
                    Some(Err(error)) => Err(self.refused(access, error).await),
                    None => Err(GateError::Store(StoreError::Closed)),
                },
            });
        }
        Ok(Answer { results: filled, seq })
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
            decide: Arc::new(Decision { principal: Arc::clone(&access.principal) }),
            restrictions: access.principal.restrictions(Right::Search),
        }
    }

    /// Scopes and validation of every operation, in order.
    async fn check(&self, access: &Access, ops: Vec<WriteOp>) -> Vec<Checked> {
        let mut checked = Vec::with_capacity(ops.len());
        for op in ops {
            checked.push(match self.missing_scope(access, &op) {
                None => Ok(op),
                Some((kind, why)) => Err(self.deny(access, Action::Write, Some(kind), why).await),
            });
        }
        let level = self.inner.validation;
        if checked.len() <= OPS_INLINE_MAX {
            return checked.into_iter().map(|op| op.and_then(|op| validated(op, level))).collect();
        }
        let work = move || checked.into_iter().map(|op| op.and_then(|op| validated(op, level))).collect();
        match tokio::task::spawn_blocking(work).await {
            Ok(checked) => checked,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// The type and reason when no scope covers an operation, whatever is stored.
    fn missing_scope(&self, access: &Access, op: &WriteOp) -> Option<(Kind, String)> {
        let (kind, rights): (Kind, &[Right]) = match &op.action {
            Op::Create { resource, if_none_exist: None } => (resource.kind(), &[Right::Create]),
            Op::Create { resource, if_none_exist: Some(_) } => (resource.kind(), &[Right::Create, Right::Search]),
            Op::Update { resource, .. } => (resource.kind(), &[Right::Update]),
            Op::ConditionalUpdate { resource, .. } => (resource.kind(), &[Right::Update, Right::Search]),
            Op::Delete { kind, .. } => (*kind, &[Right::Delete]),
            Op::ConditionalDelete { query, .. } => {
                (query.branches.first()?.kind, &[Right::Delete, Right::Search])
            }
        };
        let missing = |right: &&Right| access.principal.restriction(**right, kind) == Restriction::Nothing;
        rights.iter().find(missing).map(|right| (kind, no_scope(*right, kind)))
    }

    /// Records a refusal that came from the decision inside the store.
    async fn refused(&self, access: &Access, error: StoreError) -> GateError {
        if let StoreError::Forbidden(why) = &error {
            let record = self.record_of(access, Action::Write, Outcome::Denied).because(why.clone());
            if let Err(e) = self.record(record).await {
                return e;
            }
            return GateError::Forbidden(why.clone());
        }
        GateError::Store(error)
    }
}

fn validated(op: WriteOp, level: Validation) -> Checked {
    let resource = match &op.action {
        Op::Create { resource, .. } | Op::Update { resource, .. } | Op::ConditionalUpdate { resource, .. } => resource,
        Op::Delete { .. } | Op::ConditionalDelete { .. } => return Ok(op),
    };
    let issues = errors_of(resource, level);
    if issues.is_empty() { Ok(op) } else { Err(GateError::Invalid(issues)) }
}

/// Says which entry of a transaction was at fault.
fn in_entry(entry: usize, error: GateError) -> GateError {
    match error {
        GateError::Invalid(issues) => GateError::InvalidEntry { entry, issues },
        error => error,
    }
}
