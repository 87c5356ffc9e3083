//! E-mail through a real mail server: STARTTLS, sign-in, failures, a connection that breaks after the message was taken.

use rules::Severity;
use serde_json::{Value, json};
use testkit::MailServer;

use crate::house::{House, TEXT, notice};

fn settings(server: &MailServer) -> Value {
    json!({
        "smtp": {
            "host": "localhost", "port": server.port(), "username": server.user().0,
            "password": format!("${{env:{}}}", server.user().1), "from": "salus <alerts@salus.example>",
            "ca_file": server.ca_file(), "timeout_secs": 120,
        },
        "receivers": {
            "ward": {"email": ["ward@hospital.example"]},
            "team": {"email": ["team@hospital.example"], "patient_data": true},
        },
        "attempts_max": 3,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_over_tls_with_a_sign_in_and_without_patient_data() {
    let Some(server) = MailServer::start() else { return };
    let house = House::new(&settings(&server));
    house.put(&["ward"], notice("a1", 1, Severity::Critical)).await;
    assert_eq!(house.worker().deliver().await.unwrap(), 1);
    let [mail] = server.taken().try_into().unwrap();
    assert_eq!((mail.tls, mail.user.as_str()), (true, server.user().0));
    assert_eq!(
        (mail.from.as_str(), mail.to),
        ("alerts@salus.example", vec!["ward@hospital.example".to_owned()])
    );
    let key = &house.deliveries("a1").await[0].idempotency;
    for expected in [
        "Subject: critical alert raised, unit icu-1",
        "https://salus.example/alerts/a1",
        "Date: Sun, 01 Mar 2026 12:00:00 +0000",
        &format!("Message-ID: <{key}@salus.example>"),
    ] {
        assert!(mail.data.contains(expected), "`{expected}` is not in:\n{}", mail.data);
    }
    for word in TEXT.split_whitespace() {
        assert!(!mail.data.contains(word), "`{word}` got out:\n{}", mail.data);
    }
    assert_eq!(house.states("a1").await, "raised delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_may_gets_the_text_and_the_outbox_forgets_it() {
    let Some(server) = MailServer::start() else { return };
    let house = House::new(&settings(&server));
    house.put(&["team"], notice("a1", 1, Severity::High)).await;
    house.worker().deliver().await.unwrap();
    assert!(server.taken()[0].data.contains(TEXT));
    let kept: Option<String> = house
        .database
        .read(|conn| conn.query_row("SELECT text FROM outbox_item", [], |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(kept, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_what_is_for_good_is_not() {
    let Some(server) = MailServer::start() else { return };
    let house = House::new(&settings(&server));
    let worker = house.worker();
    house.put(&["ward"], notice("a1", 1, Severity::Critical)).await;
    server.fail(Some("451 4.3.0 later"));
    worker.deliver().await.unwrap();
    assert_eq!(house.states("a1").await, "raised pending");
    // Not before its time.
    house.later(4);
    assert_eq!(worker.deliver().await.unwrap(), 0);
    house.later(1);
    server.fail(None);
    assert_eq!(worker.deliver().await.unwrap(), 1);
    let [delivery] = house.deliveries("a1").await.try_into().unwrap();
    let attempts: Vec<_> =
        delivery.attempts.iter().map(|a| (a.outcome.as_deref(), a.detail.as_deref())).collect();
    assert_eq!(
        attempts,
        [(Some("failed"), Some("the mail server answered 451")), (Some("delivered"), Some("OK: taken"))]
    );
    server.fail(Some("550 5.1.1 nobody here"));
    house.put(&["ward"], notice("a2", 2, Severity::Critical)).await;
    worker.deliver().await.unwrap();
    assert_eq!(house.states("a2").await, "raised dead");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_or_breaks_holds_nobody() {
    let Some(server) = MailServer::start() else { return };
    let mut house = House::new(&settings(&server));
    let mut worker_within = |secs| {
        house.settings.smtp.as_mut().unwrap().timeout_secs = secs;
        house.worker()
    };
    let (hasty, worker) = (worker_within(1), worker_within(120));
    server.fail(Some("hang"));
    house.put(&["ward"], notice("a1", 1, Severity::Critical)).await;
    hasty.deliver().await.unwrap();
    assert_eq!(house.states("a1").await, "raised pending");
    // The message was taken, and the connection broke before that was said: it is sent again, as the same message.
    server.fail(Some("drop"));
    house.later(5);
    worker.deliver().await.unwrap();
    assert_eq!(house.states("a1").await, "raised pending");
    server.fail(None);
    house.later(10);
    worker.deliver().await.unwrap();
    assert_eq!(house.states("a1").await, "raised delivered");
    let ids: Vec<String> = server
        .taken()
        .iter()
        .map(|mail| mail.data.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_a_server_that_is_not_trusted_or_refuses_the_sign_in() {
    let Some(server) = MailServer::start() else { return };
    let mut untrusted = settings(&server);
    untrusted["smtp"].as_object_mut().unwrap().remove("ca_file");
    let house = House::new(&untrusted);
    house.put(&["ward"], notice("a1", 1, Severity::Critical)).await;
    house.worker().deliver().await.unwrap();
    let why = |delivery: &notify::outbox::Delivery| delivery.attempts[0].detail.clone().unwrap();
    let said = why(&house.deliveries("a1").await[0]);
    assert!(said.contains("check host, port, `security` and `ca_file`"), "{said}");
    let mut wrong = settings(&server);
    wrong["smtp"]["password"] = json!("${env:wrong}");
    let house = House::new(&wrong);
    house.put(&["ward"], notice("a1", 1, Severity::Critical)).await;
    house.worker().deliver().await.unwrap();
    let said = why(&house.deliveries("a1").await[0]);
    assert!(said.contains("refused the sign-in (535)"), "{said}");
    assert_eq!(server.taken(), []);
}
