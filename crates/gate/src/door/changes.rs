//! The change log: what was written, in order, by whom. For background work that follows the data.

use store::Change;

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
        if access.principal.scopes.reach_of_all(Right::Search) != Reach::Everything {
            let why = "the change log spans all types: a scope `system/*.rs` or `user/*.rs` is needed";
            return Err(self.deny(access, Action::Changes, None, why).await);
        }
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
}
