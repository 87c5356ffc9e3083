//! Rules of a house under a running server: a file that changes, one that is wrong, versions that no file has any more.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "support/senders.rs"]
mod senders;
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use support::{Client, Server, command, salus, token};

const SERVE: [&str; 5] = ["serve", "--config", "salus.yaml", "--listen", "127.0.0.1:0"];

fn rule(version: &str, above: u32) -> String {
    format!(
        "pack: night\nversion: {version}\nabout: x\nrules:\n  - name: night/rate\n    source: ward protocol 12\n    topic: night\n    measure: heart_rate\n    unit: /min\n    \
         limits:\n      - {{above: {above}, severity: medium, clear: {{at_most: 90, for: 1m}}}}\ntests:\n  - rule: night/rate\n    levels: {{{above}: none, {}: medium}}\n",
        above + 1
    )
}

fn write(dir: &Path, text: &str) {
    std::fs::write(dir.join("rules/night.yaml"), text).unwrap();
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn publish(client: &mut Client, id: &str, rate: u32) {
    let event = senders::event(id, &format!("Patient/{id}")).replace("150", &rate.to_string());
    client.send("POST", "api/v1/events", Some(&event)).expect(200);
    until("it is processed", || client.get("api/v1/streams").expect(200).text.contains(r#""lag":0,"#));
}

/// Versions of the rule in the alerts of a patient.
fn alerts(dir: &Path, id: &str) -> Vec<String> {
    let conn =
        Connection::open_with_flags(dir.join("data/stream.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows =
        conn.prepare("SELECT version FROM alert WHERE rule = 'night/rate' AND subject = ?1").unwrap();
    rows.query_map([format!("Patient/{id}")], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn faults(client: &mut Client) -> String {
    let rules = client.get("api/v1/rules").expect(200).text;
    let rules: serde_json::Value = serde_json::from_str(&rules).unwrap();
    assert!(rules["rules"].as_array().unwrap().iter().any(|rule| rule["name"] == "night/rate"), "{rules}");
    rules["faults"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_that_is_wrong_leaves_the_rules_as_they_were_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::create_dir(dir.join("rules")).unwrap();
    std::fs::write(dir.join("salus.yaml"), "data_dir: data\nrules: rules\n").unwrap();
    write(dir, &rule("1.0.0", 100));
    let secret = token(dir, "data", &["--role", "service"]);
    let mut server = Server::start(dir, &SERVE);
    let mut client = Client::new(&server.url, Some(&secret));
    publish(&mut client, "a", 105);
    assert_eq!(alerts(dir, "a"), ["1.0.0"]);

    // It does not compile; then it says something else under a version that was in use.
    for (text, why) in [
        (rule("2.0.0", 130).replace("heart_rate", "hart_rate"), "`hart_rate`"),
        (rule("1.0.0", 130), "give it a new version"),
    ] {
        write(dir, &text);
        until("it is told", || faults(&mut client).contains(why));
        assert!(
            client.get("rules").expect(200).text.contains("The version that applied before goes on applying")
        );
        server.tells("the rules stay as they were");
        assert!(client.get("metrics").expect(200).text.contains("salus_stream_rules_in_order 0"));
        assert_eq!(client.get("readyz").status, 200, "alerts go on: nobody is sent elsewhere");
        let id = if why.contains("version") { "b" } else { "c" };
        publish(&mut client, id, 105);
        assert_eq!(alerts(dir, id), ["1.0.0"], "{why}");
    }

    write(dir, &rule("2.0.0", 130));
    until("it is read", || client.get("api/v1/rules").text.contains(r#""version":"2.0.0""#));
    assert_eq!(faults(&mut client), "");
    publish(&mut client, "d", 105);
    publish(&mut client, "e", 135);
    assert_eq!((alerts(dir, "d").len(), alerts(dir, "e")), (0, vec!["2.0.0".to_owned()]));
    // Its tests are shown with those of the shipped rules.
    assert!(client.get("rules/night%2Frate").expect(200).text.contains("1 passed"));

    // The version that no file has any more: its text, and history through it.
    let shown = ["rules", "show", "night/rate@1.0.0", "--data-dir", "data", "--json"];
    let shown = salus(dir, &shown).expect(0).json();
    assert_eq!((&shown["in_force"], &shown["version"]), (&false.into(), &"1.0.0".into()));
    assert!(shown["file"]["text"].as_str().unwrap().contains("above: 100"), "{shown}");
    let page = client.get("rules/night%2Frate?version=1.0.0").expect(200).text;
    assert!(page.contains("above: 100") && page.contains("not in force any more"), "{page}");
    let replay =
        ["rules", "test", "--replay", "1h", "--version", "night/rate@1.0.0", "--data-dir", "data", "--json"];
    let replay = salus(dir, &replay).expect(0).json()["replay"].clone();
    assert_eq!((replay["only_before"].as_array().unwrap().len(), replay["events"].as_u64()), (0, Some(5)));
    let more: Vec<&str> =
        replay["only_after"].as_array().unwrap().iter().map(|one| one["subject"].as_str().unwrap()).collect();
    assert_eq!(more.len(), 4, "{replay}");
    assert!(more.contains(&"Patient/d"), "{replay}");
    salus(dir, &["rules", "show", "night/rate@9", "--data-dir", "data"]).expect(1);

    // What cannot be used is told before anything runs.
    server.stop();
    write(dir, &rule("2.0.0", 131));
    let refused = command(dir).args(SERVE).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("give it a new version"));
}
