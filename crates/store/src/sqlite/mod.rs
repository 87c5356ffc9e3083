//! The embedded backend: one SQLite file, one writer, readers on snapshots.

mod catalog;
mod check;
mod facts;
mod failure;
mod hash;
mod index;
mod open;
mod read;
mod rebuild;
mod search;
mod write;

use std::sync::{Arc, PoisonError, RwLock};

use ::search::{Query, Restrictions};
use fhir::{Clock, Kind};
use tokio::sync::Semaphore;

use crate::prepare::{Facts, Needs, Planner};
use crate::{
    Action, Change, CheckReport, HistoryOf, HistoryPage, HistoryQuery, Page, ScanPage, ScanQuery, SearchPage,
    StoreConfig, StoreError, StoreLimits, Stored, Tenant, WriteAnswer, WriteOp, WriteRequest,
};
pub(crate) use open::open;
pub(crate) use rebuild::build_when_stale;

use catalog::Catalog;
use failure::Try;
use read::current::stored_of;
use write::{Answer, Job, Task, WriteJob};

/// Bytes of a resource in memory for each value of it, roughly: what a waiting write is counted as.
const OP_BYTES: usize = 4_096;
/// Up to so many operations are planned on the thread that asks, when nothing must be looked up.
const OPS_INLINE_MAX: usize = 1;

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) config: StoreConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) planner: Planner,
    /// Limits of searches that decide on a write: they hold up the writer.
    pub(crate) condition_limits: StoreLimits,
    catalog: RwLock<Arc<Catalog>>,
}

impl Shared {
    /// The numbers that are committed.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows readers what a commit added.
    pub(crate) fn show_catalog(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }
}

/// The backend.
pub(crate) struct SqliteStore {
    shared: Arc<Shared>,
    writer: db::Writer<Job, Answer>,
    readers: db::Readers,
    /// Bounds the memory of prepared writes: who comes when it is used up waits.
    room: Semaphore,
    /// Held while the index is built anew.
    rebuilding: tokio::sync::Mutex<()>,
    _lock: db::FolderLock,
}

impl SqliteStore {
    pub(crate) async fn read(
        &self,
        tenant: &Tenant,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Stored>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        let name = id.clone();
        let found =
            self.look(move |conn, catalog| read::version::find(conn, catalog, &tenant, kind, &id)).await?;
        // Unpacked here: the reader goes on with the next read.
        Ok(found.map(|current| stored_of(kind, &name, &current)).transpose()?)
    }

    pub(crate) async fn read_version(
        &self,
        tenant: &Tenant,
        kind: Kind,
        id: &str,
        version: u64,
    ) -> Result<Option<Stored>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.look(move |conn, catalog| {
            read::version::read_version(conn, catalog, &tenant, kind, &id, version)
        })
        .await
    }

    pub(crate) async fn history(
        &self,
        tenant: &Tenant,
        of: HistoryOf,
        query: HistoryQuery,
        restrictions: &Restrictions,
    ) -> Result<HistoryPage, StoreError> {
        let (tenant, restrictions) = (tenant.clone(), restrictions.clone());
        self.snapshot(move |conn, shared, catalog| {
            read::history::page(conn, catalog, &tenant, &of, &query, &restrictions, &shared.planner.bases)
        })
        .await
    }

    pub(crate) async fn search(
        &self,
        tenant: &Tenant,
        query: &Query,
        restrictions: &Restrictions,
        page: &Page<'_>,
    ) -> Result<SearchPage, StoreError> {
        let (tenant, query, restrictions) = (tenant.clone(), query.clone(), restrictions.clone());
        let (count, secret, principal) = (page.count, page.cursor_secret.to_vec(), page.principal.to_owned());
        self.snapshot(move |conn, shared, catalog| {
            let page = Page { count, cursor_secret: &secret, principal: &principal };
            search::search(conn, shared, catalog, &tenant, &query, &restrictions, &page)
        })
        .await
    }

    pub(crate) async fn write(&self, request: WriteRequest) -> Result<WriteAnswer, StoreError> {
        let weight = OP_BYTES * request.ops.len().max(1);
        let room = u32::try_from(weight.min(self.shared.config.limits.waiting_bytes_max)).unwrap_or(u32::MAX);
        let _room = self.room.acquire_many(room).await.map_err(|_| StoreError::Closed)?;
        let now = self.shared.clock.now();
        // A patch may take as long as its caller likes, within limits.
        let patches =
            |op: &WriteOp| matches!(op.action, Action::Patch { .. } | Action::ConditionalPatch { .. });
        let is_small = request.ops.len() <= OPS_INLINE_MAX && !request.ops.iter().any(patches);
        let needs = match is_small {
            true => Needs::of(&request.ops, &self.shared.planner.bases, now),
            false => {
                let (shared, ops) = (Arc::clone(&self.shared), request.ops);
                let look = move || (Needs::of(&ops, &shared.planner.bases, now), ops);
                let (needs, ops) = blocking(look).await;
                return self.write_planned(WriteRequest { ops, ..request }, needs, weight, false).await;
            }
        };
        self.write_planned(request, needs, weight, true).await
    }

    async fn write_planned(
        &self,
        request: WriteRequest,
        needs: Needs,
        weight: usize,
        inline: bool,
    ) -> Result<WriteAnswer, StoreError> {
        let now = self.shared.clock.now();
        let WriteRequest { tenant, author, atomic, ops, decide, restrictions } = request;
        let facts = if needs.is_empty() {
            Facts::default()
        } else {
            let (tenant, needs, restrictions) = (tenant.clone(), needs.clone(), restrictions.clone());
            self.snapshot(move |conn, shared, catalog| {
                facts::gather(conn, catalog, &tenant, &needs, &restrictions, &shared.condition_limits)
            })
            .await?
        };
        let shared = Arc::clone(&self.shared);
        // Kept for the case that a condition has another answer when the writer comes to it.
        let kept = (!needs.conditions.is_empty()).then(|| ops.clone());
        let plan = move || {
            let plan = shared.planner.plan(ops, atomic, &needs, &facts, now);
            (plan, needs, facts)
        };
        let (plan, needs, facts) = if inline { plan() } else { blocking(plan).await };
        let job =
            WriteJob { tenant, author, atomic, plan, decide, restrictions, needs, facts, ops: kept, weight };
        match self.writer.send(Job(Task::Write(Box::new(job)))).await? {
            Answer::Written(answer, used) => {
                drop(used);
                answer
            }
            Answer::Rebuilt(_) => {
                Err(StoreError::Bug { what: "the writer answered another question".into() })
            }
        }
    }

    pub(crate) async fn changes(&self, after: u64, max: usize) -> Result<Vec<Change>, StoreError> {
        self.snapshot(move |conn, _, catalog| read::changes::changes(conn, catalog, after, max)).await
    }

    pub(crate) async fn newest_change(&self) -> Result<u64, StoreError> {
        self.snapshot(move |conn, _, _| read::changes::newest(conn)).await
    }

    pub(crate) async fn changed_tenants(&self, after: u64) -> Result<Vec<Tenant>, StoreError> {
        self.snapshot(move |conn, _, _| read::changes::tenants(conn, after)).await
    }

    pub(crate) async fn last_changes(&self, tenant: &Tenant, max: usize) -> Result<Vec<Change>, StoreError> {
        let tenant = tenant.clone();
        self.snapshot(move |conn, _, catalog| read::changes::last(conn, catalog, &tenant, max)).await
    }

    pub(crate) async fn changes_of(
        &self,
        tenant: &Tenant,
        kind: Kind,
        id: &str,
        max: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.to_string());
        self.snapshot(move |conn, _, catalog| {
            read::changes::of_resource(conn, catalog, &tenant, kind, &id, max)
        })
        .await
    }

    pub(crate) async fn counts(
        &self,
        tenant: &Tenant,
        restrictions: &Restrictions,
    ) -> Result<Vec<(Kind, u64)>, StoreError> {
        let (tenant, restrictions) = (tenant.clone(), restrictions.clone());
        self.snapshot(move |conn, shared, catalog| {
            read::counts::counts(conn, catalog, &tenant, &restrictions, &shared.config.limits)
        })
        .await
    }

    pub(crate) async fn scan(
        &self,
        tenant: &Tenant,
        query: ScanQuery,
        restrictions: &Restrictions,
    ) -> Result<ScanPage, StoreError> {
        let (tenant, restrictions) = (tenant.clone(), restrictions.clone());
        self.snapshot(move |conn, shared, catalog| {
            read::scan::page(conn, catalog, &tenant, &query, &restrictions, &shared.config.limits)
        })
        .await
    }

    pub(crate) async fn rebuild_index(&self) -> Result<u64, StoreError> {
        rebuild::run(self).await
    }

    pub(crate) async fn check(&self) -> Result<CheckReport, StoreError> {
        self.snapshot(check::check).await
    }

    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.room.close();
        self.readers.close().await;
        Ok(self.writer.close().await?)
    }

    /// Runs on a reader thread, on one snapshot, what asks for one type only and not for the search index.
    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection, &Catalog) -> Try<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        Ok(self.readers.read(move |conn| Ok(work(conn, &shared.catalog()))).await??)
    }

    /// Runs on a reader thread, on one snapshot, with the numbers that belong to it.
    async fn snapshot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection, &Shared, &Catalog) -> Try<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let read = move |conn: &rusqlite::Connection| {
            // The snapshot begins with the first question. Numbers that are taken after it know all that it holds, and more.
            shared.catalog().is_complete_in(conn)?;
            let mut catalog = shared.catalog();
            // The index may have been switched, and the old one taken away, just before the snapshot began.
            while !catalog.is_complete_in(conn)? {
                catalog = shared.catalog();
            }
            Ok(work(conn, &shared, &catalog))
        };
        Ok(self.readers.read(read).await??)
    }
}

/// Runs work that takes long on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
