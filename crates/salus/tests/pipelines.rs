//! Pipelines of a running server over the API: listed, started, counted, set aside, opened by who may, run again, waived, due by schedule,
//! cancelled, continued by the next server, changed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends where something is not as it should be"
)]

#[path = "support/slow.rs"]
mod slow;
mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use slow::SlowApi;
use support::{Client, Server, salus, token};

const SERVE: [&str; 5] = ["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"];
const PIPELINE: &str = r#"version: 1
name: NAME
description: Laboratory results for analysts
sources:
  labs: {type: csv, path: labs.csv}
checks:
  labs:
    - {id: code-known, column: code, rule: in_set, values: [A, B], on_fail: quarantine}
targets:
  out: {from: labs, type: sqlite, path: out-NAME.db, table: labs}
run: {gates: false}
"#;
/// Stands in a row that is set aside, and nowhere else.
const VALUE: &str = "Zabriskie";

fn files(dir: &Path) {
    let folder = dir.join("pipelines");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("labs.yaml"), PIPELINE.replace("NAME", "labs")).unwrap();
    let due =
        PIPELINE.replace("NAME", "nightly").replace("gates: false", "gates: false, schedule: \"* * * * *\"");
    fs::write(folder.join("nightly.yaml"), due).unwrap();
    fs::write(folder.join("broken.yaml"), "version: 1\nname: broken\nstpes: {}\n").unwrap();
    let rows = format!("id,code\n1,A\n2,B\n3,{VALUE}\n4,A\n");
    fs::write(folder.join("labs.csv"), rows).unwrap();
}

fn client(dir: &Path, server: &Server, role: &str) -> Client {
    Client::new(&format!("{}/api/v1", server.url), Some(&token(dir, "data", &["--role", role])))
}

fn get(client: &mut Client, path: &str) -> Value {
    serde_json::from_str(&client.get(path).expect(200).text).unwrap()
}

fn post(client: &mut Client, path: &str, status: u16) -> Value {
    serde_json::from_str(&client.send("POST", path, None).expect(status).text).unwrap()
}

/// Waits until a run is no longer at work.
fn ended(client: &mut Client, run: &str) -> Value {
    let started = Instant::now();
    loop {
        let document = get(client, &format!("runs/{run}"));
        if document["status"] != "running" {
            return document;
        }
        assert!(started.elapsed() < Duration::from_secs(180), "{document}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The pipeline as the server lists it; `None`, said aloud, when this build cannot read CSV or write SQLite.
fn listed(engineer: &mut Client, name: &str) -> Option<Value> {
    let all = get(engineer, "pipelines");
    let found = all["pipelines"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    if found.is_none() {
        println!("not checked: runs of pipelines: {}", all["pipelines"]);
    }
    found
}

#[test]
fn a_pipeline_is_run_looked_at_and_repaired() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    let server = Server::start(dir.path(), &SERVE);
    let mut engineer = client(dir.path(), &server, "engineer");
    let broken = &get(&mut engineer, "pipelines")["pipelines"];
    let broken = broken.as_array().unwrap().iter().find(|one| one["name"] == "broken.yaml").unwrap().clone();
    let problem =
        &broken["problems"].as_array().unwrap().iter().find(|one| one["line"] == 3).unwrap()["message"];
    assert!(problem.as_str().unwrap().contains("stpes"), "{broken}");
    post(&mut engineer, "pipelines/nothing/runs", 404);
    engineer.get("runs/0192").expect(404);
    let Some(before) = listed(&mut engineer, "labs") else { return };
    assert!(before["last_run"].is_null() && before["flows"][0]["targets"][0]["type"] == "sqlite", "{before}");

    let run = post(&mut engineer, "pipelines/labs/runs", 202)["run"].as_str().unwrap().to_owned();
    let record = ended(&mut engineer, &run);
    let counts = &record["counts"];
    assert_eq!(
        (&counts["read"], &counts["loaded"], &counts["quarantined"]),
        (&4.into(), &3.into(), &1.into()),
        "{record}"
    );
    let list = get(&mut engineer, "pipelines/labs/runs?status=completed");
    assert!(list["runs"][0]["run"] == *run && list["runs"][0]["counts"]["adds_up"] == true, "{list}");
    assert!(list["runs"][0]["by"].as_str().unwrap().starts_with("token:"), "{list}");
    // The command line sees the same run, beside the server.
    let shown = salus(dir.path(), &["etl", "show", &run, "--data-dir", "data", "--json"]).expect(0).json();
    assert_eq!(shown["counts"], record["counts"]);

    quarantine(dir.path(), &server, &mut engineer, &run);
    let report = engineer.get(&format!("runs/{run}/report")).expect(200);
    assert!(
        report.text.starts_with("<!DOCTYPE html>")
            && report.header("content-security-policy").contains("sandbox")
    );
    assert_eq!(get(&mut engineer, &format!("runs/{run}/report?format=json"))["pipeline"], "labs");
    let mut metrics = Client::new(&server.url, Some(&token(dir.path(), "data", &["--role", "engineer"])));
    let metrics = metrics.get("metrics").expect(200).text;
    assert!(metrics.contains("salus_pipeline_rows_total{pipeline=\"labs\",outcome=\"read\"} "), "{metrics}");
    assert!(!server.log().contains(VALUE), "a value is in the log");
    due(&mut engineer);
}

/// What was set aside: listed without content, opened by who may, run again, waived.
fn quarantine(dir: &Path, server: &Server, engineer: &mut Client, run: &str) {
    let listed = get(engineer, &format!("runs/{run}/quarantine"));
    let row = &listed["rows"][0];
    assert!(row["rule"] == "code-known" && row["line"] == 4 && row["state"] == "open", "{listed}");
    assert!(!listed.to_string().contains(VALUE), "a value is in the list");
    let content = format!("runs/{run}/quarantine/content?row={}", row["id"]);
    client(dir, server, "admin").get(&content).expect(403);
    client(dir, server, "clinician").get(&format!("runs/{run}")).expect(403);
    assert!(client(dir, server, "steward").get(&content).expect(200).text.contains(VALUE));
    let mut auditor = client(dir, server, "auditor");
    let records = get(&mut auditor, "audit?max=1000")["records"].clone();
    let opened = records.as_array().unwrap().iter().filter(|one| one["action"] == "quarantine-open");
    let outcomes: Vec<&str> = opened.filter_map(|one| one["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["denied", "done"]);
    assert!(!records.to_string().contains(VALUE), "a value is in the ledger");

    // The row still fails, so the new run sets it aside again.
    let again = post(engineer, &format!("runs/{run}/replay?rule=code-known"), 202);
    let again = again["run"].as_str().unwrap().to_owned();
    assert_eq!(ended(engineer, &again)["counts"]["quarantined"], 1);
    assert_eq!(get(engineer, &format!("runs/{run}/quarantine"))["rows"][0]["state"], "replayed");
    post(engineer, &format!("runs/{run}/replay"), 409);
    assert_eq!(post(engineer, &format!("runs/{again}/waive"), 200)["waived"], 1);
    assert_eq!(get(engineer, &format!("runs/{again}/quarantine?state=waived"))["rows"][0]["line"], 4);
    post(engineer, &format!("runs/{run}/cancel"), 409);
}

/// A schedule begins when it is first seen; its next minute comes within one.
fn due(engineer: &mut Client) {
    let started = Instant::now();
    loop {
        let runs = get(engineer, "pipelines/nightly/runs");
        // The first: later ones find nothing that is new.
        if let Some(run) = runs["runs"].as_array().unwrap().last() {
            assert_eq!(run["by"], "service:schedule", "{runs}");
            let record = ended(engineer, run["run"].as_str().unwrap());
            assert_eq!(record["counts"]["loaded"], 3, "{record}");
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(180), "nothing ran by schedule: {runs}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

const SLOW: &str = r#"version: 1
name: slow
sources:
  rows: {type: rest, url: "URL", paging: {style: link, next: next}, records: rows, columns: {n: integer}}
targets:
  out: {from: rows, type: sqlite, path: slow.db, table: rows, mode: merge, key: [n]}
run: {gates: false}
"#;
const SLOW_ROWS: u64 = 600;

/// A folder with a pipeline that lasts as long as its source lets it.
fn slow(dir: &Path) -> SlowApi {
    let api = SlowApi::start(SLOW_ROWS);
    fs::create_dir(dir.join("pipelines")).unwrap();
    fs::write(dir.join("pipelines/slow.yaml"), SLOW.replace("URL", &api.url)).unwrap();
    api
}

/// Numbers in the table of the slow pipeline; `None` when it is not there.
fn loaded(dir: &Path) -> Option<Vec<i64>> {
    let path = dir.join("pipelines/slow.db");
    let db = rusqlite::Connection::open(path).unwrap();
    db.busy_timeout(Duration::from_secs(60)).unwrap();
    let mut query = db.prepare("SELECT n FROM rows ORDER BY n").ok()?;
    Some(query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap())
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(180), "not within three minutes: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_run_that_is_cancelled_loads_nothing_and_is_not_continued() {
    let dir = tempfile::tempdir().unwrap();
    let api = slow(dir.path());
    let mut server = Server::start(dir.path(), &SERVE);
    let mut engineer = client(dir.path(), &server, "engineer");
    let run = post(&mut engineer, "pipelines/slow/runs", 202)["run"].as_str().unwrap().to_owned();
    wait_for("some pages are read", || api.n_pages() > 3);
    // The pipeline is at work: it is not run a second time beside itself.
    post(&mut engineer, "pipelines/slow/runs", 409);
    client(dir.path(), &server, "auditor").send("POST", &format!("runs/{run}/cancel"), None).expect(403);
    engineer.send("POST", &format!("runs/{run}/cancel"), None).expect(202);
    assert_eq!(ended(&mut engineer, &run)["status"], "cancelled");
    assert_eq!(loaded(dir.path()), None, "rows of a cancelled run are there");
    server.stop();
    api.hurry();
    let server = Server::start(dir.path(), &SERVE);
    let mut engineer = client(dir.path(), &server, "engineer");
    let again = post(&mut engineer, "pipelines/slow/runs", 202)["run"].as_str().unwrap().to_owned();
    assert_eq!(ended(&mut engineer, &again)["counts"]["loaded"], SLOW_ROWS);
    assert_eq!(get(&mut engineer, &format!("runs/{run}"))["status"], "cancelled");
}

#[test]
fn runs_end_with_their_server_and_go_on_with_the_next() {
    for is_killed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let api = slow(dir.path());
        let mut server = Server::start(dir.path(), &SERVE);
        let mut engineer = client(dir.path(), &server, "engineer");
        let run = post(&mut engineer, "pipelines/slow/runs", 202)["run"].as_str().unwrap().to_owned();
        wait_for("some pages are read", || api.n_pages() > 3);
        if is_killed {
            server.kill();
        } else {
            server.stop();
        }
        let shown = salus(dir.path(), &["etl", "runs", "--data-dir", "data", "--json"]).expect(0).json();
        assert_eq!(shown["runs"][0]["status"], "interrupted", "killed: {is_killed}: {shown}");
        assert_eq!(loaded(dir.path()), None);
        api.hurry();
        let server = Server::start(dir.path(), &SERVE);
        let mut engineer = client(dir.path(), &server, "engineer");
        wait_for("the run goes on", || loaded(dir.path()).is_some());
        let record = ended(&mut engineer, &run);
        assert!(record["status"] == "completed" && record["resumed"] == true, "{record}");
        assert_eq!(record["counts"]["loaded"], SLOW_ROWS);
        assert_eq!(loaded(dir.path()).unwrap(), (0..i64::try_from(SLOW_ROWS).unwrap()).collect::<Vec<_>>());
        let runs = get(&mut engineer, "pipelines/slow/runs");
        assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "{runs}");
        assert!(runs["runs"][0]["by"].as_str().unwrap().starts_with("token:"), "{runs}");
    }
}

#[test]
fn times_that_passed_while_no_server_ran_are_made_up_for_once() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("pipelines");
    fs::create_dir(&folder).unwrap();
    // At a time of day that is far from now: it must not come while the test runs.
    let hour_now = fhir::Clock::now(&db::SystemClock).to_rfc3339_millis()[11..13].parse::<u32>().unwrap();
    let hour = if (5..13).contains(&hour_now) { 15 } else { 3 };
    let daily = PIPELINE.replace("NAME", "daily").replace(
        "gates: false",
        &format!("gates: false, schedule: \"0 {hour} * * *\", time_zone: America/Chicago"),
    );
    fs::write(folder.join("daily.yaml"), daily).unwrap();
    fs::write(folder.join("labs.csv"), "id,code\n1,A\n").unwrap();
    let taken = || {
        let db = rusqlite::Connection::open(dir.path().join("data/etl.db")).unwrap();
        db.query_row("SELECT taken_at FROM schedule WHERE pipeline = 'daily'", [], |row| row.get::<_, i64>(0))
            .ok()
    };
    let mut server = Server::start(dir.path(), &SERVE);
    wait_for("the schedule is seen", || dir.path().join("data/etl.db").exists() && taken().is_some());
    server.stop();
    let db = rusqlite::Connection::open(dir.path().join("data/etl.db")).unwrap();
    // As if the server had been away for ten days.
    db.execute("UPDATE schedule SET taken_at = taken_at - 864000000000", []).unwrap();
    drop(db);
    let server = Server::start(dir.path(), &SERVE);
    let mut engineer = client(dir.path(), &server, "engineer");
    let started = Instant::now();
    while get(&mut engineer, "pipelines/daily/runs")["runs"].as_array().unwrap().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(180), "the missed time is not made up for");
        std::thread::sleep(Duration::from_millis(100));
    }
    // The clock is looked at every two seconds: another run would begin soon.
    std::thread::sleep(Duration::from_secs(5));
    let runs = get(&mut engineer, "pipelines/daily/runs");
    let runs = runs["runs"].as_array().unwrap();
    assert!(runs.len() == 1 && runs[0]["by"] == "service:schedule", "{runs:?}");
    assert_eq!(ended(&mut engineer, runs[0]["run"].as_str().unwrap())["counts"]["loaded"], 1);
}

#[test]
fn a_file_that_changes_is_read_again_and_a_run_at_work_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    let api = SlowApi::start(SLOW_ROWS);
    let path = dir.path().join("pipelines/slow.yaml");
    fs::write(&path, SLOW.replace("URL", &api.url)).unwrap();
    let server = Server::start(dir.path(), &SERVE);
    let mut engineer = client(dir.path(), &server, "engineer");
    let run = post(&mut engineer, "pipelines/slow/runs", 202)["run"].as_str().unwrap().to_owned();
    wait_for("some pages are read", || api.n_pages() > 3);
    fs::write(&path, "version: 1\nname: slow\nsuorces: {}\n").unwrap();
    let all = get(&mut engineer, "pipelines");
    assert!(all.to_string().contains("suorces"), "the mistake is not shown: {all}");
    post(&mut engineer, "pipelines/slow/runs", 404);
    api.hurry();
    let record = ended(&mut engineer, &run);
    assert!(record["status"] == "completed" && record["counts"]["loaded"] == SLOW_ROWS, "{record}");

    let labs = dir.path().join("pipelines/labs.yaml");
    let run_labs = |engineer: &mut Client| {
        let run = post(engineer, "pipelines/labs/runs", 202)["run"].as_str().unwrap().to_owned();
        ended(engineer, &run)
    };
    let first = run_labs(&mut engineer);
    assert_eq!(first["counts"]["quarantined"], 1);
    // The check lets the row through now, and its file is another one.
    fs::write(&labs, PIPELINE.replace("NAME", "labs").replace("[A, B]", &format!("[A, B, {VALUE}]")))
        .unwrap();
    fs::write(dir.path().join("pipelines/labs.csv"), format!("id,code\n1,A\n2,B\n3,{VALUE}\n4,A\n5,A\n"))
        .unwrap();
    let second = run_labs(&mut engineer);
    assert_eq!(
        (&second["counts"]["loaded"], &second["counts"]["quarantined"]),
        (&5.into(), &0.into()),
        "{second}"
    );
    assert_ne!(first["pipeline_hash"], second["pipeline_hash"]);
    fs::remove_file(&labs).unwrap();
    post(&mut engineer, "pipelines/labs/runs", 404);
    assert_eq!(
        get(&mut engineer, &format!("runs/{}", first["run"].as_str().unwrap()))["status"],
        "completed"
    );
}
