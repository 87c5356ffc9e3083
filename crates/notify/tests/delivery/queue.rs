//! The outbox: one message per notice and address, groups, quiet hours, storms, cancelling, a process that is killed; no patient data by default.

use fhir::{Clock as _, Instant};
use notify::outbox;
use notify::{Channel, Facts, Notice, Plan, Purpose, Settings};
use proptest::prelude::*;
use rules::Severity;
use serde_json::{Value, json};
use testkit::Gateway;

use crate::house::{House, notice};

fn settings(gateway: &Gateway) -> Value {
    let hook = |path: &str| json!([{"url": format!("{}/{path}", gateway.url()), "secret": "${env:x}"}]);
    json!({
        "receivers": {
            "one": {"webhook": hook("one")},
            "same": {"webhook": hook("one")},
            "night": {"webhook": hook("night"), "quiet_hours": {"from": "11:00", "to": "13:00"}},
        },
    })
}

fn bodies(gateway: &Gateway) -> Vec<Value> {
    gateway.requests().iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
}

#[tokio::test]
async fn an_address_is_told_once_and_a_notice_is_put_once() {
    let gateway = Gateway::start();
    let house = House::new(&settings(&gateway));
    for _ in 0..2 {
        house.put(&["one", "same", "nobody"], notice("a1", 1, Severity::Critical)).await;
    }
    while house.worker().deliver().await.unwrap() > 0 {}
    assert_eq!(gateway.requests().len(), 1);
    assert_eq!(house.states("a1").await, "raised delivered");
}

#[tokio::test]
async fn a_process_that_is_killed_after_sending_sends_again_under_the_same_key() {
    let gateway = Gateway::start();
    let mut house = House::new(&settings(&gateway));
    house.put(&["one"], notice("a1", 1, Severity::Critical)).await;
    // What the worker does before it records: then the process ends.
    let now = house.clock.now();
    let busy_until = Instant(now.0 + 900_000_000);
    let claimed = house.database.write(move |conn| outbox::claim(conn, now, busy_until, 9)).await.unwrap();
    let channels = notify::Channels::new(&house.settings, "https://salus.example").unwrap();
    assert!(matches!(channels.send(&claimed[0], now).await, outbox::Outcome::Delivered(_)));
    house.reopen().await;
    assert_eq!(house.worker().deliver().await.unwrap(), 0);
    house.database.write(move |conn| outbox::release(conn, now)).await.unwrap();
    assert_eq!(house.worker().deliver().await.unwrap(), 1);
    let requests = gateway.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_eq!(requests[0].body, requests[1].body);
    let [delivery] = house.deliveries("a1").await.try_into().unwrap();
    assert_eq!(delivery.attempts.len(), 2);
    assert_eq!(delivery.attempts[0].outcome, None);
}

#[tokio::test]
async fn what_is_not_urgent_waits_for_others_and_for_the_end_of_quiet_hours() {
    let gateway = Gateway::start();
    let house = House::new(&settings(&gateway));
    for number in 1..=5 {
        house.put(&["one", "night"], notice(&format!("a{number}"), number, Severity::Medium)).await;
    }
    assert_eq!(house.worker().deliver().await.unwrap(), 0);
    house.later(30);
    assert_eq!(house.worker().deliver().await.unwrap(), 1);
    assert_eq!(bodies(&gateway)[0]["count"], 5);
    // A critical one does not wait, and does not take the others with it.
    house.put(&["night"], notice("b", 9, Severity::Critical)).await;
    assert_eq!(house.worker().deliver().await.unwrap(), 1);
    assert_eq!(bodies(&gateway)[1]["count"], 1);
    // It is noon: the quiet hours end at one.
    house.later(59 * 60);
    assert_eq!(house.worker().deliver().await.unwrap(), 0);
    house.later(60);
    assert_eq!(house.worker().deliver().await.unwrap(), 1);
    assert_eq!(bodies(&gateway)[2]["count"], 5);
}

#[tokio::test]
async fn a_storm_of_critical_alerts_becomes_few_messages_that_name_all() {
    let gateway = Gateway::start();
    let house = House::new(&settings(&gateway));
    for number in 1..=1000 {
        house.put(&["one"], notice(&format!("a{number}"), number, Severity::Critical)).await;
    }
    while house.worker().deliver().await.unwrap() > 0 {}
    assert_eq!(gateway.requests().len(), 10);
    house.later(30);
    while house.worker().deliver().await.unwrap() > 0 {}
    let counts: Vec<u64> = bodies(&gateway).iter().map(|body| body["count"].as_u64().unwrap()).collect();
    assert_eq!(counts.len(), 11);
    assert_eq!(counts.iter().sum::<u64>(), 1000);
}

#[tokio::test]
async fn what_is_cancelled_is_not_sent_and_the_told_are_found() {
    let gateway = Gateway::start();
    let house = House::new(&settings(&gateway));
    house.put(&["one"], notice("a1", 1, Severity::Critical)).await;
    house.worker().deliver().await.unwrap();
    house.put(&["one"], notice("a2", 2, Severity::Low)).await;
    house.put(&["one"], notice("a3", 3, Severity::Low)).await;
    house.put(&["night"], notice("a4", 4, Severity::Low)).await;
    let now = house.clock.now();
    let told = house
        .database
        .write(move |conn| {
            for reference in ["a1", "a2", "a4"] {
                outbox::cancel(conn, "main", reference, now)?;
            }
            Ok([
                outbox::told(conn, "main", "a1")?.len(),
                outbox::told(conn, "main", "a2")?.len(),
                outbox::told(conn, "other", "a1")?.len(),
            ])
        })
        .await
        .unwrap();
    assert_eq!(told, [1, 0, 0]);
    house.later(7200);
    while house.worker().deliver().await.unwrap() > 0 {}
    let bodies = bodies(&gateway);
    assert_eq!(bodies.len(), 2);
    assert_eq!((&bodies[1]["count"], &bodies[1]["alerts"][0]["alert"]), (&json!(1), &json!("a3")));
    assert_eq!(house.states("a4").await, "raised cancelled");
}

fn plan(settings: &Value) -> Result<Plan, String> {
    let settings: Settings = serde_json::from_value(settings.clone()).map_err(|error| error.to_string())?;
    Plan::new(&settings).map_err(|error| error.to_string())
}

#[test]
fn the_tree_of_routes_takes_the_first_that_matches_and_goes_on_when_told() {
    let hook =
        |name: &str| json!({"webhook": [{"url": format!("https://h.example/{name}"), "secret": "${env:x}"}]});
    let plan = plan(&json!({
        "receivers": {"all": hook("all"), "icu": hook("icu"), "night": hook("night"), "equity": hook("equity"), "old": hook("old")},
        "route": {
            "receivers": ["all"],
            "routes": [
                {"match": {"severity": ["critical"]}, "receivers": ["night"], "continue": true},
                {"match": {"unit": ["icu-1", "icu-2"]}, "receivers": ["icu"], "routes": [
                    {"match": {"population": ["over-75"]}, "receivers": ["old"]},
                ]},
                {"match": {"equity": true}, "receivers": ["equity"]},
            ],
        },
    }))
    .unwrap();
    let check = |severity, unit, population: &[&str], topic: &str, expected: &[&str]| {
        let population: Vec<String> = population.iter().map(|group| (*group).to_owned()).collect();
        let facts = Facts {
            severity,
            unit,
            population: &population,
            region: None,
            topic,
            rule: "r",
            is_population: false,
        };
        assert_eq!(plan.receivers_of(&facts), expected, "{unit:?} {topic}");
    };
    check(Severity::Low, None, &[], "potassium", &["all"]);
    check(Severity::Critical, Some("icu-2"), &[], "potassium", &["night", "icu"]);
    check(Severity::Low, Some("icu-2"), &["over-75"], "potassium", &["old"]);
    check(Severity::Critical, Some("ward"), &[], "potassium", &["night"]);
    check(Severity::Low, Some("ward"), &[], "disparity-readmission", &["equity"]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let check = |settings: Value, expected: &str| {
        let error = plan(&settings).map(|_| ()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    check(json!({"route": {"receivers": ["x"]}}), "`notify.route` names receiver `x`");
    check(
        json!({"route": {"routes": [{}, {"receivers": ["x"]}]}}),
        "`notify.route.routes[1]` names receiver `x`",
    );
    check(json!({"escalation": [{"receivers": ["x"]}]}), "`notify.escalation[0]` names receiver `x`");
    check(json!({"receivers": {"a": {}}}), "`notify.receivers.a`: it has no address");
    check(json!({"receivers": {"a": {"email": ["a@b.example"]}}}), "`notify.smtp` is absent");
    check(json!({"route": {"routes": [{"match": {"severity": ["bad"]}}]}}), "severity `bad` is unknown");
    check(json!({"route": {"match": {"unit": ["a"]}}}), "move `match` into `routes`");
    check(json!({"color": 1}), "unknown field `color`");
    let sms = json!({"url": "https://h", "account": "a", "token": "${env:x}", "from": "+49"});
    check(json!({"sms": sms, "receivers": {"a": {"sms": ["12345"]}}}), "is no telephone number");
    check(
        json!({"sms": {"url": "https://h", "account": "a", "token": "plain", "from": "+49"}}),
        "a secret is not written into the file",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the text of an alert says, no message of a receiver without `patient_data` holds any of it.
    #[test]
    fn no_message_holds_patient_data(
        name in "[A-Z][a-z]{5,12} [A-Z][a-z]{5,12}", mrn in "[0-9]{8}", n in 1_usize..30, corrected in any::<bool>()
    ) {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch(outbox::SCHEMA).unwrap();
        let hook = json!({"webhook": [{"url": "https://h.example/x", "secret": "${env:x}"}]});
        let plan = plan(&json!({"receivers": {"one": hook}})).unwrap();
        for number in 1..=n {
            let purpose = if corrected { Purpose::Retracted } else { Purpose::Escalated };
            let text = Some(format!("{name} {mrn} potassium 7.9"));
            let severity = Severity::ALL[number % 5];
            let notice = Notice {
                purpose, text, ..notice(&format!("a{number}"), number as i64, severity)
            };
            outbox::put(&conn, &plan, &["one"], &notice, Instant(0)).unwrap();
        }
        let kept: i64 = conn
            .query_row("SELECT count(*) FROM outbox_item WHERE text IS NOT NULL", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(kept, 0);
        let claimed = outbox::claim(&conn, Instant(i64::MAX / 2), Instant(i64::MAX / 2), 100).unwrap();
        prop_assert!(!claimed.is_empty());
        for message in &claimed {
            let rendered = notify::render(message, "https://salus.example");
            prop_assert_eq!(message.channel, Channel::Webhook);
            for word in [name.as_str(), mrn.as_str(), "potassium", "7.9"] {
                prop_assert!(!rendered.text.contains(word) && !rendered.subject.contains(word));
            }
        }
    }
}
