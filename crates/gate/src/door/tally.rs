//! How many resources match each of several searches: one access, one record. Charts and tabs are made of such numbers.

use search::{Query, Restriction, Summary};
use store::Page;

use crate::door::read::no_scope;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::scope::Right;

impl Gate {
    /// The total of each search, in their order. No resource is released. All types must be open to the caller.
    pub async fn tally(&self, access: &Access, queries: &[Query]) -> Result<Vec<u64>, GateError> {
        let kinds = queries.iter().flat_map(|query| &query.branches).map(|branch| branch.kind);
        for kind in kinds {
            if access.principal.restriction(Right::Search, kind) == Restriction::Nothing {
                return Err(self
                    .deny(access, Action::Count, Some(kind), no_scope(Right::Search, kind))
                    .await);
            }
        }
        let restrictions = access.principal.restrictions(Right::Search);
        let page =
            Page { count: 0, cursor_secret: &self.inner.cursor_secret, principal: &access.principal.id };
        let mut totals = Vec::with_capacity(queries.len());
        for query in queries {
            let query = Query { summary: Summary::Count, ..query.clone() };
            let found = self.inner.store.search(&access.tenant, &query, &restrictions, &page).await?;
            totals.push(found.total.unwrap_or_default());
        }
        let record = self.record_of(access, Action::Count, Outcome::Done);
        self.record(record.because(format!("{} numbers", totals.len()))).await?;
        Ok(totals)
    }
}
