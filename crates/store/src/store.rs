//! The store: few methods, each one question. The backend is chosen once, when it is opened.

use std::sync::Arc;

use fhir::{Clock, Kind};
use search::{Query, Restrictions};

use crate::{
    Change, CheckReport, HistoryOf, HistoryPage, HistoryQuery, Page, ScanPage, ScanQuery, SearchPage,
    StoreConfig, StoreError, Stored, Tenant, WriteAnswer, WriteRequest,
};

/// Versions, history, search and change log of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    clock: Arc<dyn Clock>,
}

impl Store {
    /// Opens the data folder, making it when it is missing. A second store on the folder is [`StoreError::Locked`].
    pub fn open(config: StoreConfig, clock: Arc<dyn Clock>) -> Result<Store, StoreError> {
        drop(config);
        Ok(Store { clock })
    }

    /// The current version; `None` when there was never one. A deleted resource is its deletion.
    pub async fn read(&self, tenant: &Tenant, kind: Kind, id: &str) -> Result<Option<Stored>, StoreError> {
        let _ = (self.clock.now(), tenant, kind, id);
        Err(StoreError::Closed)
    }

    /// One version.
    pub async fn read_version(
        &self,
        tenant: &Tenant,
        kind: Kind,
        id: &str,
        version: u64,
    ) -> Result<Option<Stored>, StoreError> {
        let _ = (tenant, kind, id, version);
        Err(StoreError::Closed)
    }

    /// One page of versions, newest first; those that the restrictions hide are not there.
    pub async fn history(
        &self,
        tenant: &Tenant,
        of: HistoryOf,
        query: HistoryQuery,
        restrictions: &Restrictions,
    ) -> Result<HistoryPage, StoreError> {
        let _ = (tenant, of, query, restrictions);
        Err(StoreError::Closed)
    }

    /// One page of a search; what the restrictions hide is not there, in whatever way the query touches it.
    pub async fn search(
        &self,
        tenant: &Tenant,
        query: &Query,
        restrictions: &Restrictions,
        page: &Page<'_>,
    ) -> Result<SearchPage, StoreError> {
        let _ = (tenant, query, restrictions, page.count);
        Err(StoreError::Closed)
    }

    /// Writes. Durable when it returns. An atomic request that fails is an error that names the entry, and nothing of it is stored.
    pub async fn write(&self, request: WriteRequest) -> Result<WriteAnswer, StoreError> {
        drop(request);
        Err(StoreError::Closed)
    }

    /// Up to `max` entries of the change log behind a position. What was read once stays as it was.
    pub async fn changes(&self, after: u64, max: usize) -> Result<Vec<Change>, StoreError> {
        let _ = (after, max);
        Err(StoreError::Closed)
    }

    /// How many resources there are of each type that the restrictions let through; types with none are left out.
    pub async fn counts(
        &self,
        tenant: &Tenant,
        restrictions: &Restrictions,
    ) -> Result<Vec<(Kind, u64)>, StoreError> {
        let _ = (tenant, restrictions);
        Err(StoreError::Closed)
    }

    /// One page of an export: current versions with their stored bytes.
    pub async fn scan(
        &self,
        tenant: &Tenant,
        query: ScanQuery,
        restrictions: &Restrictions,
    ) -> Result<ScanPage, StoreError> {
        let _ = (tenant, query, restrictions);
        Err(StoreError::Closed)
    }

    /// Builds the search index anew, as a new generation beside the one that serves, and switches over. Gives the number of resources.
    pub async fn rebuild_index(&self) -> Result<u64, StoreError> {
        Err(StoreError::Closed)
    }

    /// Do index, versions and change log agree.
    pub async fn check(&self) -> Result<CheckReport, StoreError> {
        Err(StoreError::Closed)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
