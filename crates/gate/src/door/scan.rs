//! Pages of an export: current versions with their stored bytes, of the types and patients that the caller may see.

use fhir::Kind;
use search::Restriction;
use store::{ScanPage, ScanQuery};

use crate::door::read::no_scope;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::patients::patients_of;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::scope::Right;

/// The most resources of one page.
const PAGE_COUNT_MAX: usize = 1_000;

impl Gate {
    /// One page, in the order in which the resources were first stored. One record per page, with its patients.
    pub async fn scan(&self, access: &Access, mut query: ScanQuery) -> Result<ScanPage, GateError> {
        for kind in &query.kinds {
            if access.principal.restriction(Right::Search, *kind) == Restriction::Nothing {
                let why = no_scope(Right::Search, *kind);
                return Err(self.deny(access, Action::Export, Some(*kind), why).await);
            }
        }
        query.count = query.count.clamp(1, PAGE_COUNT_MAX);
        let kinds: Vec<&str> = query.kinds.iter().map(|kind| Kind::name(*kind)).collect();
        let kinds = kinds.join(" ");
        let restrictions = access.principal.restrictions(Right::Search);
        let answer = self.inner.store.scan(&access.tenant, query, &restrictions).await;
        let outcome = if answer.is_ok() { Outcome::Done } else { Outcome::Failed };
        let mut record = self.record_of(access, Action::Export, outcome);
        record.detail = Some(kinds).filter(|kinds| !kinds.is_empty());
        if let Ok(page) = &answer {
            record.count = page.entries.len() as u64;
            for stored in &page.entries {
                patients_of(stored.kind, &stored.id, stored.body.bytes(), &mut record.patients);
            }
        }
        self.record(record).await?;
        Ok(answer?)
    }
}
