//! `salus alerts` and `/api/v1/alerts` as their users meet them: on a folder, through the server that holds it, and refused where they must be.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod support;

use std::path::Path;

use db::SystemClock;
use fhir::Clock as _;
use rules::{Finding, Severity, What};
use serde_json::{Value, json};
use stream::alert::{self, About, Policy};
use support::{Client, Ran, Server, salus, token};
use testkit::Gateway;

const NAME: &str = "Zebulon Quackenbush: potassium 7.9 mmol/L";

fn alerts(dir: &Path, args: &[&str]) -> Ran {
    salus(dir, &[&["alerts"], args, &["--data-dir", "data"]].concat())
}

fn finding(patient: &str, severity: Severity) -> Finding {
    Finding {
        rule: "potassium".into(),
        version: "1".into(),
        subject: patient.into(),
        what: What::Raise(severity),
        at: SystemClock.now(),
        opening: "e1".into(),
        event: Some("e1".into()),
        message: NAME.into(),
        seen: Vec::new(),
        topic: "potassium".into(),
        immediate: false,
        respond_within_mins: None,
    }
}

/// What the processor does with findings, on the file of a folder that nobody holds.
fn raise(dir: &Path, policy: &Policy, findings: Vec<Finding>) {
    let database = stream::open(&dir.join("data/stream.db")).unwrap();
    let policy = policy.clone();
    let now = SystemClock.now();
    database
        .write_blocking(move |conn| {
            let about = About { unit: Some("icu".into()), ..About::default() };
            for finding in &findings {
                alert::apply(conn, &policy, "main", finding, &about, now)?;
            }
            Ok(())
        })
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(database.close()).unwrap();
}

fn ids(listed: &Value) -> Vec<String> {
    let alerts = listed["alerts"].as_array().unwrap().iter();
    alerts.map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn alerts_are_handled_on_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    token(dir.path(), "data", &["--role", "clinician"]);
    let findings = vec![finding("Patient/p1", Severity::Medium), finding("Patient/p2", Severity::Critical)];
    raise(dir.path(), &Policy::standard(), findings);
    let listed = alerts(dir.path(), &["list", "--json"]).expect(0).json();
    let worst = &listed["alerts"][0];
    for (key, value) in [
        ("rule", "potassium"),
        ("version", "1"),
        ("patient", "Patient/p2"),
        ("severity", "critical"),
        ("state", "open"),
        ("message", NAME),
        ("event", "e1"),
    ] {
        assert_eq!(worst[key], value, "{key}");
    }
    assert!(worst["at"].is_string() && worst["raised_at"].is_string());
    assert_eq!(listed["next"], Value::Null);
    let ids = ids(&listed);
    let table = alerts(dir.path(), &["list", "--severity", "high"]).expect(0).stdout;
    assert!(table.contains(&ids[0]) && !table.contains(&ids[1]), "{table}");
    let done = alerts(dir.path(), &["ack", &ids[0], "--reason", "on my way"]).expect(0).stdout;
    assert_eq!(done.trim(), format!("alert {} is acknowledged", ids[0]));
    let again = alerts(dir.path(), &["ack", &ids[0]]).expect(1).stderr;
    assert!(again.contains("somebody has it already"), "{again}");
    let bare = alerts(dir.path(), &["resolve", &ids[0]]).expect(1).stderr;
    assert!(bare.contains("a reason is needed"), "{bare}");
    alerts(dir.path(), &["resolve", &ids[0], "--reason", "calcium given"]).expect(0);
    let shown = alerts(dir.path(), &["show", &ids[0]]).expect(0).json();
    let trail: Vec<&str> =
        shown["history"].as_array().unwrap().iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(trail, ["raised", "acknowledged", "resolved"]);
    let who = shown["history"][1]["by"].as_str().unwrap();
    assert!(who.starts_with("local:"), "{who}");
    let made =
        alerts(dir.path(), &["silence", "--unit", "icu", "--mins", "30", "--reason", "drill", "--json"]);
    let made = made.expect(0).json();
    let listed = alerts(dir.path(), &["list", "--json"]).expect(0).json();
    assert_eq!(listed["alerts"][0]["state"], "silenced");
    alerts(dir.path(), &["silence", "--lift", made["id"].as_str().unwrap()]).expect(0);
    let listed = alerts(dir.path(), &["list", "--json"]).expect(0).json();
    assert_eq!(listed["alerts"][0]["state"], "open");
    let burden = alerts(dir.path(), &["burden", "--json"]).expect(0).json();
    assert_eq!((&burden["alerts"], &burden["per_bed_day"]), (&json!(2), &Value::Null));
}

#[test]
fn a_server_handles_alerts_and_delivers_messages() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Gateway::start();
    let hook = format!("{}/hook", gateway.url());
    std::fs::write(dir.path().join("secret"), "s3cret").unwrap();
    let secret = format!("${{file:{}}}", dir.path().join("secret").display());
    let settings = json!({
        "receivers": {"ward": {"webhook": [{"url": hook, "secret": secret}]}},
        "route": {"receivers": ["ward"]},
    });
    // JSON is YAML.
    let file = json!({"alerts": {"beds": {"icu": 4}}, "notify": settings}).to_string();
    std::fs::write(dir.path().join("salus.yaml"), file).unwrap();
    let clinician = token(dir.path(), "data", &["--role", "clinician"]);
    let service = token(dir.path(), "data", &["--role", "service"]);
    let admin = token(dir.path(), "data", &["--role", "admin"]);
    let plan = notify::Plan::new(&serde_json::from_value(settings).unwrap()).unwrap();
    let policy = Policy::new(&alert::Settings::default(), plan).unwrap();
    raise(
        dir.path(),
        &policy,
        vec![finding("Patient/p1", Severity::Critical), finding("Patient/p2", Severity::High)],
    );
    let server = Server::start(dir.path(), &["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    wait_for(&gateway, 2);
    // The machine chose the port: links name it.
    let links = format!("{}/alerts", server.url);
    assert!(gateway.requests().iter().all(|sent| sent.body.contains(&links)), "{:?}", gateway.requests());
    let mut machine = Client::new(&server.url, Some(&service));
    let started = std::time::Instant::now();
    while !machine.get("metrics").expect(200).text.contains("salus_stream_outbox_sent_total 2") {
        assert!(started.elapsed().as_secs() < 120, "{}", machine.get("metrics").text);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut client = Client::new(&server.url, Some(&clinician));
    let listed: Value =
        serde_json::from_str(&client.get("api/v1/alerts?order=worst").expect(200).text).unwrap();
    let ids = ids(&listed);
    assert_eq!(ids.len(), 2);
    assert_eq!(Client::new(&server.url, Some(&admin)).get("api/v1/alerts").status, 403);
    assert_eq!(client.get("api/v1/alerts?color=red").status, 400);
    assert_eq!(client.get("api/v1/alerts/nothing").status, 404);
    let mut act = |verb: &str, body: &str| {
        client.send("POST", &format!("api/v1/alerts/{}/{verb}", ids[0]), Some(body)).status
    };
    assert_eq!(act("acknowledge", r#"{"seen": 0}"#), 409);
    assert_eq!(act("acknowledge", "{}"), 200);
    assert_eq!(act("acknowledge", "{}"), 409);
    assert_eq!(act("snooze", r#"{"mins": 16, "reason": "x"}"#), 400);
    assert_eq!(act("resolve", "{}"), 400);
    assert_eq!(act("resolve", r#"{"reason": "calcium given"}"#), 200);
    // At the command line, through the server's socket.
    let shown = alerts(dir.path(), &["show", &ids[0]]).expect(0).json();
    assert_eq!((&shown["state"], shown["history"].as_array().unwrap().len()), (&json!("resolved"), 3));
    alerts(dir.path(), &["escalate", &ids[1], "--reason", "help"]).expect(0);
    let flag: Value =
        serde_json::from_str(&client.get(&format!("api/v1/alerts/{}/fhir", ids[1])).expect(200).text)
            .unwrap();
    assert_eq!((&flag["resourceType"], &flag["status"]), (&json!("Flag"), &json!("active")));
    let burden = alerts(dir.path(), &["burden", "--json"]).expect(0).json();
    assert_eq!(burden["per_bed_day"], json!(0.5));
    wait_for(&gateway, 3);
    check_messages(&gateway);
    assert!(!server.log().contains("Quackenbush"), "{}", server.log());
}

/// The server delivers what was put before it started and since.
fn wait_for(gateway: &Gateway, n_messages: usize) {
    let started = std::time::Instant::now();
    while gateway.requests().len() < n_messages {
        assert!(started.elapsed().as_secs() < 120, "only {} messages", gateway.requests().len());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Signed, and without patient data.
fn check_messages(gateway: &Gateway) {
    for request in gateway.requests() {
        let (id, secs) = (request.header("webhook-id"), request.header("webhook-timestamp").parse().unwrap());
        let signature = notify::sign("s3cret", id, secs, request.body.as_bytes());
        assert_eq!(request.header("webhook-signature"), signature);
        let body = &request.body;
        assert!(!body.contains("Quackenbush") && !body.contains("Patient/"), "{body}");
    }
}
