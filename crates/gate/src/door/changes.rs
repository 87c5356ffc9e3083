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
        let changes = self.inner.store.changes(after, max.min(CHANGES_MAX)).await?;
        let mut record = self.record_of(access, Action::Changes, Outcome::Done);
        record.count = changes.len() as u64;
        self.record(record).await?;
        Ok(changes)
    }
}
