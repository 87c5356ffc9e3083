//! A disk that is full while keys or rows of a run are put aside: the load ends with an error that says so, nothing of it is in the target, and with room
//! the same command loads everything.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::salus;

const ROWS: u64 = 300_000;

const PIPELINE: &str = "version: 1
name: full
sources:
  people: {type: csv, path: people.csv}
STEP
targets:
  people: {from: people, type: sqlite, path: people.db, table: people, audit_columns: false}
run: {gates: false, retries: 0, memory: 64MiB}
";

const UNIQUE: &str = "checks: {people: [{id: once, column: id, rule: unique, on_fail: quarantine}]}";
const DEDUPE: &str = "steps: {people: [{dedupe: {key: id, keep: last}}]}";

/// A file system of its own, as small as it is wished.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, size: &str) -> Option<Small> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Small(at.to_owned()));
        }
        println!("not checked: a full disk, because a small one cannot be mounted here");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

fn n_rows(dir: &Path) -> u64 {
    let db = rusqlite::Connection::open(dir.join("people.db")).unwrap();
    let is_there = "SELECT count(*) FROM sqlite_master WHERE name = 'people'";
    if db.query_row(is_there, [], |row| row.get::<_, u64>(0)).unwrap() == 0 {
        return 0;
    }
    db.query_row("SELECT count(*) FROM people", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_loaded() {
    check(UNIQUE, "cannot write a file of keys in the scratch folder", 4);
    check(DEDUPE, "cannot write a scratch file", 0);
}

fn check(step: &str, why: &str, code_with_room: i32) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    salus(dir, &["keys", "init", "--data-dir", "data"]).expect(0);
    let mut people = String::from("id\n");
    for row in 0..ROWS {
        // One in a hundred stands twice.
        writeln!(people, "P{:09}", row - row % 100 / 99).unwrap();
    }
    fs::write(dir.join("people.csv"), people).unwrap();
    fs::write(dir.join("p.yaml"), PIPELINE.replace("STEP", step)).unwrap();
    let run = ["etl", "run", "p.yaml", "--data-dir", "data"];
    {
        let Some(_small) = Small::mount(&dir.join("data/tmp"), "1m") else { return };
        let ran = salus(dir, &run);
        assert!(ran.code != 0 && ran.code != 4, "{ran:?}");
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(told.contains(why), "{told}");
        assert!(told.contains("No space left on device"), "{told}");
        assert_eq!(n_rows(dir), 0);
    }
    salus(dir, &run).expect(code_with_room);
    assert_eq!(n_rows(dir), ROWS - ROWS / 100);
}
