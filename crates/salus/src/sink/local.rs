//! Writes units through the gate of a data folder that this process holds open.

use std::sync::Arc;

use fhir::Instant;
use gate::{Access, Action, Gate, GateError, StoreError, WriteOp, WriteOutcome};
use search::Query;

use crate::source::parse::text_of;
use crate::source::{Change, Unit};

use super::{Outcome, Written};

/// A gate and the access under which everything is written.
#[derive(Clone)]
pub(crate) struct LocalSink {
    pub(crate) gate: Gate,
    pub(crate) access: Arc<Access>,
    /// For conditions that speak of the present.
    pub(crate) now: Instant,
    /// Own base URL: references below it are local.
    pub(crate) base: String,
}

impl LocalSink {
    pub(crate) async fn write(&self, unit: Unit) -> anyhow::Result<Written> {
        let atomic = unit.atomic;
        let mut ops = Vec::with_capacity(unit.items.len());
        let mut refused: Vec<Option<String>> = Vec::with_capacity(unit.items.len());
        for (entry, item) in unit.items.into_iter().enumerate() {
            match self.op_of(item.full_url, item.change) {
                Ok(op) => {
                    ops.push(op);
                    refused.push(None);
                }
                Err(reason) if atomic => {
                    return Ok(Written::Nothing { entry: Some(entry), reason, waits: false });
                }
                Err(reason) => refused.push(Some(reason)),
            }
        }
        let answer = match self.gate.write(&self.access, atomic, ops).await {
            Ok(answer) => answer,
            Err(error) => return refusal_of(error),
        };
        let mut results = answer.results.into_iter();
        let mut each = Vec::with_capacity(refused.len());
        for slot in refused {
            each.push(match slot {
                Some(reason) => Err(reason),
                None => match results.next() {
                    Some(Ok(written)) => Ok(outcome_of(written.outcome)),
                    Some(Err(error)) if is_fatal(&error) => return Err(error.into()),
                    Some(Err(error)) => Err(reason_of(&error)),
                    None => anyhow::bail!("the store gave fewer answers than it was asked for"),
                },
            });
        }
        Ok(Written::Each(each))
    }

    pub(crate) async fn read(&self, kind: &str, id: &str) -> anyhow::Result<Option<fhir::Value>> {
        let kind = fhir::Kind::parse(kind).ok_or_else(|| anyhow::anyhow!("`{kind}` is no type of R4"))?;
        match self.gate.read(&self.access, kind, id).await {
            Ok(stored) => {
                let value = fhir::json::parse(stored.body.bytes(), &fhir::json::Limits::default())?;
                Ok(Some(value))
            }
            Err(GateError::NotFound { .. } | GateError::Gone { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn op_of(&self, full_url: Option<String>, change: Change) -> Result<WriteOp, String> {
        let action = match change {
            Change::Put { resource, if_match } => Action::Update { resource, if_match },
            Change::Create { resource, if_none_exist } => {
                let if_none_exist =
                    if_none_exist.map(|query| self.query_of(resource.kind(), &query)).transpose()?;
                Action::Create { resource, if_none_exist }
            }
            Change::PutWhere { resource, query } => {
                let query = self.query_of(resource.kind(), &query)?;
                Action::ConditionalUpdate { resource, query, if_match: None }
            }
            Change::Delete { kind, id } => Action::Delete { kind, id: id.into(), if_match: None },
        };
        Ok(WriteOp { full_url, action })
    }

    fn query_of(&self, kind: fhir::Kind, text: &str) -> Result<Query, String> {
        let options = search::Options::new(true, vec![self.base.clone()], self.now);
        let parsed = search::parse(Some(kind), text, &options)
            .map_err(|issues| format!("its condition is not understood: {}", text_of(&issues)))?;
        Ok(parsed.query)
    }
}

fn outcome_of(outcome: WriteOutcome) -> Outcome {
    match outcome {
        WriteOutcome::Created => Outcome::Created,
        WriteOutcome::Updated => Outcome::Updated,
        WriteOutcome::Deleted => Outcome::Deleted,
        WriteOutcome::Unchanged | WriteOutcome::Matched | WriteOutcome::NothingToDelete => Outcome::Unchanged,
    }
}

fn refusal_of(error: GateError) -> anyhow::Result<Written> {
    if is_fatal(&error) {
        return Err(error.into());
    }
    let entry = match &error {
        GateError::InvalidEntry { entry, .. } | GateError::Store(StoreError::Reference { entry, .. }) => {
            Some(*entry)
        }
        _ => None,
    };
    let waits = matches!(error, GateError::Store(StoreError::Reference { .. }));
    Ok(Written::Nothing { entry, reason: reason_of(&error), waits })
}

// What will fail for every other change just as well.
fn is_fatal(error: &GateError) -> bool {
    match error {
        GateError::Unauthenticated(_) | GateError::Ledger(_) => true,
        GateError::Store(error) => matches!(
            error,
            StoreError::Full
                | StoreError::ReadOnly
                | StoreError::NewerVersion { .. }
                | StoreError::Locked
                | StoreError::Corrupt { .. }
                | StoreError::Closed
        ),
        _ => false,
    }
}

fn reason_of(error: &GateError) -> String {
    match error {
        GateError::Invalid(issues) | GateError::InvalidEntry { issues, .. } => text_of(issues),
        other => other.to_string(),
    }
}
