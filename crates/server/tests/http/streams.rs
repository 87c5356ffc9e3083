//! Streams over HTTP: an event becomes an alert and is on the pages and in the live stream; a stream that was cut goes on exactly.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::house::House;

/// The house's clock stands at 2026-01-02T03:04:05.678Z.
fn vitals(id: &str, patient: &str, data: &str) -> String {
    format!(
        r#"{{"id":"{id}","kind":"vital_signs","patient":"Patient/{patient}","at":"2026-01-02T03:04:00Z","source":"monitor","unit":"Ward 3","data":{data}}}"#
    )
}

fn with_patients() -> House {
    let house = House::streaming();
    for (id, born) in [("p1", "1950-03-04"), ("p2", "2020-01-01")] {
        let patient = format!(
            r#"{{"resourceType":"Patient","id":"{id}","birthDate":"{born}","name":[{{"family":"Zabriskie","given":["{id}"]}}]}}"#
        );
        assert_eq!(house.ask("service", "PUT", &format!("/fhir/Patient/{id}"), &patient).status, 201);
    }
    house
}

fn publish(house: &House, event: &str) {
    let answer = house.ask("service", "POST", "/api/v1/events", event);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains(r#""accepted":1"#), "{}", answer.text());
}

/// Asks until the answer holds a text.
fn until(house: &House, who: &str, path: &str, text: &str) -> String {
    let started = Instant::now();
    loop {
        let answer = house.ask(who, "GET", path, "");
        if answer.status == 200 && answer.text().contains(text) {
            return answer.text();
        }
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{path} has no `{text}`: {} {}",
            answer.status,
            answer.text()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A live stream that is being read.
struct Live(BufReader<TcpStream>);

/// One message: its place, its name and its data.
#[derive(Debug, Default, PartialEq)]
struct Message {
    id: String,
    name: String,
    data: String,
}

impl Live {
    fn open(house: &House, who: &str, query: &str, last: Option<&str>) -> Live {
        let mut stream = TcpStream::connect(house.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let last = last.map(|last| format!("Last-Event-ID: {last}\r\n")).unwrap_or_default();
        let token = house.token(who);
        write!(stream, "GET /api/v1/stream{query} HTTP/1.1\r\nHost: server\r\nAuthorization: Bearer {token}\r\n{last}\r\n").unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
        Live(reader)
    }

    /// The next message that is not a bare place.
    fn next(&mut self) -> Message {
        loop {
            let mut message = Message::default();
            loop {
                let mut line = String::new();
                assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream ended");
                let line = line.trim_end();
                match line.split_once(": ") {
                    Some(("id", value)) => message.id = value.into(),
                    Some(("event", value)) => message.name = value.into(),
                    Some(("data", value)) => message.data.push_str(value),
                    _ if line.is_empty() && !message.name.is_empty() => break,
                    // Lengths of chunks, comments.
                    _ => {}
                }
            }
            if message.name != "cursor" {
                return message;
            }
        }
    }

    fn named(&mut self, name: &str) -> Message {
        loop {
            let message = self.next();
            if message.name == name {
                return message;
            }
        }
    }
}

#[test]
fn an_event_becomes_an_alert_on_the_pages() {
    let house = with_patients();
    publish(&house, &vitals("e1", "p1", r#"{"heart_rate":131,"spo2":97,"temperature":37.0}"#));
    let queue = until(&house, "clinician", "/alerts", "Zabriskie, p1");
    assert!(queue.contains("critical") && queue.contains("Ward 3") && queue.contains("left"), "{queue}");
    let ward = until(&house, "clinician", "/ward", "Zabriskie, p1");
    assert!(ward.contains("not evaluated") || ward.contains("at least"), "{ward}");
    assert!(ward.contains("missing: "), "{ward}");
    let lines = until(&house, "clinician", "/patients/p1/vitals", "Heart rate");
    assert!(lines.contains("vital_signs:") && lines.contains("131"), "{lines}");
    // From the value to the event that brought it.
    let position = lines.split("/streams/events/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let event = until(&house, "clinician", &format!("/streams/events/{position}"), "monitor");
    assert!(event.contains("heart_rate"), "{event}");
    let (records, _) = house.audit(0);
    assert!(
        records.iter().any(|line| line.starts_with("alert-read done") && line.contains("patients p1")),
        "{records:#?}"
    );
    assert!(
        records.iter().any(|line| line.starts_with("dead-letter-open done [event/vital_signs")),
        "{records:#?}"
    );
}

#[test]
fn who_reads_no_patients_sees_no_ward() {
    let house = with_patients();
    for path in ["/ward", "/alerts", "/patients/p1/vitals", "/api/v1/stream"] {
        for who in ["admin", "auditor", "analyst", "engineer"] {
            assert_eq!(house.ask(who, "GET", path, "").status, 403, "{who} {path}");
        }
    }
    for path in ["/streams", "/rules", "/streams/dead-letters"] {
        assert_eq!(house.ask("admin", "GET", path, "").status, 200, "{path}");
        assert_eq!(house.ask("auditor", "GET", path, "").status, 403, "{path}");
    }
    assert_eq!(house.ask("clinician", "GET", "/patients/nobody/vitals", "").status, 404);
    assert_eq!(house.ask("clinician", "GET", "/alerts/nothing", "").status, 404);
    assert_eq!(house.ask("clinician", "GET", "/streams/events/vital_signs:0:99", "").status, 404);
    assert_eq!(house.ask("clinician", "GET", "/api/v1/stream?after=x", "").status, 400);
    assert_eq!(house.ask("clinician", "GET", "/api/v1/stream?page=x", "").status, 400);
}

#[test]
fn rules_are_shown_with_their_limits_and_tests() {
    let house = House::streaming();
    let list = until(&house, "clinician", "/rules", "founding/heart-rate");
    assert!(
        list.contains("above 120 /min") && list.contains("passed") && !list.contains("fail</span>"),
        "{list}"
    );
    let one = until(&house, "clinician", "/rules/founding%2Fheart-rate", "above 120 /min");
    assert!(one.contains("Content hash"), "{one}");
}

#[test]
fn counts_are_shown_as_detectors_see_them() {
    let house = House::streaming();
    for (day, count) in [6, 5, 7, 6, 5, 7, 6, 5, 7, 31].into_iter().enumerate() {
        let event = format!(
            r#"{{"id":"c{day}","kind":"population_health","at":"2025-12-{:02}T12:00:00Z","source":"lab","region":"36061","data":{{"measure":"influenza","day":"2025-12-{:02}","count":{count}}}}}"#,
            day + 10,
            day + 10
        );
        let answer = house.ask("service", "POST", "/api/v1/events", &event);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let page = until(&house, "analyst", "/surveillance?algorithm=ears_c1", "2025-12-19");
    assert!(page.contains("influenza, 36061") && page.contains("EARS"), "{page}");
    assert!(page.contains("flagged"), "{page}");
    assert_eq!(house.ask("admin", "GET", "/surveillance", "").status, 403);
    assert_eq!(house.ask("analyst", "GET", "/surveillance?algorithm=x", "").status, 400);
}

#[test]
fn a_stream_tells_what_happens_and_goes_on_where_it_was_cut() {
    let house = with_patients();
    let mut live = Live::open(&house, "clinician", "", None);
    publish(&house, &vitals("e1", "p1", r#"{"heart_rate":131}"#));
    let first = live.named("alert");
    assert!(first.data.contains(r#""what":"raised""#) && first.data.contains("Patient/p1"), "{first:?}");
    drop(live);
    // Nobody listens to these.
    publish(&house, &vitals("e2", "p2", r#"{"heart_rate":30}"#));
    until(&house, "clinician", "/alerts", "Zabriskie, p2");
    let id = house.ask("clinician", "GET", "/alerts?severity=critical", "").text();
    let id = id.split("id=\"alert-").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let form = format!("act=acknowledge&id={id}");
    assert_eq!(post(&house, "/alerts/act", &form), 303);
    let mut again = Live::open(&house, "clinician", "", Some(&first.id));
    let mut told = Vec::new();
    while !told.iter().any(|line: &String| line.contains("acknowledged")) {
        let message = again.next();
        if message.name == "alert" {
            told.push(message.data);
        }
    }
    let seq = |text: &str| -> u64 {
        serde_json::from_str::<serde_json::Value>(text).unwrap()["seq"].as_u64().unwrap()
    };
    let (from, seqs) = (seq(&first.data), told.iter().map(|one| seq(one)).collect::<Vec<u64>>());
    assert_eq!(
        seqs,
        (from + 1..=from + seqs.len() as u64).collect::<Vec<u64>>(),
        "nothing twice, nothing left out: {told:#?}"
    );
    assert!(told.iter().any(|one| one.contains("Patient/p2") && one.contains("raised")), "{told:#?}");
    // Once more from the same place: the same, in the same order.
    let mut repeated = Live::open(&house, "clinician", "", Some(&first.id));
    for expected in &told {
        assert_eq!(repeated.named("alert").data, *expected);
    }
    // A place of another data folder, or one that is far behind, begins anew.
    let mut elsewhere = Live::open(&house, "clinician", "", Some("a999999-b999999"));
    assert_eq!(elsewhere.next().name, "resync");
}

#[test]
fn a_page_gets_its_pieces() {
    let house = with_patients();
    let mut ward = Live::open(&house, "clinician", "?page=ward", None);
    let mut queue = Live::open(&house, "clinician", "?page=alerts&severity=critical", None);
    let mut vitals_page = Live::open(&house, "clinician", "?page=vitals&patient=p1&hours=24", None);
    publish(&house, &vitals("e1", "p1", r#"{"heart_rate":131}"#));
    let tile = ward.named("fragment");
    assert!(tile.data.starts_with("<li class=\"panel bed") && tile.data.contains("Zabriskie"), "{tile:?}");
    let row = queue.named("fragment");
    assert!(row.data.starts_with("<tr data-row id=\"alert-") && row.data.contains("Acknowledge"), "{row:?}");
    let lines = vitals_page.named("fragment");
    assert!(lines.data.contains("vitals-lines") && lines.data.contains("131"), "{lines:?}");
    let (records, _) = house.audit(0);
    assert!(
        records
            .iter()
            .any(|line| line.contains("alert-read done [stream] count 1") && line.contains("patients p1")),
        "{records:#?}"
    );
}

#[test]
fn a_server_that_stops_ends_its_streams() {
    let mut house = with_patients();
    let mut live = Live::open(&house, "clinician", "", None);
    let ended = house.stop();
    let mut line = String::new();
    while live.0.read_line(&mut line).unwrap() > 0 {
        line.clear();
    }
    house.runtime.block_on(ended).unwrap().unwrap();
}

fn post(house: &House, path: &str, form: &str) -> u16 {
    let token = format!("Bearer {}", house.token("clinician"));
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    crate::client::send(house.address, &crate::client::request("POST", path, &headers, form.as_bytes()))
        .status
}

#[test]
fn people_act_on_alerts_within_limits() {
    let house = with_patients();
    publish(&house, &vitals("e1", "p1", r#"{"heart_rate":131}"#));
    let queue = until(&house, "clinician", "/alerts", "id=\"alert-");
    let id = queue.split("id=\"alert-").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let act = |form: &str| post(&house, "/alerts/act", &format!("id={id}&{form}"));
    assert_eq!(act("act=snooze&mins=5"), 400, "a snooze needs a reason");
    assert_eq!(act("act=snooze&mins=600&reason=x"), 400, "a critical alert is not snoozed for hours");
    assert_eq!(act("act=acknowledge&seen=0"), 409, "it changed since");
    assert_eq!(act("act=dance"), 400);
    assert_eq!(act("act=acknowledge"), 303);
    let one = until(&house, "clinician", &format!("/alerts/{id}"), "acknowledged");
    assert!(one.contains("token:") || one.contains("you"), "{one}");
    assert!(one.contains("What it rests on") && one.contains("vital_signs:"), "{one}");
    assert_eq!(post(&house, "/alerts/act", "act=acknowledge"), 400);
    assert_eq!(house.ask("analyst", "POST", "/alerts/act", "").status, 415);
}

#[test]
fn dead_letters_are_listed_without_content_and_opened_with_a_record() {
    let house = with_patients();
    let wrong = vitals("e1", "p1", r#"{"heart_rate":"fast","glucose":5}"#);
    house.ask("service", "POST", "/api/v1/events", &wrong);
    house.ask(
        "service",
        "POST",
        "/api/v1/events",
        r#"{"id":"e2","kind":"vital_signs","source":"m","data":{"heart_rate":"Quackenbush"}}"#,
    );
    let list = until(&house, "engineer", "/streams/dead-letters", "/open\"");
    assert!(!list.contains("Quackenbush"), "{list}");
    let path = list
        .split("action=\"")
        .find_map(|rest| rest.split('"').next().filter(|path| path.ends_with("/open")))
        .unwrap();
    let token = format!("Bearer {}", house.token("engineer"));
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    let opened = crate::client::send(house.address, &crate::client::request("POST", path, &headers, b"x=1"));
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert!(house.audit(0).0.iter().any(|line| line.starts_with("dead-letter-open done [dead-letter/")));
}
