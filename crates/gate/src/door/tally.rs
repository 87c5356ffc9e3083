//! How many resources match each of several searches: one access, one record. Charts and tabs are made of such numbers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use fhir::Instant;
use search::{Query, Restriction, Restrictions, Summary};
use store::{Page, Store, Tenant};
use tokio::task::JoinSet;

use crate::door::read::no_scope;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::scope::Right;

/// Searches that are counted at the same time.
const LANES: usize = 4;
/// Tallies remembered; when full, all are forgotten.
const TALLIES_MAX: usize = 256;

/// Remembered totals. The key holds everything that they depend on but the data: tenant, restrictions and queries.
#[derive(Default)]
pub(crate) struct Tallies(Mutex<HashMap<String, (Instant, Vec<u64>)>>);

impl Tallies {
    fn get(&self, key: &str, now: Instant, age_secs_max: i64) -> Option<Vec<u64>> {
        let known = self.0.lock().ok()?;
        let (at, totals) = known.get(key)?;
        let is_fresh = now.0 >= at.0 && now.0 - at.0 < age_secs_max * 1_000_000;
        is_fresh.then(|| totals.clone())
    }

    fn put(&self, key: String, now: Instant, totals: &[u64]) {
        if let Ok(mut known) = self.0.lock() {
            if known.len() >= TALLIES_MAX {
                known.clear();
            }
            known.insert(key, (now, totals.to_vec()));
        }
    }
}

impl Gate {
    /// The total of each search, in their order. No resource is released. All types must be open to the caller. The numbers may be up to
    /// `age_secs_max` old; the access is decided and recorded every time.
    pub async fn tally(
        &self,
        access: &Access,
        queries: &[Query],
        age_secs_max: u32,
    ) -> Result<Vec<u64>, GateError> {
        let kinds = queries.iter().flat_map(|query| &query.branches).map(|branch| branch.kind);
        for kind in kinds {
            if access.principal.restriction(Right::Search, kind) == Restriction::Nothing {
                let why = no_scope(Right::Search, kind);
                return Err(self.deny(access, Action::Count, Some(kind), why).await);
            }
        }
        let restrictions = access.principal.restrictions(Right::Search);
        let (key, now) = (key_of(&access.tenant, &restrictions, queries), self.now());
        let known = self.inner.tallies.get(&key, now, i64::from(age_secs_max));
        let totals = match known {
            Some(totals) => totals,
            None => {
                let totals = self.count(access, queries, restrictions).await?;
                if age_secs_max > 0 {
                    self.inner.tallies.put(key, now, &totals);
                }
                totals
            }
        };
        let record = self.record_of(access, Action::Count, Outcome::Done);
        self.record(record.because(format!("{} numbers", totals.len()))).await?;
        Ok(totals)
    }

    async fn count(
        &self,
        access: &Access,
        queries: &[Query],
        restrictions: Restrictions,
    ) -> Result<Vec<u64>, GateError> {
        let restrictions = Arc::new(restrictions);
        let mut lanes = JoinSet::new();
        for lane in 0..LANES.min(queries.len()) {
            let mine: Vec<Query> = queries.iter().skip(lane).step_by(LANES).cloned().collect();
            let (gate, access, restrictions) = (self.clone(), access.clone(), Arc::clone(&restrictions));
            lanes.spawn(async move {
                let (secret, store) = (&gate.inner.cursor_secret, &gate.inner.store);
                let page = Page { count: 0, cursor_secret: secret, principal: &access.principal.id };
                Ok::<_, GateError>((
                    lane,
                    totals_of(store, &access.tenant, mine, &restrictions, &page).await?,
                ))
            });
        }
        let mut totals = vec![0; queries.len()];
        while let Some(done) = lanes.join_next().await {
            let (lane, counted) =
                done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
            for (at, total) in counted.into_iter().enumerate() {
                totals[lane + at * LANES] = total;
            }
        }
        Ok(totals)
    }
}

async fn totals_of(
    store: &Store,
    tenant: &Tenant,
    queries: Vec<Query>,
    restrictions: &Restrictions,
    page: &Page<'_>,
) -> Result<Vec<u64>, GateError> {
    let mut totals = Vec::with_capacity(queries.len());
    for query in queries {
        let query = Query { summary: Summary::Count, ..query };
        let found = store.search(tenant, &query, restrictions, page).await?;
        totals.push(found.total.unwrap_or_default());
    }
    Ok(totals)
}

fn key_of(tenant: &Tenant, restrictions: &Restrictions, queries: &[Query]) -> String {
    let mut key = format!("{tenant}\n{restrictions:?}\n");
    for query in queries {
        for branch in &query.branches {
            key.push_str(branch.kind.name());
            key.push(' ');
        }
        key.push_str(&query.canonical);
        key.push('\n');
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_remembered_for_their_time() {
        let tallies = Tallies::default();
        tallies.put("a".into(), Instant(0), &[1, 2]);
        assert_eq!(tallies.get("a", Instant(59_999_999), 60), Some(vec![1, 2]));
        assert_eq!(tallies.get("a", Instant(60_000_000), 60), None);
        assert_eq!(tallies.get("a", Instant(0), 0), None);
        assert_eq!(tallies.get("b", Instant(0), 60), None);
    }
}
