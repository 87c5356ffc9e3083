//! One page of a history: of a resource, of a type, or of everything.

use search::Restriction;
use store::{HistoryOf, HistoryPage, HistoryQuery};

use crate::door::read::no_scope;
use crate::door::search::describe;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::scope::{Reach, Right};

impl Gate {
    /// One page of versions, newest first.
    pub async fn history(
        &self,
        access: &Access,
        of: HistoryOf,
        query: HistoryQuery,
    ) -> Result<HistoryPage, GateError> {
        let (right, kind, id) = match &of {
            HistoryOf::Instance(kind, id) => (Right::Read, Some(*kind), id.to_string()),
            HistoryOf::Kind(kind) => (Right::Search, Some(*kind), String::new()),
            HistoryOf::System => (Right::Search, None, String::new()),
        };
        let scopes = &access.principal.scopes;
        let barred = match kind {
            Some(kind) => access.principal.restriction(right, kind) == Restriction::Nothing,
            None => scopes.reach_of_all(right) == Reach::Nothing && scopes.kinds().next().is_none(),
        };
        if barred {
            let why =
                kind.map_or_else(|| "no scope of the token allows this".into(), |kind| no_scope(right, kind));
            return Err(self.deny(access, Action::History, kind, why).await);
        }
        let restrictions = access.principal.restrictions(right);
        let narrowed = query.since.is_some() || query.at.is_some();
        let page = self.inner.store.history(&access.tenant, of.clone(), query, &restrictions).await;
        let mut unknown =
            matches!(of, HistoryOf::Instance(..)) && page.as_ref().is_ok_and(|page| page.total == Some(0));
        // Nothing new is not the same as nothing there.
        if unknown && narrowed {
            let whole = HistoryQuery { count: 1, ..HistoryQuery::default() };
            let whole = self.inner.store.history(&access.tenant, of, whole, &restrictions).await;
            unknown = whole.is_ok_and(|whole| whole.total == Some(0));
        }
        let outcome = match &page {
            Ok(_) if unknown => Outcome::NotFound,
            Ok(_) => Outcome::Done,
            Err(_) => Outcome::Failed,
        };
        let mut record = self.record_of(access, Action::History, outcome).on(kind, "");
        match &page {
            Ok(page) => describe(&mut record, page.entries.iter()),
            Err(_) => record.ids.clone_from(&id),
        }
        self.record(record).await?;
        match (page, kind) {
            (Ok(_), Some(kind)) if unknown => Err(GateError::NotFound { kind, id }),
            (page, _) => Ok(page?),
        }
    }
}
