//! The life of a resource: created, read, updated, deleted, and what its history and the change log say.

use fhir::Kind;
use search::Restrictions;
use std::sync::Arc;
use store::{
    Action, HistoryOf, HistoryQuery, Op, ScanQuery, Store, StoreConfig, StoreError, Tenant, WriteOutcome,
};

use crate::house::{BASE, House, at, name, only_patient, op, resource, text};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true,"name":[{"family":"Muster"}]}"#;

#[tokio::test]
async fn a_create_gives_id_version_and_time() {
    let house = House::new();
    let stored = house
        .create(r#"{"resourceType":"Patient","id":"mine","multipleBirthInteger":1.50,"meta":{"source":"s"}}"#)
        .await;
    assert_ne!(stored.id, "mine");
    assert_eq!((stored.version, stored.op), (1, Op::Create));
    let id = &stored.id;
    let updated = stored.updated.to_rfc3339_millis();
    assert_eq!(
        text(&stored),
        format!(
            r#"{{"resourceType":"Patient","id":"{id}","meta":{{"versionId":"1","lastUpdated":"{updated}","source":"s"}},"multipleBirthInteger":1.50}}"#
        )
    );
    assert_eq!(house.read(&format!("Patient/{id}")).await.as_ref(), Some(&stored));
    assert_eq!(house.read("Patient/mine").await, None);
    assert_eq!(format!("{stored:?}"), format!("Patient/{id}/_history/1"));
    house.check().await;
}

#[tokio::test]
async fn an_update_creates_adds_versions_and_sees_when_nothing_changes() {
    let house = House::new();
    let first = house.put(PATIENT).await;
    assert_eq!(
        (first.outcome, first.stored.version, first.stored.op),
        (WriteOutcome::Created, 1, Op::Update)
    );
    let same = house.put(&text(&first.stored)).await;
    assert_eq!((same.outcome, same.stored.version), (WriteOutcome::Unchanged, 1));
    let second = house.put(&PATIENT.replace("true", "false")).await;
    assert_eq!((second.outcome, second.stored.version), (WriteOutcome::Updated, 2));
    assert!(second.stored.updated > first.stored.updated);
    assert_eq!(house.find("Patient?active=true").await, [""; 0]);
    assert_eq!(house.find("Patient?active=false").await, ["Patient/p"]);
    let old = house.store.read_version(&house.tenant, Kind::PATIENT, "p", 1).await.unwrap().unwrap();
    assert_eq!(old, first.stored);
    for unknown in [0, 3, u64::MAX] {
        assert_eq!(house.store.read_version(&house.tenant, Kind::PATIENT, "p", unknown).await.unwrap(), None);
    }
    house.check().await;
}

#[tokio::test]
async fn labels_stay_when_an_update_leaves_them_out() {
    let house = House::new();
    let labelled = PATIENT.replace(
        r#""active""#,
        r#""meta":{"security":[{"system":"s","code":"R"}],"tag":[{"code":"t"}]},"active""#,
    );
    house.put(&labelled).await;
    assert_eq!(house.put(PATIENT).await.outcome, WriteOutcome::Unchanged);
    let changed = house.put(&PATIENT.replace("true", "false")).await;
    assert!(text(&changed.stored).contains(r#""security":[{"system":"s","code":"R"}],"tag":[{"code":"t"}]"#));
    assert_eq!(house.find("Patient?_security=R&_tag=t").await, ["Patient/p"]);
    house.check().await;
}

#[tokio::test]
async fn a_deletion_is_a_version_and_an_update_brings_it_back() {
    let house = House::new();
    assert_eq!(house.delete("Patient/p").await.unwrap().outcome, WriteOutcome::NothingToDelete);
    house.put(PATIENT).await;
    let deleted = house.delete("Patient/p").await.unwrap();
    assert_eq!((deleted.outcome, deleted.stored.version), (WriteOutcome::Deleted, 2));
    let gone = house.read("Patient/p").await.unwrap();
    assert_eq!((gone.op, gone.version, gone.body.bytes()), (Op::Delete, 2, b"".as_slice()));
    assert!(gone.body.resource().is_err());
    assert_eq!(house.find("Patient").await, [""; 0]);
    let again = house.delete("Patient/p").await.unwrap();
    assert_eq!((again.outcome, again.stored.version), (WriteOutcome::NothingToDelete, 2));
    let back = house.put(PATIENT).await;
    assert_eq!((back.outcome, back.stored.version), (WriteOutcome::Created, 3));
    assert_eq!(house.find("Patient?family=muster").await, ["Patient/p"]);
    house.check().await;
}

#[tokio::test]
async fn if_match_is_compared() {
    let house = House::new();
    let conflict =
        |stored| StoreError::VersionConflict { kind: Kind::PATIENT, id: "p".into(), expected: 2, stored };
    let put = |if_match| house.one(Action::Update { resource: resource(PATIENT), if_match });
    let delete = |if_match| house.one(Action::Delete { kind: Kind::PATIENT, id: "p".into(), if_match });
    assert_eq!(put(Some(2)).await, Err(conflict(None)));
    assert_eq!(delete(Some(2)).await, Err(conflict(None)));
    put(None).await.unwrap();
    assert_eq!(put(Some(2)).await, Err(conflict(Some(1))));
    assert_eq!(delete(Some(2)).await, Err(conflict(Some(1))));
    assert_eq!(put(Some(1)).await.unwrap().outcome, WriteOutcome::Unchanged);
    delete(Some(1)).await.unwrap();
    assert_eq!(put(Some(2)).await, Err(conflict(None)));
    house.check().await;
}

#[tokio::test]
async fn an_update_needs_an_id() {
    let house = House::new();
    let answer = house
        .one(Action::Update { resource: resource(r#"{"resourceType":"Patient"}"#), if_match: None })
        .await;
    assert_eq!(answer, Err(StoreError::IdMismatch { kind: Kind::PATIENT }));
}

async fn versions(
    house: &House,
    of: HistoryOf,
    query: HistoryQuery,
    restrictions: &Restrictions,
) -> Vec<String> {
    let mut all = Vec::new();
    let mut query = query;
    loop {
        let page = house.store.history(&house.tenant, of.clone(), query.clone(), restrictions).await.unwrap();
        assert!(page.entries.len() <= query.count as usize);
        all.extend(page.entries.iter().map(|stored| format!("{}:{}", name(stored), stored.version)));
        query.cursor = page.next;
        if query.cursor.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn histories_are_newest_first_on_three_levels() {
    let house = House::new();
    house.put(PATIENT).await;
    house.put(r#"{"resourceType":"Group","id":"g","type":"person","actual":true}"#).await;
    let second = house.put(&PATIENT.replace("true", "false")).await;
    house.put(&PATIENT.replace("\"p\"", "\"q\"")).await;
    house.delete("Patient/p").await.unwrap();
    let all = Restrictions::all();
    for count in [1, 2, 50] {
        let query = HistoryQuery { count, ..HistoryQuery::default() };
        let ask = |of, query| versions(&house, of, query, &all);
        let of_p = HistoryOf::Instance(Kind::PATIENT, "p".into());
        assert_eq!(ask(of_p.clone(), query.clone()).await, ["Patient/p:3", "Patient/p:2", "Patient/p:1"]);
        let patients = ["Patient/p:3", "Patient/q:1", "Patient/p:2", "Patient/p:1"];
        assert_eq!(ask(HistoryOf::Kind(Kind::PATIENT), query.clone()).await, patients);
        let everything = ["Patient/p:3", "Patient/q:1", "Patient/p:2", "Group/g:1", "Patient/p:1"];
        assert_eq!(ask(HistoryOf::System, query.clone()).await, everything);
        let since = HistoryQuery { since: Some(second.stored.updated), ..query.clone() };
        assert_eq!(ask(HistoryOf::System, since).await, everything[..3]);
        let low = second.stored.updated.0;
        let then = HistoryQuery { at: Some(fhir::Period { low, high: low + 1 }), ..query };
        assert_eq!(ask(of_p, then).await, ["Patient/p:2"]);
    }
    let page = house.store.history(
        &house.tenant,
        HistoryOf::Instance(Kind::PATIENT, "p".into()),
        HistoryQuery::default(),
        &all,
    );
    assert_eq!(page.await.unwrap().total, Some(3));
    for unknown in
        [HistoryOf::Instance(Kind::PATIENT, "x".into()), HistoryOf::Instance(Kind::BUNDLE, "x".into())]
    {
        let page = house.store.history(&house.tenant, unknown, HistoryQuery::default(), &all).await.unwrap();
        assert_eq!((page.total, page.entries.len()), (Some(0), 0));
    }
    for cursor in ["", "Patient/p/9", "Patient/x/1", "Group/g/1", "Patient/p/1/1"] {
        let query = HistoryQuery { cursor: Some(cursor.into()), ..HistoryQuery::default() };
        let page = house.store.history(&house.tenant, HistoryOf::Kind(Kind::PATIENT), query, &all).await;
        assert_eq!(page, Err(StoreError::Cursor), "{cursor}");
    }
}

#[tokio::test]
async fn a_history_shows_a_patient_only_what_is_theirs() {
    let house = House::new();
    house.put(PATIENT).await;
    let observation = |id: &str, patient: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{patient}"}}}}"#
        )
    };
    house.put(&observation("mine", "p")).await;
    house.put(&observation("other", "q")).await;
    house.put(&observation("mine", "q")).await;
    house.delete("Patient/p").await.unwrap();
    let mine = only_patient("p");
    let ask = |of| versions(&house, of, HistoryQuery { count: 1, ..HistoryQuery::default() }, &mine);
    assert_eq!(ask(HistoryOf::System).await, ["Observation/mine:1", "Patient/p:1"]);
    assert_eq!(ask(HistoryOf::Kind(Kind::named("Observation"))).await, ["Observation/mine:1"]);
    let hidden = HistoryQuery { cursor: Some("Observation/other/1".into()), ..HistoryQuery::default() };
    let page = house.store.history(&house.tenant, HistoryOf::System, hidden, &mine).await;
    assert_eq!(page, Err(StoreError::Cursor));
}

#[tokio::test]
async fn the_change_log_says_who_wrote_what() {
    let house = House::new();
    house.put(PATIENT).await;
    house.put(PATIENT).await;
    house.put(&PATIENT.replace("true", "false")).await;
    house.delete("Patient/p").await.unwrap();
    let all = house.store.changes(0, 100).await.unwrap();
    let lines: Vec<(u64, Op)> = all.iter().map(|change| (change.version, change.op)).collect();
    assert_eq!(lines, [(1, Op::Update), (2, Op::Update), (3, Op::Delete)]);
    assert!(all.is_sorted_by(|a, b| a.seq < b.seq && a.at <= b.at));
    assert_eq!(all[0].author, crate::house::author());
    assert_eq!((all[0].tenant.as_str(), all[0].kind, all[0].id.as_str()), ("main", Kind::PATIENT, "p"));
    assert_eq!(house.store.changes(all[0].seq, 1).await.unwrap(), all[1..2]);
    assert_eq!(house.store.changes(all[2].seq, 1).await.unwrap(), []);
}

#[tokio::test]
async fn time_never_goes_back() {
    let house = House::new();
    let first = house.put(PATIENT).await.stored;
    house.clock.set(at("2020-01-01T00:00:00Z"));
    let second = house.put(&PATIENT.replace("true", "false")).await.stored;
    assert!(second.updated >= first.updated);
    assert_eq!(second.updated.0 % 1_000, 0, "milliseconds");
}

#[tokio::test]
async fn counts_and_exports() {
    let house = House::new();
    for id in ["a", "b", "c"] {
        house.put(&PATIENT.replace("\"p\"", &format!("\"{id}\""))).await;
    }
    house.put(r#"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}}]}"#).await;
    house.delete("Patient/b").await.unwrap();
    let all = Restrictions::all();
    let counts = house.store.counts(&house.tenant, &all).await.unwrap();
    assert_eq!(counts, [(Kind::GROUP, 1), (Kind::PATIENT, 2)]);
    let mine = house.store.counts(&house.tenant, &only_patient("c")).await.unwrap();
    assert_eq!(mine, [(Kind::PATIENT, 1)]);
    assert_eq!(house.store.counts(&Tenant::new("other"), &all).await.unwrap(), []);
    for count in [1, 2, 10] {
        let scan = |kinds: Vec<Kind>, restrictions: Restrictions| {
            let house = &house;
            async move {
                let (mut names, mut after) = (Vec::new(), None);
                loop {
                    let query = ScanQuery { kinds: kinds.clone(), since: None, after, count };
                    let page = house.store.scan(&house.tenant, query, &restrictions).await.unwrap();
                    names.extend(page.entries.iter().map(name));
                    after = page.next;
                    if after.is_none() {
                        return names;
                    }
                }
            }
        };
        assert_eq!(scan(vec![], all.clone()).await, ["Patient/a", "Patient/c", "Group/g"]);
        assert_eq!(scan(vec![Kind::GROUP], all.clone()).await, ["Group/g"]);
        assert_eq!(scan(vec![], only_patient("a")).await, ["Patient/a", "Group/g"]);
    }
    house.check().await;
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let mut house = House::new();
    house.put(PATIENT).await;
    house.tenant = Tenant::new("other");
    assert_eq!(house.read("Patient/p").await, None);
    assert_eq!(house.find("Patient?family=muster").await, [""; 0]);
    house.put(&PATIENT.replace("Muster", "Other")).await;
    assert_eq!(house.find("Patient").await, ["Patient/p"]);
    house.tenant = Tenant::main();
    assert_eq!(house.find("Patient?family=other").await, [""; 0]);
    assert!(text(&house.read("Patient/p").await.unwrap()).contains("Muster"));
    house.check().await;
}

#[tokio::test]
async fn a_second_store_on_the_folder_is_refused_and_a_reopened_one_knows_everything() {
    let mut house = House::new();
    house.put(PATIENT).await;
    let config = || StoreConfig::new(house.folder.path(), BASE);
    let second = Store::open(config(), Arc::new(house.clock.clone()));
    assert_eq!(second.err(), Some(StoreError::Locked));
    let before = house.read("Patient/p").await;
    house.reopen().await;
    assert_eq!(house.read("Patient/p").await, before);
    assert_eq!(house.find("Patient?family=muster").await, ["Patient/p"]);
    house.put(&PATIENT.replace("true", "false")).await;
    house.create(r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#).await;
    house.check().await;
    house.store.close().await.unwrap();
    assert_eq!(house.store.read(&house.tenant, Kind::PATIENT, "p").await, Err(StoreError::Closed));
    assert_eq!(
        house
            .ask(false, vec![op(Action::Create { resource: resource(PATIENT), if_none_exist: None })])
            .await
            .err(),
        Some(StoreError::Closed)
    );
}
