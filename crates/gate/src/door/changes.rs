//! The change log: what was written, in order, by whom. For background work that follows the data.

use fhir::Kind;
use search::Restriction;
use store::{Change, Tenant};

use crate::door::read::no_scope;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::scope::{Reach, Right};

/// The most changes of one page.
const CHANGES_MAX: usize = 10_000;

impl Gate {
    /// Changes behind a position. Needs to see everything: the log spans all types and patients.
    pub async fn changes(&self, access: &Access, after: u64, max: usize) -> Result<Vec<Change>, GateError> {
        self.require_everything(access).await?;
        let max = max.clamp(1, CHANGES_MAX);
        let mut after = after;
        // The log is of all tenants: pages of nothing but other tenants' changes are passed over.
        let changes = loop {
            let mut changes = self.inner.store.changes(after, max).await?;
            let Some(last) = changes.last().map(|change| change.seq) else { break changes };
            changes.retain(|change| change.tenant == access.tenant);
            if !changes.is_empty() {
                break changes;
            }
            after = last;
        };
        let mut record = self.record_of(access, Action::Changes, Outcome::Done);
        record.count = changes.len() as u64;
        self.record(record).await?;
        Ok(changes)
    }

    /// Where the change log ends. Tells of no data, so that followers may ask again and again without filling the ledger.
    pub async fn newest_change(&self) -> Result<u64, GateError> {
        Ok(self.inner.store.newest_change().await?)
    }

    /// The tenants that have changes behind a position, by name. Tells of no data, as [`Gate::newest_change`].
    pub async fn changed_tenants(&self, after: u64) -> Result<Vec<Tenant>, GateError> {
        Ok(self.inner.store.changed_tenants(after).await?)
    }

    /// The last changes, newest first, for people who look at what happens. Needs to see everything.
    pub async fn last_changes(&self, access: &Access, max: usize) -> Result<Vec<Change>, GateError> {
        self.require_everything(access).await?;
        let changes = self.inner.store.last_changes(&access.tenant, max.clamp(1, CHANGES_MAX)).await?;
        let mut record = self.record_of(access, Action::Changes, Outcome::Done);
        record.count = changes.len() as u64;
        self.record(record).await?;
        Ok(changes)
    }

    /// Who wrote which version of a resource, newest first. Only for those who see every resource of the type: to others it is empty, as
    /// the authors of a record are not part of it.
    pub async fn changes_of(&self, access: &Access, kind: Kind, id: &str) -> Result<Vec<Change>, GateError> {
        let changes = match access.principal.restriction(Right::Read, kind) {
            Restriction::Nothing => {
                return Err(self
                    .deny(access, Action::Changes, Some(kind), no_scope(Right::Read, kind))
                    .await);
            }
            Restriction::Compartment { .. } => Vec::new(),
            Restriction::All => self.inner.store.changes_of(&access.tenant, kind, id, CHANGES_MAX).await?,
        };
        let mut record = self.record_of(access, Action::Changes, Outcome::Done).on(Some(kind), id);
        record.count = changes.len() as u64;
        self.record(record).await?;
        Ok(changes)
    }

    async fn require_everything(&self, access: &Access) -> Result<(), GateError> {
        if access.principal.scopes.reach_of_all(Right::Search) == Reach::Everything {
            return Ok(());
        }
        let why = "the change log spans all types: a scope `system/*.rs` or `user/*.rs` is needed";
        Err(self.deny(access, Action::Changes, None, why).await)
    }
}
