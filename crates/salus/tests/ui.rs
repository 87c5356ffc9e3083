//! The dashboard in a real browser: `salus demo`, signed in through its link, every page in light and dark, wide and narrow.
//!
//! `SALUS_SHOTS` names a folder that keeps the pictures; with `SALUS_BLESS=1` the README's pictures are taken anew.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use support::{Server, salus, token};

const LINK_SECS_MAX: u64 = 120;
/// The README's picture is kept in the repository.
const PICTURE_BYTES_MAX: u64 = 200_000;

/// The browser and its packages; says aloud what is missing.
#[allow(clippy::print_stdout, reason = "`./test` counts what was not checked by these lines")]
fn browser() -> Option<(PathBuf, PathBuf)> {
    let chromium =
        std::env::var_os("SALUS_CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    let Some(packages) = std::env::var_os("SALUS_BROWSER_PACKAGES").map(PathBuf::from) else {
        println!("not checked: pages in a browser: `SALUS_BROWSER_PACKAGES` is not set, as `./test` does");
        return None;
    };
    for needed in [&chromium, &packages.join("playwright-core"), &packages.join("axe-core")] {
        if !needed.exists() {
            println!("not checked: pages in a browser: `{}` is missing", needed.display());
            return None;
        }
    }
    Some((chromium, packages))
}

#[allow(clippy::print_stdout, reason = "`./test` counts what was not checked by these lines")]
fn note(text: &str) {
    println!("{text}");
}

fn link_of(server: &Server) -> String {
    let started = Instant::now();
    loop {
        let log = server.log();
        if let Some(link) = log.lines().find_map(|line| line.trim().strip_prefix("sign-in link: ")) {
            return link.to_owned();
        }
        assert!(started.elapsed() < Duration::from_secs(LINK_SECS_MAX), "no link: {log}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A pipeline that takes a moment, with one row that is set aside; and a file that is wrong.
fn pipelines(dir: &Path) {
    let folder = dir.join("pipelines");
    fs::create_dir(&folder).unwrap();
    let pipeline = r#"version: 1
name: labs
description: Laboratory results for analysts
sources:
  labs: {type: csv, path: labs.csv}
checks:
  labs:
    - {id: code-known, column: code, rule: in_set, values: [A, B], on_fail: quarantine}
    - {id: value-known, column: value, rule: not_null, on_fail: warn}
steps:
  labs:
    - filter: {where: "code = 'A'", rule: only-a}
targets:
  out: {from: labs, type: sqlite, path: out.db, table: labs}
run: {gates: false}
"#;
    fs::write(folder.join("labs.yaml"), pipeline).unwrap();
    fs::write(folder.join("broken.yaml"), "version: 1\nname: broken\nstpes: {}\n").unwrap();
    let mut rows = String::from("id,code,value\n0,Zabriskie,1\n");
    for id in 1..400_000 {
        let code = if id % 3 == 0 { "B" } else { "A" };
        rows.push_str(&format!("{id},{code},{}\n", id % 97));
    }
    fs::write(folder.join("labs.csv"), rows).unwrap();
}

#[test]
fn every_page_works_in_a_browser() {
    let Some((chromium, packages)) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    let is_blessed = std::env::var_os("SALUS_BLESS").is_some_and(|value| value == "1");
    // The README shows what `salus demo` shows.
    let patients = if is_blessed { "500" } else { "60" };
    let args =
        ["demo", "--patients", patients, "--seed", "1", "--listen", "127.0.0.1:0", "--data-dir", "demo"];
    pipelines(dir.path());
    let server = Server::start(dir.path(), &args);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shots = std::env::var_os("SALUS_SHOTS").map_or_else(|| dir.path().join("shots"), PathBuf::from);
    let run = Command::new("node")
        .arg(root.join("tests/browser/shots.mjs"))
        .args([link_of(&server).as_str(), shots.to_str().unwrap()])
        .env("SALUS_BROWSER_PACKAGES", packages)
        .env("SALUS_CHROMIUM", chromium)
        .output()
        .unwrap();
    let (told, problems) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{told}\n{problems}\nserver:\n{}", server.log());
    let summary: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(summary["pictures"].as_u64() >= Some(48) && summary["axeRuns"].as_u64() >= Some(56), "{summary}");
    if summary["ran"] != true {
        note("not checked: runs in a browser: this build reads no CSV or writes no SQLite");
    }
    assert!(!server.log().contains("Zabriskie"), "a value is in the log");
    let family = summary["family"].as_str().unwrap();
    assert!(!family.is_empty() && !server.log().contains(family), "a name is in the log");
    for (page, name) in [("overview", "overview"), ("demo-ward", "ward")] {
        let picture = shots.join(format!("{page}-light-1440.png"));
        let bytes = fs::metadata(&picture).unwrap().len();
        assert!(bytes <= PICTURE_BYTES_MAX, "the README's picture of `{page}` would have {bytes} bytes");
        if is_blessed {
            fs::create_dir_all(root.join("docs/img")).unwrap();
            fs::copy(&picture, root.join(format!("docs/img/{name}.png"))).unwrap();
        }
    }
}

#[test]
fn events_are_seen_as_they_happen() {
    let Some((chromium, packages)) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    let patient = r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"w1","gender":"female","birthDate":"1951-04-05",
        "name":[{"family":"Zabriskie","given":["Ida"]}]}}]}"#;
    fs::write(dir.path().join("bundle.json"), patient).unwrap();
    salus(dir.path(), &["import", "bundle.json", "--data-dir", "data"]).expect(0);
    let secret = token(dir.path(), "data", &["--role", "service", "--name", "monitor"]);
    let made =
        salus(dir.path(), &["token", "link", "--role", "clinician", "--name", "nurse", "--data-dir", "data"])
            .expect(0);
    let server = Server::start(dir.path(), &["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    let link = format!("{}/auth/link?{}", server.url, made.stdout.trim().split_once('?').unwrap().1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shots = std::env::var_os("SALUS_SHOTS").map_or_else(|| dir.path().join("shots"), PathBuf::from);
    let run = Command::new("node")
        .arg(root.join("tests/browser/streams.mjs"))
        .args([link.as_str(), &secret, shots.to_str().unwrap(), "w1"])
        .env("SALUS_BROWSER_PACKAGES", packages)
        .env("SALUS_CHROMIUM", chromium)
        .output()
        .unwrap();
    let (told, problems) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{told}\n{problems}\nserver:\n{}", server.log());
    let summary: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(summary["pictures"].as_u64() >= Some(36), "{summary}");
    note(&format!(
        "an event is on the ward board after {} ms (median of {})",
        summary["median"], summary["times"]
    ));
    assert!(!server.log().contains("Zabriskie"), "a name is in the log");
}
