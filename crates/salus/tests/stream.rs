//! Streams as their users meet them: publish over HTTP, kill -9 at random moments, alerts that exist once, the command line.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use support::{Client, Server, salus, token};

const SERVE: [&str; 5] = ["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"];
const EVENTS: &str = "api/v1/events";
/// Patients of the kill test; each gets exactly one alert of its heart rate.
const PATIENTS: u64 = 12;

fn now() -> String {
    fhir::Clock::now(&db::SystemClock).to_rfc3339_millis()
}

fn vitals(id: &str, patient: &str, data: &str) -> String {
    let at = now();
    format!(
        r#"{{"id":"{id}","kind":"vital_signs","patient":"{patient}","at":"{at}","source":"monitor","unit":"7A","data":{data}}}"#
    )
}

fn number(dir: &Path, sql: &str) -> i64 {
    let path = dir.join("data/stream.db");
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn text(dir: &Path, sql: &str) -> String {
    let path = dir.join("data/stream.db");
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until the server has processed everything.
fn settle(client: &mut Client) {
    let started = Instant::now();
    loop {
        let groups = client.get("api/v1/streams/groups").expect(200);
        if groups.text.contains(r#""lag":0}"#) && groups.text.ends_with(r#""lag":0}"#) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{}", groups.text);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_event_over_http_becomes_a_durable_alert_and_an_observation() {
    let dir = tempfile::tempdir().unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let server = Server::start(dir.path(), &SERVE);
    let mut client = Client::new(&server.url, Some(&secret));
    let ann =
        r#"{"resourceType":"Patient","id":"ann","birthDate":"1950-03-14","name":[{"family":"Zabriskie"}]}"#;
    client.send("PUT", "fhir/Patient/ann", Some(ann)).expect(201);
    let event = vitals("e1", "Patient/ann", r#"{"heart_rate":151}"#);
    let answer = client.send("POST", EVENTS, Some(&event)).expect(200);
    assert_eq!(answer.text, r#"{"accepted":1,"duplicates":0,"rejected":[]}"#);
    let answer = client.send("POST", EVENTS, Some(&event)).expect(200);
    assert_eq!(answer.text, r#"{"accepted":0,"duplicates":1,"rejected":[]}"#);
    settle(&mut client);
    // The single value, and the partial NEWS2 with a parameter that scores 3.
    let open = "SELECT group_concat(topic) FROM (SELECT topic FROM alert WHERE subject = 'Patient/ann' AND ended_at IS NULL ORDER BY topic)";
    assert_eq!(text(dir.path(), open), "early-warning,heart-rate");
    let started = Instant::now();
    while !client.get("fhir/Observation?subject=Patient/ann&_summary=count").text.contains(r#""total":1"#) {
        assert!(started.elapsed() < Duration::from_secs(120), "no Observation");
        std::thread::sleep(Duration::from_millis(50));
    }
    let array = format!("[{},{{\"id\":7}}]", vitals("e2", "Patient/ann", r#"{"heart_rate":"NaN"}"#));
    let answer = client.send("POST", EVENTS, Some(&array)).expect(200);
    assert!(
        answer.text.starts_with(r#"{"accepted":0,"duplicates":0,"rejected":[{"dead_letter":1,"index":0,"#),
        "{}",
        answer.text
    );
    client.send("POST", EVENTS, Some("[1,2")).expect(400);
    assert!(client.get("readyz").text.contains("ready"));
    assert!(
        !server.log().contains("Zabriskie") && !server.log().contains("Patient/ann"),
        "content is in the log"
    );
    let listed =
        salus(dir.path(), &["stream", "dlq", "list", "--data-dir", "data", "--json"]).expect(0).json();
    assert_eq!(listed["letters"].as_array().unwrap().len(), 2);
    let shown =
        salus(dir.path(), &["stream", "dlq", "show", "1", "--data-dir", "data", "--json"]).expect(0).json();
    assert!(shown["content"].as_str().unwrap().contains("NaN"));
    let tail = salus(dir.path(), &["stream", "tail", "--data-dir", "data", "--json"]).expect(0).json();
    assert_eq!(tail["events"][0]["event"]["id"], "e1");
    let lag = salus(dir.path(), &["stream", "lag", "--data-dir", "data", "--json"]).expect(0).json();
    assert_eq!(lag["lag"], 0);
}

#[test]
fn only_those_who_may_publish_and_see_do() {
    let dir = tempfile::tempdir().unwrap();
    let auditor = token(dir.path(), "data", &["--role", "auditor"]);
    let admin = token(dir.path(), "data", &["--role", "admin"]);
    let narrow = token(dir.path(), "data", &["--role", "service", "--scopes", "system/Patient.rs"]);
    let server = Server::start(dir.path(), &SERVE);
    let event = vitals("e1", "Patient/ann", r#"{"heart_rate":80}"#);
    for secret in [&auditor, &admin, &narrow] {
        let mut client = Client::new(&server.url, Some(secret));
        client.send("POST", EVENTS, Some(&event)).expect(403);
        client.get(EVENTS).expect(403);
    }
    Client::new(&server.url, Some(&admin)).get("api/v1/streams").expect(200);
    Client::new(&server.url, None).send("POST", EVENTS, Some(&event)).expect(401);
}

/// Waits until a search finds so many.
fn until_found(client: &mut Client, query: &str, n: usize) {
    let started = Instant::now();
    loop {
        let found = client.get(&format!("fhir/{query}&_summary=count")).expect(200);
        if found.text.contains(&format!(r#""total":{n}"#)) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{query}: {}", found.text);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn notes_needs_devices_and_alerts_are_resources_that_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let config = "alerts: {fhir: [critical, \"medication/*\"]}\nstream: {sources: {named: {old-monitor: {quality_min: 0.9}}}}\n";
    std::fs::write(dir.path().join("salus.yaml"), config).unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let mut server = Server::start(dir.path(), &[&SERVE[..], &["--config", "salus.yaml"]].concat());
    let mut client = Client::new(&server.url, Some(&secret));
    let publish = |client: &mut Client, kind: &str, rest: &str| {
        let event = format!(
            r#"{{"id":"{kind}-{}","kind":"{kind}","patient":"urn:mrn|17","at":"{}","source":"old-monitor",{rest}}}"#,
            rest.len(),
            now()
        );
        client.send("POST", EVENTS, Some(&event)).expect(200).text
    };
    let accepted = r#"{"accepted":1,"duplicates":0,"rejected":[]}"#;
    // Before the store knows whose they are.
    assert_eq!(publish(&mut client, "vital_signs", r#""data":{"heart_rate":151}"#), accepted);
    settle(&mut client);
    until_found(&mut client, "Flag?date=gt2020-01-01", 1);
    let ann = r#"{"resourceType":"Patient","id":"ann","birthDate":"1950-03-14","identifier":[{"system":"urn:mrn","value":"17"}]}"#;
    client.send("PUT", "fhir/Patient/ann", Some(ann)).expect(201);
    // The alert under the identifier was never this name's; it goes on as one of the Patient's.
    until_found(&mut client, "Flag?subject=Patient/ann", 2);
    let flags = client.get("fhir/Flag?subject=Patient/ann").expect(200).text;
    let with = |status: &str| flags.matches(&format!(r#""status":"{status}""#)).count();
    assert_eq!((with("active"), with("entered-in-error")), (1, 1), "{flags}");
    let note = r#""privacy":["R"],"data":{"type":"34117-2","text":"Quackenbush complains of pain"}"#;
    assert_eq!(publish(&mut client, "clinical_notes", note), accepted);
    until_found(
        &mut client,
        "DocumentReference?patient=Patient/ann&type=34117-2&category=clinical-note&_security=R",
        1,
    );
    let need = r#""data":{"needs":[{"code":"Z59.41","verified":"confirmed"}],"answers":[{"question":"88122-7","answer":"LA28397-0"}]}"#;
    assert_eq!(publish(&mut client, "social_determinants", need), accepted);
    until_found(&mut client, "Patient?_has:Condition:subject:sdoh-category=food-insecurity", 1);
    until_found(&mut client, "Observation?patient=Patient/ann&sdoh-category=food-insecurity", 1);
    let device =
        r#""device":{"id":"SN-1","calibrated_at":"2026-11-01T08:00:00Z"},"quality":0.8,"data":{"spo2":70}"#;
    assert_eq!(publish(&mut client, "device_data", device), accepted);
    until_found(&mut client, "Observation?_tag=urn:salus:quality%7Clow&device:Device.identifier=SN-1", 1);
    settle(&mut client);
    assert_eq!(number(dir.path(), "SELECT count(*) FROM alert WHERE topic = 'spo2' AND ended_at IS NULL"), 0);
    assert_eq!(number(dir.path(), "SELECT count(*) FROM patient_state WHERE patient <> 'Patient/ann'"), 0);
    assert_eq!(number(dir.path(), "SELECT count(*) FROM dead_letter"), 0);
    let history = |client: &mut Client| client.get("fhir/Flag/_history?_summary=count").text;
    let before = history(&mut client);
    assert!(!server.log().contains("Quackenbush"), "a note is in the log");
    server.stop();
    let server = Server::start(dir.path(), &[&SERVE[..], &["--config", "salus.yaml"]].concat());
    let mut client = Client::new(&server.url, Some(&secret));
    settle(&mut client);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(history(&mut client), before, "a restart writes nothing again");
}

/// A generator of its own, so that the same seed kills at the same moments.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// What was sent and acknowledged, over all lives of the server.
#[derive(Default)]
struct Acknowledged {
    ids: BTreeSet<String>,
    patients: BTreeSet<u64>,
}

/// Publishes until the server is gone.
fn load(url: &str, secret: &str, cycle: u64, acknowledged: &std::sync::Mutex<Acknowledged>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut connection = egress::Connection::new(url, Some(secret)).unwrap();
    for n in 0.. {
        let ids: Vec<(String, u64)> =
            (0..5).map(|k| (format!("k{cycle}-{n}-{k}"), (n * 5 + k) % PATIENTS)).collect();
        let events = ids
            .iter()
            .map(|(id, patient)| vitals(id, &format!("Patient/p{patient}"), r#"{"heart_rate":150}"#));
        let body = events.collect::<Vec<String>>().join("\n");
        let sent = connection.send(egress::Method::POST, EVENTS, Some(body.into()));
        let Ok(answer) = runtime.block_on(sent) else { return };
        if answer.status.is_success() {
            let mut known = acknowledged.lock().unwrap();
            known.patients.extend(ids.iter().map(|(_, patient)| *patient));
            known.ids.extend(ids.into_iter().map(|(id, _)| id));
        }
    }
}

/// At least this many lives of the server: 1,000 with `SALUS_KILL_CYCLES=1000`. Bounded in time as well, and says how many there were.
#[test]
fn kill_9_at_random_moments_loses_and_doubles_nothing() {
    let cycles: u64 = std::env::var("SALUS_KILL_CYCLES").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let secs_max: u64 = std::env::var("SALUS_KILL_SECS").ok().and_then(|n| n.parse().ok()).unwrap_or(240);
    let dir = tempfile::tempdir().unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let (acknowledged, mut dice) = (std::sync::Mutex::new(Acknowledged::default()), Dice(0x5a1u64));
    let (started, mut done) = (Instant::now(), 0);
    while done < cycles && started.elapsed() < Duration::from_secs(secs_max) {
        let mut server = Server::start(dir.path(), &SERVE);
        std::thread::scope(|scope| {
            for lane in 0..2 {
                let (url, secret, acknowledged) = (server.url.clone(), &secret, &acknowledged);
                scope.spawn(move || load(&url, secret, done * 2 + lane, acknowledged));
            }
            std::thread::sleep(Duration::from_millis(dice.below(120)));
            server.kill();
        });
        done += 1;
        if done % 50 == 0 {
            check_offsets(dir.path());
        }
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    let server = Server::start(dir.path(), &SERVE);
    let mut client = Client::new(&server.url, Some(&secret));
    settle(&mut client);
    println!("{done} of {cycles} lives, {} events acknowledged", acknowledged.ids.len());
    assert!(done >= cycles.min(20), "the machine is too slow for a test of {secs_max} s: {done} lives");
    drop(server);
    check_offsets(dir.path());
    let path = dir.path().join("data/stream.db");
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows = conn.prepare("SELECT event FROM measured").unwrap();
    let kept: BTreeSet<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let lost: Vec<&String> = acknowledged.ids.difference(&kept).take(10).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let n = |sql: &str| number(dir.path(), sql);
    assert_eq!(
        n("SELECT count(*) FROM measured"),
        n("SELECT sum(next) FROM position"),
        "each event is processed once"
    );
    let alerts = n("SELECT count(*) FROM alert WHERE topic = (SELECT topic FROM alert ORDER BY key LIMIT 1)");
    assert_eq!(alerts, i64::try_from(acknowledged.patients.len()).unwrap(), "one alert for each patient");
    assert_eq!(
        n("SELECT count(*) FROM alert"),
        n("SELECT count(*) FROM (SELECT DISTINCT subject, topic FROM alert)")
    );
    assert_eq!(n("SELECT count(*) FROM dead_letter"), 0);
}

/// No group is beyond what the log has, and what it has passed is there.
fn check_offsets(dir: &Path) {
    let path = dir.join("data/stream.db");
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.execute("ATTACH ?1 AS log", [dir.join("data/log.db").to_str().unwrap()]).unwrap();
    let beyond = "SELECT count(*) FROM position AS p LEFT JOIN log.log_topic AS t ON t.kind = p.kind
        LEFT JOIN log.log_slot AS s ON s.slot = (t.id << 10) + p.partition WHERE p.next > coalesce(s.end_offset, 0)";
    let beyond: i64 = conn.query_row(beyond, [], |row| row.get(0)).unwrap();
    assert_eq!(beyond, 0, "an offset is beyond the log");
    let passed = number(dir, "SELECT coalesce(sum(next), 0) FROM position");
    assert_eq!(
        number(dir, "SELECT count(*) FROM measured"),
        passed,
        "an offset has passed an event without its effects"
    );
}

#[test]
fn a_ward_is_simulated_and_alerts_arise() {
    let dir = tempfile::tempdir().unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let server = Server::start(dir.path(), &SERVE);
    let simulated =
        ["stream", "simulate", "--data-dir", "data", "--beds", "6", "--hz", "2", "--secs", "3", "--json"];
    let sent = salus(dir.path(), &simulated).expect(0).json();
    assert!(sent["accepted"].as_u64().unwrap() >= 12, "{sent}");
    assert_eq!(sent["planted"].as_array().unwrap().len(), 2);
    let mut client = Client::new(&server.url, Some(&secret));
    settle(&mut client);
    assert_eq!(number(dir.path(), "SELECT count(*) FROM patient_state"), 6);
}

/// Over HTTP: what is of tomorrow is refused and kept as a letter, what is of last year is kept and shown, and alerts nobody.
#[test]
fn events_of_tomorrow_and_of_last_year() {
    let dir = tempfile::tempdir().unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let server = Server::start(dir.path(), &SERVE);
    let mut client = Client::new(&server.url, Some(&secret));
    let of = |id: &str, days: i64| {
        let at = fhir::Instant(fhir::Clock::now(&db::SystemClock).0 + days * 86_400_000_000);
        let at = at.to_rfc3339_millis();
        format!(
            r#"{{"id":"{id}","kind":"vital_signs","patient":"Patient/ann","at":"{at}","source":"monitor","data":{{"heart_rate":151}}}}"#
        )
    };
    let body = format!("{}\n{}", of("tomorrow", 1), of("last-year", -365));
    let answer = client.send("POST", EVENTS, Some(&body)).expect(200);
    assert!(
        answer.text.starts_with(r#"{"accepted":1,"duplicates":0,"rejected":[{"dead_letter":1,"index":0,"#)
    );
    settle(&mut client);
    assert_eq!(text(dir.path(), "SELECT cause FROM dead_letter"), "future");
    assert_eq!(text(dir.path(), "SELECT event || ' ' || lateness FROM measured"), "last-year too_late");
    assert_eq!(number(dir.path(), "SELECT count(*) FROM alert"), 0);
    // It is counted just behind the commit.
    let started = Instant::now();
    while !client.get("metrics").expect(200).text.contains("salus_stream_events_too_late_total 1") {
        assert!(started.elapsed() < Duration::from_secs(120), "{}", client.get("metrics").text);
        std::thread::sleep(Duration::from_millis(50));
    }
}
