//! One page of a search. What the caller may not see is not there: not in matches, chains, includes, totals or links.

use search::{Query, Restriction};
use store::{Page, SearchPage, Stored};

use crate::door::read::no_scope;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::patients::patients_of;
use crate::ledger::record::{Action, Outcome, Record};
use crate::principal::Access;
use crate::scope::Right;

impl Gate {
    /// One page of matches and what they include.
    pub async fn search(&self, access: &Access, query: &Query, count: u32) -> Result<SearchPage, GateError> {
        for branch in &query.branches {
            let kind = branch.kind;
            if query.branches.len() == 1
                && access.principal.restriction(Right::Search, kind) == Restriction::Nothing
            {
                return Err(self
                    .deny(access, Action::Search, Some(kind), no_scope(Right::Search, kind))
                    .await);
            }
        }
        let restrictions = access.principal.restrictions(Right::Search);
        let page = Page { count, cursor_secret: &self.inner.cursor_secret, principal: &access.principal.id };
        let answer = self.inner.store.search(&access.tenant, query, &restrictions, &page).await;
        let outcome = if answer.is_ok() { Outcome::Done } else { Outcome::Failed };
        let kind = (query.branches.len() == 1).then(|| query.branches[0].kind);
        let mut record = self.record_of(access, Action::Search, outcome).on(kind, "");
        record.detail = Some(names_of(query)).filter(|names| !names.is_empty());
        if let Ok(page) = &answer {
            describe(&mut record, page.matches.iter().chain(&page.included));
        }
        self.record(record).await?;
        Ok(answer?)
    }
}

/// Says in a record which resources an answer holds.
pub(crate) fn describe<'a>(record: &mut Record, released: impl Iterator<Item = &'a Stored>) {
    for stored in released {
        if !record.ids.is_empty() {
            record.ids.push(' ');
        }
        if record.kind != Some(stored.kind) {
            record.ids.push_str(stored.kind.name());
            record.ids.push('/');
        }
        record.ids.push_str(&stored.id);
        record.count += 1;
        patients_of(stored.kind, &stored.id, stored.body.bytes(), &mut record.patients);
    }
}

/// The names of the search parameters. Values can identify people and stay out.
fn names_of(query: &Query) -> String {
    let names: Vec<&str> =
        query.canonical.split(['?', '&']).filter_map(|part| Some(part.split_once('=')?.0)).collect();
    names.join(" ")
}
