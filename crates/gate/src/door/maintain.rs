//! Looking after what is derived from the data: check it, build it anew.

use store::CheckReport;

use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;

const NOT_OPEN: &str = "the store is checked and rebuilt by role `admin` or `engineer`";

impl Gate {
    /// Do versions, index and change log agree. Names what does not, shows no content.
    pub async fn check(&self, access: &Access) -> Result<CheckReport, GateError> {
        self.require_maintainer(access, Action::Check).await?;
        let report = self.inner.store.check().await?;
        let mut record = self.record_of(access, Action::Check, Outcome::Done);
        record.count = report.resources;
        self.record(record).await?;
        Ok(report)
    }

    /// Builds the search index anew while the old one serves. Gives the number of resources.
    pub async fn rebuild_index(&self, access: &Access) -> Result<u64, GateError> {
        self.require_maintainer(access, Action::Rebuild).await?;
        let resources = self.inner.store.rebuild_index().await?;
        let mut record = self.record_of(access, Action::Rebuild, Outcome::Done);
        record.count = resources;
        self.record(record).await?;
        Ok(resources)
    }

    async fn require_maintainer(&self, access: &Access, action: Action) -> Result<(), GateError> {
        if access.principal.roles.iter().any(crate::Role::maintains) {
            return Ok(());
        }
        Err(self.deny(access, action, None, NOT_OPEN).await)
    }
}
