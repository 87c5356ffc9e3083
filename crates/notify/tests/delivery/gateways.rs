//! SMS, push and webhooks through gateways that answer, refuse, ask to wait, break and say nothing.

use std::time::Duration;

use notify::sign;
use rules::Severity;
use serde_json::{Value, json};
use testkit::{Gateway, GatewayAnswer};

use crate::house::{House, TEXT, notice};

fn settings(gateway: &Gateway) -> Value {
    json!({
        "sms": {"url": gateway.url(), "account": "AC1", "token": "${env:t0ken}", "from": "+4930123456", "timeout_secs": 120},
        "push": {"url": format!("{}/v1/projects/p/messages:send", gateway.url()), "token": "${env:bearer}", "timeout_secs": 120},
        "receivers": {
            "phone": {"sms": ["+49151000001"]},
            "device": {"push": ["device-token-1"]},
            "system": {"webhook": [{"url": format!("{}/hook", gateway.url()), "secret": "${env:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}"}]},
        },
        "attempts_max": 3,
    })
}

async fn sent(receiver: &str) -> (Gateway, House, testkit::GatewayRequest) {
    let gateway = Gateway::start();
    let house = House::new(&settings(&gateway));
    house.put(&[receiver], notice("a1", 1, Severity::Critical)).await;
    house.worker().deliver().await.unwrap();
    let [request] = gateway.requests().try_into().unwrap();
    for word in TEXT.split_whitespace() {
        assert!(!request.body.contains(word), "`{word}` got out: {}", request.body);
    }
    (gateway, house, request)
}

#[tokio::test]
async fn an_sms_is_what_twilio_takes() {
    let (_gateway, house, request) = sent("phone").await;
    assert_eq!(request.target, "/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(request.header("authorization"), "Basic QUMxOnQwa2Vu");
    assert_eq!(request.header("idempotency-key"), house.deliveries("a1").await[0].idempotency);
    assert!(
        request.body.starts_with("To=%2B49151000001&From=%2B4930123456&Body=critical+alert+raised"),
        "{}",
        request.body
    );
    assert_eq!(house.states("a1").await, "raised delivered");
}

#[tokio::test]
async fn a_push_is_what_fcm_takes() {
    let (_gateway, house, request) = sent("device").await;
    assert_eq!(request.target, "/v1/projects/p/messages:send");
    assert_eq!(request.header("authorization"), "Bearer bearer");
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["message"]["token"], "device-token-1");
    assert_eq!(body["message"]["notification"]["title"], "critical alert raised, unit icu-1");
    assert_eq!(body["message"]["data"]["link"], "https://salus.example/alerts/a1");
    assert_eq!(body["message"]["android"]["priority"], "HIGH");
    assert_eq!(house.states("a1").await, "raised delivered");
}

#[tokio::test]
async fn a_webhook_is_signed() {
    let (_gateway, house, request) = sent("system").await;
    let (id, secs) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    assert_eq!(secs, "1772366400");
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(
        request.header("webhook-signature"),
        sign(secret, id, secs.parse().unwrap(), request.body.as_bytes())
    );
    assert_ne!(request.header("webhook-signature"), sign(secret, id, 1_772_366_401, request.body.as_bytes()));
    assert_eq!(id, house.deliveries("a1").await[0].idempotency);
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["alerts"][0]["alert"], "a1");
    assert_eq!(body["alerts"][0]["message"], Value::Null);
}

async fn check(answer: GatewayAnswer, state: &str, detail: &str) {
    for receiver in ["phone", "device", "system"] {
        let gateway = Gateway::start();
        let mut settings = settings(&gateway);
        settings["attempts_max"] = json!(2);
        let house = House::new(&settings);
        house.put(&[receiver], notice("a1", 1, Severity::Critical)).await;
        gateway.answer_next(answer.clone());
        house.worker().deliver().await.unwrap();
        let [delivery] = house.deliveries("a1").await.try_into().unwrap();
        assert_eq!(delivery.state, state, "{receiver} {answer:?}");
        let said = delivery.attempts[0].detail.clone().unwrap();
        assert!(said.contains(detail), "{receiver}: {said}");
    }
}

#[tokio::test]
async fn what_may_pass_waits_and_what_may_not_is_dead() {
    check(GatewayAnswer::status(500), "pending", "answered 500").await;
    check(GatewayAnswer::status(429), "pending", "answered 429").await;
    check(GatewayAnswer::status(0), "pending", "broke").await;
    check(GatewayAnswer::status(400), "dead", "answered 400").await;
    check(GatewayAnswer::status(401), "dead", "answered 401").await;
    // Nobody is led elsewhere with a signed message.
    let away = GatewayAnswer {
        headers: vec![("Location", "http://127.0.0.1:1/x".to_owned())],
        ..GatewayAnswer::status(307)
    };
    check(away, "dead", "redirects").await;
}

#[tokio::test]
async fn a_gateway_that_says_nothing_is_left_in_time() {
    let gateway = Gateway::start();
    let mut settings = settings(&gateway);
    settings["sms"]["timeout_secs"] = json!(1);
    let house = House::new(&settings);
    house.put(&["phone"], notice("a1", 1, Severity::Critical)).await;
    gateway.answer_next(GatewayAnswer { delay: Duration::from_secs(5), ..GatewayAnswer::status(200) });
    house.worker().deliver().await.unwrap();
    assert_eq!(house.states("a1").await, "raised pending");
    assert!(house.deliveries("a1").await[0].attempts[0].detail.as_ref().unwrap().contains("within 1 s"));
}

#[tokio::test]
async fn the_wait_that_a_gateway_asks_for_is_kept_and_the_last_attempt_ends_it() {
    let gateway = Gateway::start();
    let house = House::new(&settings(&gateway));
    let worker = house.worker();
    house.put(&["phone"], notice("a1", 1, Severity::Critical)).await;
    let busy =
        GatewayAnswer { headers: vec![("Retry-After", "60".to_owned())], ..GatewayAnswer::status(429) };
    gateway.answer_next(busy);
    gateway.answer_next(GatewayAnswer::status(503));
    gateway.answer_next(GatewayAnswer::status(503));
    worker.deliver().await.unwrap();
    house.later(59);
    assert_eq!(worker.deliver().await.unwrap(), 0);
    house.later(1);
    assert_eq!(worker.deliver().await.unwrap(), 1);
    house.later(9);
    assert_eq!(worker.deliver().await.unwrap(), 0);
    house.later(1);
    assert_eq!(worker.deliver().await.unwrap(), 1);
    assert_eq!(house.states("a1").await, "raised dead");
    let keys: Vec<String> =
        gateway.requests().iter().map(|request| request.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]));
    let dead = house.database.read(|conn| notify::outbox::dead(conn, 10)).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].reference.as_str(), dead[0].receiver.as_str()), ("a1", "phone"));
}
