//! The server as its users meet it: tokens, kill -9, two servers on one folder, restricted tokens, and nothing of a patient in a log.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use support::{Client, Server, salus, token};

const SERVE: [&str; 5] = ["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"];

#[test]
fn a_write_survives_kill_9_and_a_second_server_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let mut server = Server::start(dir.path(), &SERVE);
    let mut client = Client::new(&server.fhir(), Some(&secret));
    let body = r#"{"resourceType":"Patient","id":"42","name":[{"family":"Zabriskie"}]}"#;
    client.send("PUT", "Patient/42", Some(body)).expect(201);
    let second = salus(dir.path(), &SERVE).expect(1);
    assert!(second.stderr.contains("another process"), "{}", second.stderr);
    client.get("Patient/42").expect(200);
    server.kill();
    let server = Server::start(dir.path(), &SERVE);
    let mut client = Client::new(&server.fhir(), Some(&secret));
    let read = client.get("Patient/42").expect(200);
    assert_eq!(read.header("etag"), "W/\"1\"");
    assert!(read.text.contains("Zabriskie"));
    assert!(!server.log().contains("Zabriskie"), "a name is in the log");
    drop(server);
    salus(dir.path(), &["store", "check", "--data-dir", "data"]).expect(0);
}

#[test]
fn commands_ask_the_server_that_holds_their_folder() {
    let dir = tempfile::tempdir().unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let server = Server::start(dir.path(), &SERVE);
    let mut client = Client::new(&server.fhir(), Some(&secret));
    for id in ["1", "2", "3"] {
        client.send(
            "PUT",
            &format!("Patient/{id}"),
            Some(&format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#)),
        );
    }
    // More than a page: the links lead to the public address, the command comes by the socket.
    let found =
        salus(dir.path(), &["search", "Patient?_count=1", "--data-dir", "data", "--json"]).expect(0).json();
    assert_eq!(found["matches"], 3);
    let wrong = salus(dir.path(), &["search", "Patient?color=red", "--data-dir", "data"]).expect(2);
    assert!(wrong.stderr.contains("unknown search parameter `color`"), "{}", wrong.stderr);
}

#[test]
fn nobody_enters_without_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &SERVE);
    server.tells("sign-in link: http://127.0.0.1:");
    let mut nobody = Client::new(&server.fhir(), None);
    nobody.get("metadata").expect(200);
    let refused = nobody.get("Patient").expect(401);
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    Client::new(&server.fhir(), Some("salus_wrong")).get("Patient").expect(401);
    // Through the folder's socket, as the owner of the folder.
    let secret = token(dir.path(), "data", &["--role", "service", "--name", "script"]);
    let mut client = Client::new(&server.fhir(), Some(&secret));
    client.get("Patient").expect(200);
    let listed = salus(dir.path(), &["token", "list", "--data-dir", "data", "--json"]).expect(0).json();
    let id = listed["tokens"][0]["id"].as_str().unwrap().to_owned();
    salus(dir.path(), &["token", "revoke", &id, "--data-dir", "data"]).expect(0);
    client.get("Patient").expect(401);
    assert!(!server.log().contains(&secret), "a secret is in the log");
    let mode = fs::metadata(dir.path().join("data")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_public_address_without_tls_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let run = salus(dir.path(), &["serve", "--data-dir", "data", "--listen", "0.0.0.0:0"]);
    assert!(run.code != 0 && run.stderr.contains("TLS"), "{run:?}");
}

#[test]
fn a_patient_sees_one_record() {
    let dir = tempfile::tempdir().unwrap();
    let service = token(dir.path(), "data", &["--role", "service"]);
    let own =
        token(dir.path(), "data", &["--role", "clinician", "--scopes", "patient/*.rs", "--patient", "a"]);
    let server = Server::start(dir.path(), &SERVE);
    let mut all = Client::new(&server.fhir(), Some(&service));
    let mut one = Client::new(&server.fhir(), Some(&own));
    for id in ["a", "b"] {
        all.send(
            "PUT",
            &format!("Patient/{id}"),
            Some(&format!(r#"{{"resourceType":"Patient","id":"{id}","gender":"female"}}"#)),
        )
        .expect(201);
        let observation = format!(
            r#"{{"resourceType":"Observation","id":"o{id}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{id}"}}}}"#
        );
        all.send("PUT", &format!("Observation/o{id}"), Some(&observation)).expect(201);
    }
    one.get("Patient/a").expect(200);
    one.get("Patient/b").expect(404);
    one.get("Observation/ob").expect(404);
    one.get("Patient/c").expect(404);
    for query in [
        "Patient?_total=accurate",
        "Observation?_total=accurate",
        "Patient?gender=female&_total=accurate",
        "Observation?subject:Patient.gender=female&_total=accurate",
    ] {
        let bundle = one.get(query).expect(200);
        assert!(bundle.text.contains("\"total\":1"), "{query}: {}", bundle.text);
        assert!(!bundle.text.contains("Patient/b"), "{query}: {}", bundle.text);
    }
    assert!(
        one.get("Patient?_has:Observation:subject:_id=ob&_total=accurate")
            .expect(200)
            .text
            .contains("\"total\":0")
    );
    one.send("PUT", "Patient/a", Some(r#"{"resourceType":"Patient","id":"a"}"#)).expect(403);
}

#[test]
fn the_demo_runs_once_and_says_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["demo", "--patients", "25", "--once", "--json"];
    let first = salus(dir.path(), &args).expect(0).json();
    assert_eq!(first["counts"]["Patient"], 25);
    assert_eq!(first["loaded"]["updated"], 0);
    let again = salus(dir.path(), &args).expect(0).json();
    assert_eq!(again["loaded"]["created"], 0, "a second demo changes nothing");
    let found =
        salus(dir.path(), &["search", "Patient?_total=accurate", "--data-dir", "salus-demo", "--json"])
            .expect(0)
            .json();
    assert_eq!(found["total"], 25);
    salus(dir.path(), &["doctor", "--data-dir", "salus-demo"]).expect(0);
    let rebuilt =
        salus(dir.path(), &["rebuild", "index", "--data-dir", "salus-demo", "--json"]).expect(0).json();
    assert!(rebuilt["resources"].as_u64().unwrap() > 500, "{rebuilt}");
    salus(dir.path(), &["store", "check", "--data-dir", "salus-demo"]).expect(0);
}

#[test]
fn no_synthetic_name_is_in_any_log() {
    let dir = tempfile::tempdir().unwrap();
    salus(dir.path(), &["synth", "--patients", "30", "--seed", "7", "--out", "people", "--format", "ndjson"])
        .expect(0);
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let server = Server::start(dir.path(), &SERVE);
    let import =
        salus(dir.path(), &["import", "people", "--url", &server.fhir(), "--token", &secret]).expect(0);
    let mut client = Client::new(&server.fhir(), Some(&secret));
    let patients = fs::read_to_string(dir.path().join("people/Patient.ndjson")).unwrap();
    let mut families: Vec<String> = Vec::new();
    for line in patients.lines() {
        let patient = fhir::json::parse(line.as_bytes(), &fhir::json::Limits::default()).unwrap();
        families.push(patient.get("name").unwrap().items()[0].text("family").unwrap().to_owned());
    }
    for family in &families {
        let encoded: String = family.bytes().map(|b| format!("%{b:02X}")).collect();
        client.get(&format!("Patient?family={encoded}")).expect(200);
        client.get(&format!("Patient?birthdate={encoded}")).expect(400);
        client
            .send("POST", "Patient", Some(&format!(r#"{{"resourceType":"Patient","name":"{family}"}}"#)))
            .expect(422);
    }
    let written = format!("{}{}{}", server.log(), import.stdout, import.stderr);
    for family in families.iter().filter(|family| family.len() > 3) {
        assert!(!written.contains(family.as_str()), "`{family}` is in a log");
    }
    assert!(!written.contains("ERROR") && !written.contains("WARN"), "{written}");
}

#[test]
fn wrong_usage_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    for (args, code, words) in [
        (vec!["search", "Pacient?x=1", "--data-dir", "data"], 2, "there is no salus data"),
        (vec!["token", "create", "--role", "king", "--data-dir", "data"], 2, "role `king` is unknown"),
        (
            vec!["token", "create", "--role", "admin", "--expires", "1w", "--data-dir", "data"],
            2,
            "expiry `1w`",
        ),
        (vec!["search", "Patient", "--url", "ftp://x"], 2, "absolute `http://`"),
        (vec!["import", "absent.json", "--data-dir", "data"], 1, "cannot read `absent.json`"),
        (vec!["frobnicate"], 2, "unrecognized subcommand"),
    ] {
        let run = salus(dir.path(), &args).expect(code);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
    fs::write(dir.path().join("salus.yaml"), "listen: 127.0.0.1:0\ndata_dri: x\n").unwrap();
    let run = salus(dir.path(), &["serve"]).expect(2);
    assert!(run.stderr.contains("line 2") && run.stderr.contains("data_dri"), "{}", run.stderr);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    token(dir.path(), "data", &["--role", "service"]);
    let database = rusqlite::Connection::open(dir.path().join("data/salus.db")).unwrap();
    database.pragma_update(None, "user_version", 9_999).unwrap();
    drop(database);
    let run = salus(dir.path(), &["store", "check", "--data-dir", "data"]).expect(1);
    assert!(run.stderr.contains("newer"), "{}", run.stderr);
}
