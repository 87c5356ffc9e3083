//! The store: few methods, each one question. The backend is chosen once, when it is opened.

use std::sync::Arc;

use fhir::{Clock, Kind};
use search::{Query, Restrictions};

use crate::sqlite::{self, SqliteStore};
use crate::{
    Change, CheckReport, HistoryOf, HistoryPage, HistoryQuery, Page, ScanPage, ScanQuery, SearchPage,
    StoreConfig, StoreError, Stored, Tenant, WriteAnswer, WriteRequest,
};

/// Versions, history, search and change log of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
}

/// Where the data is.
#[derive(Clone)]
enum Backend {
    /// In files of this machine.
    Sqlite(Arc<SqliteStore>),
}

impl Store {
    /// Opens the data folder, making it when it is missing. A second store on the folder is [`StoreError::Locked`].
    pub fn open(config: StoreConfig, clock: Arc<dyn Clock>) -> Result<Store, StoreError> {
        let store = Arc::new(sqlite::open(config, clock)?);
        sqlite::build_when_stale(&store)?;
        Ok(Store { backend: Backend::Sqlite(store) })
    }

    /// The current version; `None` when there was never one. A deleted resource is its deletion.
    pub async fn read(&self, tenant: &Tenant, kind: Kind, id: &str) -> Result<Option<Stored>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.read(tenant, kind, id).await,
        }
    }

    /// One version.
    pub async fn read_version(
        &self,
        tenant: &Tenant,
        kind: Kind,
        id: &str,
        version: u64,
    ) -> Result<Option<Stored>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.read_version(tenant, kind, id, version).await,
        }
    }

    /// One page of versions, newest first; those that the restrictions hide are not there.
    pub async fn history(
        &self,
        tenant: &Tenant,
        of: HistoryOf,
        query: HistoryQuery,
        restrictions: &Restrictions,
    ) -> Result<HistoryPage, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.history(tenant, of, query, restrictions).await,
        }
    }

    /// One page of a search; what the restrictions hide is not there, in whatever way the query touches it.
    pub async fn search(
        &self,
        tenant: &Tenant,
        query: &Query,
        restrictions: &Restrictions,
        page: &Page<'_>,
    ) -> Result<SearchPage, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.search(tenant, query, restrictions, page).await,
        }
    }

    /// Writes. Durable when it returns. An atomic request that fails is an error that names the entry, and nothing of it is stored.
    pub async fn write(&self, request: WriteRequest) -> Result<WriteAnswer, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.write(request).await,
        }
    }

    /// Up to `max` entries of the change log behind a position. What was read once stays as it was.
    pub async fn changes(&self, after: u64, max: usize) -> Result<Vec<Change>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.changes(after, max).await,
        }
    }

    /// The position of the newest entry of the change log, of whatever tenant; 0 when there is none.
    pub async fn newest_change(&self) -> Result<u64, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.newest_change().await,
        }
    }

    /// The tenants that have entries behind position `after` in the change log, by name.
    pub async fn changed_tenants(&self, after: u64) -> Result<Vec<Tenant>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.changed_tenants(after).await,
        }
    }

    /// The last `max` entries of a tenant's change log, newest first.
    pub async fn last_changes(&self, tenant: &Tenant, max: usize) -> Result<Vec<Change>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.last_changes(tenant, max).await,
        }
    }

    /// The last `max` entries of the change log about one resource, newest first; none when it never was.
    pub async fn changes_of(
        &self,
        tenant: &Tenant,
        kind: Kind,
        id: &str,
        max: usize,
    ) -> Result<Vec<Change>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.changes_of(tenant, kind, id, max).await,
        }
    }

    /// How many resources there are of each type that the restrictions let through; types with none are left out.
    pub async fn counts(
        &self,
        tenant: &Tenant,
        restrictions: &Restrictions,
    ) -> Result<Vec<(Kind, u64)>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.counts(tenant, restrictions).await,
        }
    }

    /// One page of an export: current versions with their stored bytes.
    pub async fn scan(
        &self,
        tenant: &Tenant,
        query: ScanQuery,
        restrictions: &Restrictions,
    ) -> Result<ScanPage, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.scan(tenant, query, restrictions).await,
        }
    }

    /// Builds the search index anew, as a new generation beside the one that serves, and switches over. Gives the number of resources.
    pub async fn rebuild_index(&self) -> Result<u64, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.rebuild_index().await,
        }
    }

    /// Do index, versions and change log agree.
    pub async fn check(&self) -> Result<CheckReport, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.check().await,
        }
    }

    /// Refuses new work, does what waits, and leaves the files tidy.
    pub async fn close(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.close().await,
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
