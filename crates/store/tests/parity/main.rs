//! The store answers what `search::search_all` says, which shares no evaluation code with it: generated resources, queries and restrictions,
//! with updates and deletions in between, in one page and in many.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod draw;
mod queries;
mod resources;

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;
use draw::Draw;
use fhir::{Instant, Kind};
use search::{EquityRules, Extractor, Memory, Options, Query, Restriction, Restrictions, World, search_all};
use store::{
    Action, Author, Page, PermitAll, SearchPage, Store, StoreConfig, Stored, Synchronous, Tenant, WriteOp,
    WriteRequest,
};
use testkit::FixedClock;

const BASE: &str = "http://h/fhir";
const NOW: &str = "2024-06-15T12:00:00Z";
/// Worlds that are looked at; `SALUS_PARITY_WORLDS` asks for more.
const WORLDS: u64 = 6;
const WRITES: usize = 300;
const QUERIES: usize = 2_000;

type Names = BTreeSet<(Kind, CompactString)>;

/// The store and what it should know.
struct Pair {
    store: Store,
    world: Memory,
}

#[tokio::test]
async fn the_store_answers_as_the_definition_says() {
    let n_worlds =
        std::env::var("SALUS_PARITY_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(WORLDS);
    let (mut n_asked, mut n_found) = (0, 0);
    for seed in 0..n_worlds {
        let folder = testkit::DataFolder::new();
        let mut draw = Draw::new(seed);
        let mut pair = Pair::open(folder.path(), seed % 2 == 1);
        pair.fill(&mut draw).await;
        let about = queries::Queries::new(&pair.world);
        for round in 0..QUERIES {
            if round == QUERIES / 2 {
                pair.store.rebuild_index().await.unwrap();
            }
            let (kind, text) = queries::query(&mut draw, &about);
            let restrictions = restrictions(&mut draw);
            let Ok(parsed) = search::parse(kind, &text, &options()) else { continue };
            let name = format!("world {seed}: {}?{text} under {restrictions:?}", kind.map_or("", Kind::name));
            n_asked += 1;
            n_found += pair.compare(&parsed.query, &restrictions, &name, &mut draw).await;
        }
    }
    assert!(n_asked > 1_000 * n_worlds as usize, "only {n_asked} queries were understood");
    assert!(n_found > 1_000 * n_worlds as usize, "only {n_found} resources were found");
}

fn options() -> Options {
    Options::new(true, vec![BASE.into()], Instant::parse(NOW).unwrap())
}

fn restrictions(draw: &mut Draw) -> Restrictions {
    let mut restrictions = Restrictions::all();
    if draw.percent(60) {
        return restrictions;
    }
    let ids: Vec<CompactString> = (0..=draw.below(2)).map(|_| draw.of(&resources::IDS).into()).collect();
    for name in resources::KINDS {
        let kind = Kind::named(name);
        let restriction = match draw.below(10) {
            0 => Restriction::Nothing,
            1 | 2 => Restriction::All,
            _ => Restriction::Compartment { of: Kind::PATIENT, ids: ids.clone() },
        };
        restrictions.by_kind.insert(kind, restriction);
    }
    restrictions
}

impl Pair {
    /// `is_large`: few resources count as many, so that the ways of large stores are gone, too.
    fn open(folder: &std::path::Path, is_large: bool) -> Pair {
        let mut config = StoreConfig::new(folder, BASE);
        if is_large {
            (config.limits.few_rows, config.limits.many_rows, config.limits.tried_rows) = (2, 4, 2);
        }
        config.synchronous = Synchronous::Off;
        let clock = Arc::new(FixedClock::ticking(NOW, 137_000));
        let store = Store::open(config, clock).unwrap();
        Pair { store, world: Memory::new(Extractor::new(vec![BASE.into()], EquityRules::default())) }
    }

    /// Creations, updates and deletions.
    async fn fill(&mut self, draw: &mut Draw) {
        for _ in 0..WRITES {
            let resource = resources::resource(draw);
            let (kind, id) = (resource.kind(), CompactString::from(resource.id().unwrap()));
            if draw.percent(15) {
                self.write(Action::Delete { kind, id: id.clone(), if_match: None }).await;
                self.world.remove(kind, &id);
                continue;
            }
            let stored = self.write(Action::Update { resource, if_match: None }).await;
            // What is stored is not always what was sent: labels of the version before stay.
            self.world.put(&stored.body.resource().unwrap(), stored.updated);
        }
    }

    async fn write(&self, action: Action) -> Stored {
        let author = Author {
            principal: "test".into(),
            purpose: "test".into(),
            request: "test".into(),
            decision: "test".into(),
            on_behalf_of: None,
        };
        let request = WriteRequest {
            tenant: Tenant::main(),
            author,
            atomic: true,
            ops: vec![WriteOp { full_url: None, action }],
            decide: Arc::new(PermitAll),
            restrictions: Restrictions::all(),
        };
        let mut answer = self.store.write(request).await.unwrap();
        answer.results.remove(0).unwrap().stored
    }

    async fn page(&self, query: &Query, restrictions: &Restrictions, count: u32) -> SearchPage {
        let page = Page { count, cursor_secret: b"secret", principal: "test" };
        self.store.search(&Tenant::main(), query, restrictions, &page).await.unwrap()
    }

    /// Compares one answer; gives the number of matches.
    async fn compare(
        &self,
        query: &Query,
        restrictions: &Restrictions,
        name: &str,
        draw: &mut Draw,
    ) -> usize {
        let expected = search_all(&self.world, query, restrictions);
        let answer = self.page(query, restrictions, 1_000).await;
        let wanted: Names = expected.matches.iter().cloned().collect();
        let found = names(&answer.matches);
        assert_eq!(found.len(), answer.matches.len(), "{name}: a match comes twice");
        self.same(&found, &wanted, name, "match");
        self.same(&names(&answer.included), &expected.included.iter().cloned().collect(), name, "included");
        if let Some(total) = answer.total {
            assert_eq!(total, wanted.len() as u64, "{name}: total");
        }
        for pair in answer.matches.windows(2) {
            let known = |stored: &Stored| self.world.get(stored.kind, &stored.id).unwrap().clone();
            let ordering = search::matches::compare(&query.sort, &known(&pair[0]), &known(&pair[1]));
            assert!(ordering.is_le(), "{name}: {:?} stands before {:?}", pair[0], pair[1]);
        }
        if found.len() > 1 && draw.percent(30) {
            self.pages(query, restrictions, &answer.matches, name, draw).await;
        }
        found.len()
    }

    /// The same matches in the same order, page by page.
    async fn pages(
        &self,
        query: &Query,
        restrictions: &Restrictions,
        all: &[Stored],
        name: &str,
        draw: &mut Draw,
    ) {
        let count = 1 + u32::try_from(draw.below(3)).unwrap();
        let mut query = query.clone();
        let mut found: Vec<Stored> = Vec::new();
        loop {
            let page = self.page(&query, restrictions, count).await;
            assert!(page.matches.len() <= count as usize, "{name}: a page is too long");
            found.extend(page.matches);
            let Some(next) = page.next else { break };
            query.cursor = Some(next.into());
            assert!(found.len() <= all.len(), "{name}: pages do not end");
        }
        let keys =
            |all: &[Stored]| all.iter().map(|stored| (stored.kind, stored.id.clone())).collect::<Vec<_>>();
        assert_eq!(keys(&found), keys(all), "{name}: pages of {count}");
    }

    fn same(&self, found: &Names, wanted: &Names, name: &str, what: &str) {
        let more: Vec<_> = found.difference(wanted).collect();
        let less: Vec<_> = wanted.difference(found).collect();
        if more.is_empty() && less.is_empty() {
            return;
        }
        let odd = more.first().or(less.first()).unwrap();
        let known = self.world.get(odd.0, &odd.1).map(|known| format!("{:?}", known.rows));
        panic!("{name}\n{what}: the store also has {more:?} and lacks {less:?}\n{odd:?} is {known:?}");
    }
}

fn names(all: &[Stored]) -> Names {
    all.iter().map(|stored| (stored.kind, stored.id.clone())).collect()
}
