//! `salus keys` as its users meet it: made once, listed without secrets, rotated, destroyed, beside a running server.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use keys::{KeyRing, Scope};
use support::{Ran, Server, salus};
use testkit::FixedClock;

fn keys(dir: &std::path::Path, args: &[&str]) -> Ran {
    salus(dir, &[&["keys"], args, &["--data-dir", "data"]].concat())
}

#[test]
fn keys_are_made_once_and_listed_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let absent = keys(dir.path(), &["status"]).expect(1);
    assert!(absent.stderr.contains("run `salus keys init`"), "{}", absent.stderr);
    let made = keys(dir.path(), &["init", "--json"]).expect(0).json();
    let folder = dir.path().join("data/keys");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(dir.path().join("data")).unwrap().permissions().mode() & 0o777, 0o700);
    let root = fs::read(folder.join("root.key")).unwrap();
    let again = keys(dir.path(), &["init"]).expect(1);
    assert!(again.stderr.contains("holds keys already"), "{}", again.stderr);
    assert_eq!(fs::read(folder.join("root.key")).unwrap(), root, "nothing was changed");
    let status = keys(dir.path(), &["status", "--json"]).expect(0).json();
    assert_eq!(status["root"], made["root"]);
    assert_eq!(status["keys"].as_array().unwrap().len(), 0);
    fs::set_permissions(folder.join("root.key"), fs::Permissions::from_mode(0o640)).unwrap();
    let open = keys(dir.path(), &["status"]).expect(1);
    assert!(open.stderr.contains("run `chmod 600"), "{}", open.stderr);
}

#[test]
fn rotation_keeps_and_shredding_destroys_beside_a_server() {
    let dir = tempfile::tempdir().unwrap();
    keys(dir.path(), &["init"]).expect(0);
    let server = Server::start(dir.path(), &["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    let clock = Arc::new(FixedClock::at("2026-01-01T00:00:00Z"));
    let ring = KeyRing::load(dir.path().join("data/keys"), clock).unwrap();
    let scope = Scope::new("vault/study").unwrap();
    let sealed = ring.seal(&scope, b"", b"text").unwrap();
    keys(dir.path(), &["rotate"]).expect(2);
    let root = keys(dir.path(), &["rotate", "--root", "--json"]).expect(0).json();
    let id = keys(dir.path(), &["rotate", "--scope", "vault/study", "--json"]).expect(0).json();
    assert_eq!(*ring.open(&scope, b"", &sealed).unwrap(), *b"text");
    let status = keys(dir.path(), &["status", "--json"]).expect(0).json();
    assert_eq!(status["root"], root["id"]);
    assert_eq!(status["keys"][1]["id"], id["id"]);
    assert_eq!(status["keys"][0]["created"], "2026-01-01T00:00:00.000Z");
    let unknown = keys(dir.path(), &["rotate", "--scope", "vault/other"]).expect(1);
    assert!(unknown.stderr.contains("`salus keys status` lists the scopes"), "{}", unknown.stderr);

    let unsure = keys(dir.path(), &["shred", "vault/study"]).expect(2);
    assert!(
        unsure.stderr.contains("2 key version(s)") && unsure.stderr.contains("--yes"),
        "{}",
        unsure.stderr
    );
    assert!(ring.open(&scope, b"", &sealed).is_ok());
    let shredded = keys(dir.path(), &["shred", "vault/study", "--yes", "--json"]).expect(0).json();
    assert_eq!(shredded["destroyed"], 2);
    assert!(ring.open(&scope, b"", &sealed).is_err());
    let shown = keys(dir.path(), &["status"]).expect(0).stdout;
    assert_eq!(shown.lines().filter(|line| line.starts_with("vault/study")).count(), 2, "{shown}");
    drop(server);
}

#[test]
fn wrong_usage_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    keys(dir.path(), &["init"]).expect(0);
    for (args, words) in [
        (vec!["shred", "Some One"], "is no scope"),
        (vec!["rotate", "--root", "--scope", "a"], "cannot be used with"),
        (vec!["frobnicate"], "unrecognized subcommand"),
    ] {
        let run = keys(dir.path(), &args).expect(2);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
}
