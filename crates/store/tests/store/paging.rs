//! Pages while others write: nothing that was there throughout is left out or shown twice. Links belong to who asked for them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use search::{Restrictions, Total};
use store::{Page, StoreError, WriteOp};

use crate::house::{House, name, op, resource};

fn patient(id: &str, n: usize) -> WriteOp {
    let text = format!(
        r#"{{"resourceType":"Patient","id":"{id}","gender":"{}","name":[{{"family":"F{:03}"}}],"birthDate":"19{:02}-01-01"}}"#,
        if n.is_multiple_of(2) { "male" } else { "female" },
        (n * 7919) % 1_000,
        n % 100,
    );
    op(store::Action::Update { resource: resource(&text), if_match: None })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_hold_everything_that_was_there_throughout_once() {
    let house = Arc::new(House::new());
    let ops = (0..120).map(|n| patient(&format!("stays-{n}"), n)).collect();
    house.ask(true, ops).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (house, stop) = (Arc::clone(&house), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                house
                    .ask(
                        true,
                        vec![patient(&format!("comes-{n}"), n), patient(&format!("flips-{}", n % 9), n)],
                    )
                    .await
                    .unwrap();
                house.delete(&format!("Patient/comes-{}", n / 2)).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let all = Restrictions::all();
    for text in [
        "Patient?gender=male",
        "Patient?gender=male,female",
        "Patient?birthdate=ge1900",
        "Patient?name=f&gender=male",
        "Patient?_sort=family",
        "Patient?_sort=-birthdate,family",
        "Patient?_sort=gender,-_id",
        "Patient?",
    ] {
        for count in [1, 7] {
            let names = house.find_as(text, count, &all).await;
            let kept: Vec<&String> = names.iter().filter(|name| name.contains("stays")).collect();
            let once: BTreeSet<&String> = kept.iter().copied().collect();
            let expected = if text.contains("gender=male") && !text.contains("female") { 60 } else { 120 };
            assert_eq!((kept.len(), once.len()), (expected, expected), "{text} by {count}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    house.check().await;
}

#[tokio::test]
async fn a_resource_with_several_values_is_sorted_by_one_of_them() {
    let house = House::new();
    let text = |n: usize| {
        let (a, b) = ((n * 3) % 10, (n * 7 + 5) % 10);
        format!(
            r#"{{"resourceType":"Patient","id":"p{n}","name":[{{"family":"F{a}"}},{{"family":"F{b}"}}],"address":[{{"state":"S{b}"}},{{"state":"S{a}"}}]}}"#
        )
    };
    let ops = (0..10).map(|n| op(store::Action::Update { resource: resource(&text(n)), if_match: None }));
    house.ask(true, ops.collect()).await.unwrap();
    let all = Restrictions::all();
    for text in ["Patient?_sort=family", "Patient?_sort=-family", "Patient?_sort=-address-state"] {
        let at_once = house.find(text).await;
        assert_eq!(at_once.iter().collect::<BTreeSet<_>>().len(), 10, "{text}");
        for count in [1, 2, 3, 7] {
            assert_eq!(house.find_as(text, count, &all).await, at_once, "{text} by {count}");
        }
    }
}

#[tokio::test]
async fn a_link_works_for_its_caller_and_query_only() {
    let house = House::new();
    house.ask(true, (0..5).map(|n| patient(&format!("p{n}"), n)).collect()).await.unwrap();
    let all = Restrictions::all();
    let ask = async |text: &str, principal: &str, secret: &[u8]| {
        let page = Page { count: 2, cursor_secret: secret, principal };
        house.store.search(&house.tenant, &house.query(text), &all, &page).await
    };
    let first = ask("Patient?name=f", "ada", b"s").await.unwrap();
    assert_eq!(first.matches.iter().map(name).collect::<Vec<_>>(), ["Patient/p0", "Patient/p1"]);
    let next = first.next.unwrap();
    let second = ask(&format!("Patient?name=f&_cursor={next}"), "ada", b"s").await.unwrap();
    assert_eq!(second.matches.iter().map(name).collect::<Vec<_>>(), ["Patient/p2", "Patient/p3"]);
    for (text, principal, secret) in [
        (format!("Patient?name=f&_cursor={next}"), "bob", b"s"),
        (format!("Patient?name=f&_cursor={next}"), "ada", b"t"),
        (format!("Patient?name=f0&_cursor={next}"), "ada", b"s"),
        (format!("Patient?name=f&_sort=family&_cursor={next}"), "ada", b"s"),
        ("Patient?name=f&_cursor=AAAA".to_string(), "ada", b"s"),
    ] {
        assert_eq!(ask(&text, principal, secret).await, Err(StoreError::Cursor), "{text}");
    }
    // The resource that the link names goes away: the next page is the same.
    house.delete("Patient/p1").await.unwrap();
    assert_eq!(ask(&format!("Patient?name=f&_cursor={next}"), "ada", b"s").await.unwrap(), second);
}

#[tokio::test]
async fn a_search_that_costs_too_much_ends() {
    let house = House::with(|config| config.limits.search_steps_max = 200);
    house.ask(true, (0..150).map(|n| patient(&format!("p{n}"), n)).collect()).await.unwrap();
    let all = Restrictions::all();
    let too_costly = Err(StoreError::TooCostly { steps_max: 200 });
    assert_eq!(house.page("Patient?_sort=gender", 10, &all).await, too_costly);
    assert_eq!(house.page("Patient?gender=male&_count=5", 5, &all).await.unwrap().matches.len(), 5);
    let mut query = house.query("Patient?gender:not=male");
    query.total = Total::Accurate;
    let page = Page { count: 1, cursor_secret: b"s", principal: "t" };
    assert_eq!(house.store.search(&house.tenant, &query, &all, &page).await, too_costly);
}

#[tokio::test]
async fn includes_are_bounded() {
    let house = House::with(|config| config.limits.included_max = 3);
    let member = |n: usize| format!(r#"{{"entity":{{"reference":"Patient/p{n}"}}}}"#);
    house.ask(true, (0..5).map(|n| patient(&format!("p{n}"), n)).collect()).await.unwrap();
    let group = |id: &str, n: usize| {
        let members: Vec<String> = (0..n).map(member).collect();
        format!(
            r#"{{"resourceType":"Group","id":"{id}","type":"person","actual":true,"member":[{}]}}"#,
            members.join(",")
        )
    };
    house.put(&group("small", 3)).await;
    house.put(&group("large", 4)).await;
    let all = Restrictions::all();
    let small = house.page("Group?_id=small&_include=Group:member", 10, &all).await.unwrap();
    assert_eq!((small.matches.len(), small.included.len()), (1, 3));
    let large = house.page("Group?_id=large&_include=Group:member", 10, &all).await;
    assert_eq!(large, Err(StoreError::TooManyIncluded { count_max: 3 }));
}
