//! Two rules that speak of the same: one alert with the higher severity. Storms. Pages. The sequence of changes.

use rules::{Finding, Severity, What};
use stream::alert::{self, Order, Query, State};

use crate::house::{House, finding, of, raise};

#[test]
fn two_rules_of_a_topic_are_one_alert_with_the_higher_severity() {
    let house = House::new();
    assert_eq!(house.steps(raise("founding", Severity::High)), "raised open high");
    assert_eq!(house.messages(), "ward raised");
    assert_eq!(house.steps(raise("adult", Severity::Critical)), "worsened open critical");
    assert_eq!(house.messages(), "ward worsened");
    assert_eq!(house.steps(raise("third", Severity::Low)), "joined open critical");
    assert_eq!(house.messages(), "");
    let alert = house.alert();
    assert_eq!((alert.rule.as_str(), alert.peak), ("adult", Severity::Critical));
    let parts = house.write(move |conn, _, _| alert::parts(conn, &alert));
    assert_eq!(
        parts.iter().map(|part| part.rule.as_str()).collect::<Vec<_>>(),
        ["adult", "founding", "third"]
    );
    // It eases as its parts end, and is over with the last.
    assert_eq!(house.steps(finding("adult", What::Clear)), "eased open high");
    assert_eq!(house.alert().rule, "founding");
    assert_eq!(house.steps(finding("founding", What::Clear)), "eased open low");
    assert_eq!(house.steps(finding("third", What::Clear)), "resolved resolved low");
    assert_eq!(house.alert().peak, Severity::Critical);
}

#[test]
fn other_topics_and_other_patients_are_other_alerts() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    house.apply(of("sodium", "e1", raise("na", Severity::High)));
    let other = Finding { subject: "Patient/p2".into(), ..raise("k", Severity::High) };
    house.apply(other);
    assert_eq!(house.alerts().len(), 3);
}

#[test]
fn a_thousand_alerts_are_a_thousand_rows_and_few_messages() {
    let house = House::new();
    house.write(|conn, policy, now| {
        for n in 0..1000 {
            let severity = if n % 2 == 0 { Severity::Critical } else { Severity::Medium };
            let finding = Finding { subject: format!("Patient/{n}"), ..raise("k", severity) };
            alert::apply(conn, policy, "main", &finding, &alert::About::default(), now)?;
        }
        Ok(())
    });
    let (messages, items): (i64, i64) = house.write(|conn, _, _| {
        conn.query_row(
            "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM outbox_item)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    });
    assert_eq!(items, 1000);
    assert!(messages <= 12, "{messages} messages");
    check_pages(&house, Order::Newest, 1000);
    check_pages(&house, Order::Worst, 1000);
}

/// Every alert is on one page, in order.
fn check_pages(house: &House, order: Order, n: usize) {
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let query = Query { order, after: after.clone(), max: 300, live: true, ..Query::default() };
        let page = house.write(move |conn, _, _| alert::list(conn, "main", &query));
        seen.extend(page.alerts);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), n);
    let ids: std::collections::HashSet<&str> = seen.iter().map(|alert| alert.id.as_str()).collect();
    assert_eq!(ids.len(), n);
    let is_sorted = match order {
        Order::Worst => seen.is_sorted_by(|a, b| a.severity >= b.severity),
        Order::Newest => seen.is_sorted_by(|a, b| a.seq >= b.seq),
    };
    assert!(is_sorted, "{order:?}");
}

#[test]
fn filters_find_what_they_say() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    house.apply(of("sodium", "e2", raise("na", Severity::Low)));
    let outbreak = Finding {
        subject: "population:influenza@06001".into(),
        ..of("outbreak", "e3", raise("c1", Severity::High))
    };
    house.apply(outbreak);
    house.apply(finding("k", What::Clear));
    let count = |query: Query| house.write(move |conn, _, _| alert::list(conn, "main", &query)).alerts.len();
    assert_eq!(count(Query::default()), 3);
    assert_eq!(count(Query { live: true, ..Query::default() }), 2);
    assert_eq!(count(Query { states: vec![State::Resolved], ..Query::default() }), 1);
    assert_eq!(count(Query { at_least: Some(Severity::High), ..Query::default() }), 2);
    assert_eq!(count(Query { subject: Some("Patient/p1".into()), ..Query::default() }), 2);
    assert_eq!(count(Query { population: Some(true), ..Query::default() }), 1);
    assert_eq!(count(Query { population: Some(false), topic: Some("sodium".into()), ..Query::default() }), 1);
    assert_eq!(count(Query { unit: Some("ward-3".into()), rule: Some("na".into()), ..Query::default() }), 1);
    assert_eq!(count(Query { unit: Some("elsewhere".into()), ..Query::default() }), 0);
}

#[test]
fn changes_are_followed_without_a_gap_and_by_one_tenant_only() {
    let mut house = House::new();
    house.apply(raise("k", Severity::Medium));
    house.apply(raise("k", Severity::High));
    house.write(|conn, policy, now| {
        alert::apply(conn, policy, "other", &raise("k", Severity::High), &alert::About::default(), now)
    });
    house.reopen();
    house.apply(finding("k", What::Clear));
    let follow = |after: i64, max: usize| {
        let found = house.write(move |conn, _, _| alert::changes(conn, "main", after, max));
        found
            .into_iter()
            .map(|(change, alert)| (change.seq, change.what.name(), alert.tenant))
            .collect::<Vec<_>>()
    };
    let all = follow(0, 10);
    assert_eq!(all.iter().map(|(_, what, _)| *what).collect::<Vec<_>>(), ["raised", "worsened", "resolved"]);
    assert!(all.iter().all(|(_, _, tenant)| tenant == "main"));
    assert_eq!(follow(all[0].0, 1), all[1..2]);
    assert_eq!(follow(all[1].0, 9), all[2..]);
    assert_eq!(house.write(|conn, _, _| alert::last_seq(conn)), all[2].0);
}
