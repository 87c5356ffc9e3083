//! The golden cases of `search` on SQLite: what `search::matches` says must come out here, too, whole and page by page, and counted.

use std::sync::Arc;

use fhir::Kind;
use fhir::json::Limits;
use fhir::{Instant, Resource};
use search::{EquityRules, Options, Query, Restriction, Restrictions};
use store::{
    Action, Author, Page, PermitAll, SearchPage, Store, StoreConfig, Stored, Tenant, WriteOp, WriteRequest,
};
use testkit::{DataFolder, FixedClock};

/// What "now" is in all cases.
const NOW: Instant = Instant(1_718_452_800_000_000);
const BASE: &str = "http://h/fhir";

/// A store that holds one world.
struct World {
    store: Store,
    n: usize,
    _folder: DataFolder,
}

#[test]
fn the_cases_of_search() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let mut world: Option<World> = None;
    let n_cases = testkit::cases("../search/cases/match", |input| {
        runtime.block_on(async {
            if input.starts_with('{') {
                let fresh = World::of(input).await;
                let n = fresh.n;
                world = Some(fresh);
                return format!("{n} resources");
            }
            let world = world.as_ref().expect("queries come behind a world");
            let mut answers = String::new();
            for line in input.lines() {
                answers.push_str(&format!("{line} => {}\n", world.answer(line).await));
            }
            answers
        })
    });
    assert!(n_cases > 20, "only {n_cases} cases");
}

impl World {
    async fn of(lines: &str) -> World {
        let folder = DataFolder::new();
        let clock = FixedClock::at("2024-06-15T12:00:00Z");
        let mut config = StoreConfig::new(folder.path(), BASE);
        config.equity_rules = EquityRules::parse([
            ("food", "Observation?code=http://loinc.org|88124-3&value-concept=http://loinc.org|LA19952-3"),
            ("interpreter", "Patient?language:not=en,en-US&language:missing=false"),
        ])
        .unwrap();
        let store = Store::open(config, Arc::new(clock)).unwrap();
        let author = Author {
            principal: "t".into(),
            purpose: "t".into(),
            request: "t".into(),
            decision: "t".into(),
            on_behalf_of: None,
        };
        for line in lines.lines() {
            let resource =
                Resource::parse(line.as_bytes(), &Limits::default()).expect("a line is a resource");
            let ops = vec![WriteOp { full_url: None, action: Action::Update { resource, if_match: None } }];
            let request = WriteRequest {
                tenant: Tenant::main(),
                author: author.clone(),
                atomic: false,
                ops,
                decide: Arc::new(PermitAll),
                restrictions: Restrictions::all(),
            };
            store.write(request).await.unwrap().results.remove(0).unwrap();
        }
        assert_eq!(store.check().await.unwrap().problems, []);
        let counts = store.counts(&Tenant::main(), &Restrictions::all()).await.unwrap();
        let n = counts.iter().map(|(_, n)| usize::try_from(*n).unwrap()).sum();
        World { store, n, _folder: folder }
    }

    async fn answer(&self, line: &str) -> String {
        let (restrictions, text) = match line.strip_prefix("as Patient/") {
            None => (Restrictions::all(), line),
            Some(rest) => {
                let (ids, text) = rest.split_once(": ").expect("a restriction ends with `: `");
                (restricted(ids), text)
            }
        };
        let (kind, text) = text.split_once('?').unwrap_or((text, ""));
        let kind = (!kind.is_empty()).then(|| Kind::named(kind));
        let options = Options::new(true, vec![BASE.into()], NOW);
        let mut query =
            search::parse(kind, text, &options).unwrap_or_else(|issues| panic!("{line}: {issues:?}")).query;
        query.total = search::Total::Accurate;
        let found = self.page(&query, 1_000, &restrictions).await;
        assert_eq!(found.next, None, "{line}");
        assert_eq!(found.total, Some(found.matches.len() as u64), "total of {line}");
        assert_eq!(self.by_pages(&query, &restrictions).await, found.matches, "pages of {line}");
        let name = |stored: &Stored| {
            if kind == Some(stored.kind) {
                stored.id.to_string()
            } else {
                format!("{}/{}", stored.kind, stored.id)
            }
        };
        let mut names: Vec<String> = found.matches.iter().map(name).collect();
        if query.sort.is_empty() {
            names.sort();
        }
        let mut included: Vec<String> = found.included.iter().map(name).collect();
        included.sort();
        names.extend(included.into_iter().map(|name| format!("+{name}")));
        names.join(" ")
    }

    async fn by_pages(&self, query: &Query, restrictions: &Restrictions) -> Vec<Stored> {
        let (mut query, mut all) = (query.clone(), Vec::new());
        loop {
            let page = self.page(&query, 2, restrictions).await;
            all.extend(page.matches);
            match page.next {
                None => return all,
                Some(next) => query.cursor = Some(next.into()),
            }
        }
    }

    async fn page(&self, query: &Query, count: u32, restrictions: &Restrictions) -> SearchPage {
        let page = Page { count, cursor_secret: b"secret", principal: "t" };
        self.store.search(&Tenant::main(), query, restrictions, &page).await.unwrap()
    }
}

/// Everything that is in a patient compartment for these patients only; the rest is open.
fn restricted(ids: &str) -> Restrictions {
    let ids: Vec<_> = ids.split(',').map(compact_str::CompactString::from).collect();
    let mut restrictions = Restrictions::all();
    for kind in Kind::all() {
        if kind == Kind::PATIENT || !fhir::definitions::compartment(Kind::PATIENT, kind).is_empty() {
            let restriction = Restriction::Compartment { of: Kind::PATIENT, ids: ids.clone() };
            restrictions.by_kind.insert(kind, restriction);
        }
    }
    restrictions
}
