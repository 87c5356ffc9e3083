//! What the tests share: a store in a folder of its own, and short ways to ask it.

use std::sync::Arc;

use compact_str::CompactString;
use fhir::json::Limits;
use fhir::{Clock, Instant, Kind, Resource};
use search::{Query, Restriction, Restrictions};
use store::{
    Action, Author, Decide, Page, PermitAll, SearchPage, Store, StoreConfig, StoreError, Stored, Tenant,
    WriteAnswer, WriteOp, WriteRequest, Written,
};
use testkit::{DataFolder, FixedClock};

pub(crate) const BASE: &str = "http://localhost/fhir";
const START: &str = "2026-01-01T00:00:00Z";

/// A store, its folder and its clock.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) clock: FixedClock,
    pub(crate) folder: DataFolder,
    pub(crate) tenant: Tenant,
}

impl House {
    pub(crate) fn new() -> House {
        House::with(|_| {})
    }

    /// The clock stands still.
    pub(crate) fn at_one_time() -> House {
        House::made(FixedClock::at(START), |_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut StoreConfig)) -> House {
        House::made(FixedClock::ticking(START, 1_500), change)
    }

    fn made(clock: FixedClock, change: impl FnOnce(&mut StoreConfig)) -> House {
        let folder = DataFolder::new();
        let mut config = StoreConfig::new(folder.path(), BASE);
        change(&mut config);
        let store = Store::open(config, Arc::new(clock.clone())).unwrap();
        House { store, clock, folder, tenant: Tenant::main() }
    }

    pub(crate) async fn ask(&self, atomic: bool, ops: Vec<WriteOp>) -> Result<WriteAnswer, StoreError> {
        self.ask_as(atomic, ops, Arc::new(PermitAll), Restrictions::all()).await
    }

    pub(crate) async fn ask_as(
        &self,
        atomic: bool,
        ops: Vec<WriteOp>,
        decide: Arc<dyn Decide>,
        restrictions: Restrictions,
    ) -> Result<WriteAnswer, StoreError> {
        let request =
            WriteRequest { tenant: self.tenant.clone(), author: author(), atomic, ops, decide, restrictions };
        self.store.write(request).await
    }

    pub(crate) async fn one(&self, action: Action) -> Result<Written, StoreError> {
        self.ask(false, vec![op(action)]).await?.results.remove(0)
    }

    pub(crate) async fn create(&self, text: &str) -> Stored {
        self.one(Action::Create { resource: resource(text), if_none_exist: None }).await.unwrap().stored
    }

    pub(crate) async fn put(&self, text: &str) -> Written {
        self.one(Action::Update { resource: resource(text), if_match: None }).await.unwrap()
    }

    pub(crate) async fn read(&self, name: &str) -> Option<Stored> {
        let (kind, id) = name.split_once('/').unwrap();
        self.store.read(&self.tenant, Kind::named(kind), id).await.unwrap()
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<Written, StoreError> {
        let (kind, id) = name.split_once('/').unwrap();
        self.one(Action::Delete { kind: Kind::named(kind), id: id.into(), if_match: None }).await
    }

    pub(crate) async fn page(
        &self,
        text: &str,
        count: u32,
        restrictions: &Restrictions,
    ) -> Result<SearchPage, StoreError> {
        let query = self.query(text);
        let page = Page { count, cursor_secret: b"secret", principal: "tester" };
        self.store.search(&self.tenant, &query, restrictions, &page).await
    }

    /// Names of what a search finds, on all pages.
    pub(crate) async fn find(&self, text: &str) -> Vec<String> {
        self.find_as(text, 1_000, &Restrictions::all()).await
    }

    pub(crate) async fn find_as(&self, text: &str, count: u32, restrictions: &Restrictions) -> Vec<String> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.page(&format!("{text}{cursor}"), count, restrictions).await.unwrap();
            all.extend(page.matches.iter().map(name));
            let Some(next) = page.next else { return all };
            cursor = format!("&_cursor={next}");
        }
    }

    pub(crate) fn query(&self, text: &str) -> Query {
        let (kind, text) = text.split_once('?').unwrap_or((text, ""));
        let options = search::Options::new(true, vec![BASE.into()], self.clock.now());
        let kind = (!kind.is_empty()).then(|| Kind::named(kind));
        search::parse(kind, text, &options).unwrap_or_else(|issues| panic!("{text}: {issues:?}")).query
    }

    /// Index, versions and change log agree.
    pub(crate) async fn check(&self) {
        let report = self.store.check().await.unwrap();
        assert_eq!(report.problems, []);
    }

    /// Closes the store and opens the folder again.
    pub(crate) async fn reopen(&mut self) {
        self.reopen_with(|_| {}).await;
    }

    /// The same with another configuration.
    pub(crate) async fn reopen_with(&mut self, change: impl FnOnce(&mut StoreConfig)) {
        self.store.close().await.unwrap();
        // The folder's lock goes with the last clone.
        let parked = House::new();
        self.store = parked.store;
        let mut config = StoreConfig::new(self.folder.path(), BASE);
        change(&mut config);
        self.store = Store::open(config, Arc::new(self.clock.clone())).unwrap();
    }
}

pub(crate) fn author() -> Author {
    Author {
        principal: "tester".into(),
        purpose: "TREAT".into(),
        request: "r1".into(),
        decision: "test".into(),
        on_behalf_of: None,
    }
}

pub(crate) fn op(action: Action) -> WriteOp {
    WriteOp { full_url: None, action }
}

pub(crate) fn resource(text: &str) -> Resource {
    Resource::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|issues| panic!("{text}: {issues:?}"))
}

pub(crate) fn name(stored: &Stored) -> String {
    format!("{}/{}", stored.kind, stored.id)
}

pub(crate) fn text(stored: &Stored) -> String {
    String::from_utf8(stored.body.bytes().to_vec()).unwrap()
}

/// What a token for one patient may see.
pub(crate) fn only_patient(id: &str) -> Restrictions {
    let mut restrictions = Restrictions::all();
    restrictions.default = Restriction::Compartment { of: Kind::PATIENT, ids: vec![CompactString::from(id)] };
    restrictions
}

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}
