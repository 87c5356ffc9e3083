//! How many resources the caller may see of each type.

use fhir::Kind;

use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::scope::Right;

impl Gate {
    /// Resources per type, those with none left out.
    pub async fn counts(&self, access: &Access) -> Result<Vec<(Kind, u64)>, GateError> {
        let restrictions = access.principal.restrictions(Right::Search);
        let counts = self.inner.store.counts(&access.tenant, &restrictions).await?;
        let mut record = self.record_of(access, Action::Count, Outcome::Done);
        record.count = counts.len() as u64;
        self.record(record).await?;
        Ok(counts)
    }
}
