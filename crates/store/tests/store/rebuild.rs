//! The index built anew: the same as before, while others read and write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use store::{Problem, StoreError, WriteOp};

use crate::house::{BASE, House, op, resource};

fn observation(id: usize, value: usize) -> WriteOp {
    let text = format!(
        r#"{{"resourceType":"Observation","id":"o{id}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"c{}"}}],"text":"Text {value}"}},"subject":{{"reference":"Patient/p{}"}},"effectiveDateTime":"2024-01-01","valueQuantity":{{"value":{value}.5,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}}}"#,
        value % 5,
        id % 3,
    );
    op(store::Action::Update { resource: resource(&text), if_match: None })
}

/// Every index row without the numbers of parameters, which differ between generations.
fn rows(house: &House) -> Vec<String> {
    let conn = Connection::open(house.folder.join("salus.db")).unwrap();
    let mut all = Vec::new();
    for (table, columns) in [
        ("token", "h, rid, sys"),
        ("ref", "target, rid"),
        ("uri", "n, rid"),
        ("string", "text, rid, exact"),
        ("date", "w, lo, e, rid"),
        ("number", "w, hex(lo), hex(hi), rid"),
        ("quantity", "u, w, hex(lo), hex(hi), rid"),
        ("composite", "h, hex(parts), rid"),
    ] {
        let columns = columns.replace(", ", " || '|' || ");
        let sql = format!(
            "SELECT x.kind || '.' || x.code || ' ' || {columns} FROM {table} JOIN param AS x USING (p)"
        );
        let mut statement = conn.prepare(&sql).unwrap();
        let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        all.extend(found.map(|row| format!("{table} {}", row.unwrap())));
    }
    all.sort();
    all
}

#[tokio::test]
async fn a_rebuilt_index_is_the_same() {
    let house = House::new();
    house.ask(true, (0..700).map(|n| observation(n, n)).collect()).await.unwrap();
    house.delete("Observation/o7").await.unwrap();
    let before = rows(&house);
    assert!(before.len() > 5_000);
    for _ in 0..2 {
        assert_eq!(house.store.rebuild_index().await.unwrap(), 699);
        assert_eq!(rows(&house), before);
    }
    house.check().await;
}

#[tokio::test]
async fn what_two_parameters_have_together_is_kept_once() {
    let house = House::new();
    house.ask(true, (0..5).map(|n| observation(n, n)).collect()).await.unwrap();
    let kept = rows(&house);
    assert!(kept.iter().any(|row| row.contains("Observation.code-value-quantity ")), "{kept:?}");
    assert!(!kept.iter().any(|row| row.contains("Observation.combo-")), "{kept:?}");
    for (query, n_found) in [
        ("combo-code=http://loinc.org|c1", 1),
        ("combo-code:not=c1", 4),
        ("combo-code:text=text", 5),
        ("combo-code:missing=false", 5),
        ("combo-value-quantity=gt1", 4),
        ("combo-value-concept:missing=true", 5),
        ("combo-code-value-quantity=c3$3.5", 1),
    ] {
        assert_eq!(house.find(&format!("Observation?{query}")).await.len(), n_found, "{query}");
    }
    let rising = house.find("Observation?_sort=-combo-value-quantity").await;
    assert_eq!(rising.first().map(String::as_str), Some("Observation/o4"));
    house.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn others_read_and_write_while_it_is_built() {
    let house = Arc::new(House::new());
    house.ask(true, (0..600).map(|n| observation(n, n)).collect()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (house, stop) = (Arc::clone(&house), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                house.ask(true, vec![observation(n % 650, n)]).await.unwrap();
                house.delete(&format!("Observation/o{}", (n * 7) % 650)).await.unwrap();
                assert!(!house.find("Observation?code=c1&value-quantity=gt3").await.is_empty());
            }
        })
    };
    for _ in 0..3 {
        house.store.rebuild_index().await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    house.check().await;
}

#[tokio::test]
async fn a_damaged_index_is_found_and_mended() {
    let mut house = House::new();
    house.ask(true, (0..20).map(|n| observation(n, n)).collect()).await.unwrap();
    house.store.close().await.unwrap();
    {
        let conn = Connection::open(house.folder.join("salus.db")).unwrap();
        conn.execute("DELETE FROM token WHERE rid = (SELECT max(rid) FROM token)", []).unwrap();
        conn.execute("INSERT INTO date SELECT p, w, lo, e, 99999 FROM date LIMIT 1", []).unwrap();
        conn.execute("UPDATE kind SET n = n + 1 WHERE name = 'Observation'", []).unwrap();
        conn.execute("DELETE FROM live WHERE rid = (SELECT min(rid) FROM live)", []).unwrap();
    }
    house.reopen().await;
    let problems = house.store.check().await.unwrap().problems;
    let n_index = problems.iter().filter(|problem| matches!(problem, Problem::Index(..))).count();
    assert_eq!(n_index, 2, "{problems:?}");
    assert!(problems.contains(&Problem::StrayRow("date")), "{problems:?}");
    assert!(problems.iter().any(|problem| matches!(problem, Problem::Count(_))), "{problems:?}");
    house.store.rebuild_index().await.unwrap();
    house.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_other_definitions_is_built_anew_when_the_store_opens() {
    let mut house = House::new();
    house.ask(true, (0..50).map(|n| observation(n, n)).collect()).await.unwrap();
    house.store.close().await.unwrap();
    let definitions = |change: bool| -> String {
        let conn = Connection::open(house.folder.join("salus.db")).unwrap();
        if change {
            conn.execute("UPDATE generation SET definitions = 'others'", []).unwrap();
        }
        conn.query_row("SELECT definitions FROM generation WHERE state = 1", [], |row| row.get(0)).unwrap()
    };
    let before = definitions(false);
    definitions(true);
    house.reopen().await;
    let definitions = || -> String {
        let conn = Connection::open(house.folder.join("salus.db")).unwrap();
        conn.query_row("SELECT definitions FROM generation WHERE state = 1", [], |row| row.get(0)).unwrap()
    };
    for _ in 0..6_000 {
        assert_eq!(house.find("Observation?code=c1").await.len(), 10);
        if definitions() == before {
            house.check().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the index was not built anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_equity_rules_build_the_index_anew() {
    let mut house = House::new();
    house.ask(true, (0..50).map(|n| observation(n, n)).collect()).await.unwrap();
    assert_eq!(house.find("Observation?equity-flag=seen").await.len(), 0);
    let rules = search::EquityRules::parse([("seen", "Observation?code=http://loinc.org|c1")]).unwrap();
    house.reopen_with(|config| config.equity_rules = rules).await;
    for _ in 0..6_000 {
        if house.find("Observation?equity-flag=seen").await.len() == 10 {
            house.check().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the flags of the new rule were not found");
}

#[tokio::test]
async fn damage_of_what_cannot_be_built_anew_is_found() {
    let mut house = House::new();
    house.ask(true, (0..4).map(|n| observation(n, n)).collect()).await.unwrap();
    house.ask(true, (0..4).map(|n| observation(n, n + 1)).collect()).await.unwrap();
    house.store.close().await.unwrap();
    {
        let conn = Connection::open(house.folder.join("salus.db")).unwrap();
        let of = |id: &str| format!("(SELECT rid FROM resource WHERE id = '{id}')");
        conn.execute(&format!("UPDATE resource SET body = x'0102' WHERE rid = {}", of("o0")), []).unwrap();
        conn.execute(&format!("DELETE FROM past WHERE rid = {}", of("o1")), []).unwrap();
        conn.execute(&format!("DELETE FROM log WHERE version = 2 AND rid = {}", of("o2")), []).unwrap();
    }
    house.reopen().await;
    let problems = house.store.check().await.unwrap().problems;
    let kind = fhir::Kind::named("Observation");
    for expected in [
        Problem::Body(kind, "o0".into()),
        Problem::Versions(kind, "o1".into()),
        Problem::ChangeLog(kind, "o2".into()),
    ] {
        assert!(problems.contains(&expected), "{expected} is not in {problems:?}");
    }
    let read = house.store.read(&house.tenant, kind, "o0").await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
    assert_eq!(BASE, "http://localhost/fhir");
}
