//! What is done after a load: rows that were set aside late are run again as they were read, windows are loaded again, targets that are at
//! different places are brought up to date.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{Ran, salus};

fn run(dir: &Path, more: &[&str]) -> Ran {
    salus(dir, &[&["etl", "run", "p.yaml", "--data-dir", "data", "--json"], more].concat())
}

fn replay(dir: &Path, record: &Value) -> Ran {
    salus(dir, &["etl", "replay", record["run"].as_str().unwrap(), "--data-dir", "data", "--json"])
}

/// One line per row.
fn rows(db: &Path, sql: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(db).unwrap();
    let mut query = db.prepare(sql).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_row_that_the_store_refuses_after_all_were_read_is_run_again_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let rows = "id,seen,sex\nP1,2026-01-01,male\nP2,2026-01-01,male\nP2,2026-01-02,M\nP3,2026-01-03,female\n";
    fs::write(dir.join("people.csv"), rows).unwrap();
    // The step checks less than the store does.
    let pipeline = |sex: &str| {
        let text = format!(
            "version: 1
name: people
sources:
  people: {{type: csv, path: people.csv, columns: {{id: text, seen: date, sex: text}}}}
steps:
  people:
    - dedupe: {{key: [id], by: seen}}
    - map_to_fhir:
        validation: basic
        resource: {{resourceType: Patient, id: {{column: id}}, gender: {sex}}}
targets:
  out: {{from: people, type: fhir_store}}
run: {{gates: false, retries: 0}}
"
        );
        fs::write(dir.join("p.yaml"), text).unwrap();
    };
    pipeline("{column: sex}");
    let first = run(dir, &[]).expect(4).json();
    let counts = &first["counts"];
    let found = (&counts["loaded"], &counts["quarantined"], &counts["deduplicated"]);
    assert_eq!(found, (&2.into(), &1.into(), &1.into()), "{first}");
    let still = replay(dir, &first).expect(4).json();
    assert_eq!(
        (&still["counts"]["read"], &still["counts"]["quarantined"]),
        (&1.into(), &1.into()),
        "{still}"
    );
    assert_eq!(still["sources"][0]["attempts"], 1);
    pipeline("{sql: \"case sex when 'M' then 'male' else sex end\"}");
    let again = replay(dir, &still).expect(0).json();
    assert_eq!((&again["counts"]["read"], &again["counts"]["loaded"]), (&1.into(), &1.into()), "{again}");
    salus(dir, &["export", "--data-dir", "data", "--out", "exported"]).expect(0);
    let patients = fs::read_to_string(dir.join("exported/Patient.ndjson")).unwrap();
    assert!(patients.lines().count() == 3 && patients.matches("\"male\"").count() == 2, "{patients}");
}

#[test]
fn a_row_refused_behind_a_step_that_waits_is_kept_as_it_was_read() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut text = String::from("id,n,value\n");
    (0..300).for_each(|n| writeln!(text, "P{n},{n},{}", if n % 100 == 50 { "x" } else { "7" }).unwrap());
    fs::write(dir.join("rows.csv"), text).unwrap();
    let pipeline = |replaced: &str| {
        let text = format!(
            "version: 1
name: rows
sources:
  rows: {{type: csv, path: rows.csv, columns: {{id: text, n: integer, value: text}}}}
steps:
  rows:
    - sql: {{query: \"select * from input order by n desc\"}}
    - derive: [{{expression: {{sql: \"cast({replaced} as bigint)\", into: whole, on_error: quarantine}}}}]
    - select: {{drop: [value]}}
targets:
  out: {{from: rows, type: sqlite, path: out.db, table: rows, mode: merge, key: [id]}}
run: {{gates: false, retries: 0}}
"
        );
        fs::write(dir.join("p.yaml"), text).unwrap();
    };
    pipeline("value");
    let first = run(dir, &[]).expect(4).json();
    assert_eq!(
        (&first["counts"]["loaded"], &first["counts"]["quarantined"]),
        (&297.into(), &3.into()),
        "{first}"
    );
    pipeline("replace(value, 'x', '1000')");
    let again = replay(dir, &first).expect(0).json();
    assert_eq!(again["counts"]["loaded"], 3, "{again}");
    let found = rows(&dir.join("out.db"), "SELECT id || ' ' || n FROM rows WHERE whole = 1000 ORDER BY n");
    assert_eq!(found, ["P50 50", "P150 150", "P250 250"]);
}

#[test]
fn what_a_database_refuses_is_kept_and_not_taken_for_a_row_of_the_source() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("rows.csv"), "id,value\nP1,1\nP2,nan\n").unwrap();
    let pipeline = "version: 1
name: rows
sources:
  rows: {type: csv, path: rows.csv, columns: {id: text, value: number}}
targets:
  out: {from: rows, type: sqlite, path: out.db, table: rows, mode: merge, key: [id]}
run: {gates: false, retries: 0}
";
    fs::write(dir.join("p.yaml"), pipeline).unwrap();
    let first = run(dir, &[]).expect(4).json();
    assert_eq!(
        (&first["counts"]["loaded"], &first["counts"]["quarantined"]),
        (&1.into(), &1.into()),
        "{first}"
    );
    let again = replay(dir, &first).expect(0).json();
    assert_eq!(again["counts"]["read"], 0, "{again}");
    let id = first["run"].as_str().unwrap();
    let shown = salus(dir, &["etl", "show", id, "--quarantine", "9", "--data-dir", "data", "--json"])
        .expect(0)
        .json();
    assert_eq!(shown["quarantine"][0]["state"], "open", "{shown}");
}

/// A table with a cursor of negative numbers, and targets that are loaded up to different places.
#[test]
fn targets_at_different_places_are_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = rusqlite::Connection::open(dir.join("source.db")).unwrap();
    source.execute_batch("CREATE TABLE v (id TEXT, seq INTEGER)").unwrap();
    let insert = |from: i64, to: i64| {
        for seq in from..=to {
            source.execute("INSERT INTO v VALUES ('r' || ?1, ?1)", [seq]).unwrap();
        }
    };
    let pipeline = |targets: &[&str]| {
        let mut text = String::from(
            "version: 1\nname: rows\nsources:\n  rows: {type: sqlite, path: source.db, table: v, cursor: {column: seq}, key: [id]}\ntargets:\n",
        );
        for target in targets {
            writeln!(text, "  {target}: {{from: rows, type: sqlite, path: {target}.db, table: t, mode: merge, key: [id]}}").unwrap();
        }
        text.push_str("run: {gates: false, retries: 0}\n");
        fs::write(dir.join("p.yaml"), text).unwrap();
    };
    insert(-120, -90);
    pipeline(&["behind"]);
    run(dir, &[]).expect(0);
    insert(-89, -81);
    pipeline(&["ahead"]);
    run(dir, &[]).expect(0);
    insert(-80, -7);
    pipeline(&["ahead", "behind"]);
    run(dir, &[]).expect(0);
    let wanted = rows(&dir.join("source.db"), "SELECT id FROM v ORDER BY id");
    for target in ["ahead.db", "behind.db"] {
        assert_eq!(rows(&dir.join(target), "SELECT id FROM t ORDER BY id"), wanted, "{target}");
    }
    assert_eq!(wanted.len(), 114);
    let watermark = || rows(&dir.join("behind.db"), "SELECT watermark FROM salus_etl WHERE unit = ''");
    assert_eq!(watermark(), ["-7"]);

    // Rows of the middle are lost in one target: their window is loaded again, and nobody's watermark moves.
    let lost = rusqlite::Connection::open(dir.join("behind.db")).unwrap();
    lost.execute("DELETE FROM t WHERE id IN ('r-100', 'r-60', 'r-50', 'r-40')", []).unwrap();
    drop(lost);
    let again = run(dir, &["--from", "-60", "--to", "-45"]).expect(0).json();
    assert_eq!(again["counts"]["read"], 16, "{again}");
    let target = &again["sources"][0]["targets"][1];
    assert_eq!((&target["inserted"], &target["unchanged"]), (&2.into(), &14.into()), "{again}");
    assert_eq!(watermark(), ["-7"]);
    run(dir, &["--from", "-101", "--to", "-100"]).expect(0);
    run(dir, &["--from", "-40"]).expect(0);
    assert_eq!(rows(&dir.join("behind.db"), "SELECT id FROM t ORDER BY id"), wanted);
    let none = run(dir, &["--from", "yesterday"]);
    assert!(none.code == 5 && none.stdout.contains("not of the cursor's type"), "{none:?}");
    // What is new comes as if nothing had been loaded again.
    insert(-6, -1);
    let new = run(dir, &[]).expect(0).json();
    assert_eq!(new["sources"][0]["targets"][1]["inserted"], 6, "{new}");
    assert_eq!(watermark(), ["-1"]);
}

#[test]
fn a_window_can_only_be_loaded_again_where_there_are_windows_and_rows_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("rows.csv"), "id\nP1\n").unwrap();
    let pipeline = "version: 1\nname: rows\nsources:\n  rows: {type: csv, path: rows.csv}\ntargets:\n  out: {from: rows, type: sqlite, path: out.db, table: t, MODE}\nrun: {gates: false, retries: 0}\n";
    let check = |mode: &str, said: &str| {
        fs::write(dir.join("p.yaml"), pipeline.replace("MODE", mode)).unwrap();
        let ran = run(dir, &["--from", "2026-01-01"]);
        assert!(ran.code == 5 && ran.stdout.contains(said), "{ran:?}");
    };
    check("mode: append", "can only be loaded again where rows are merged");
    check("mode: merge, key: [id]", "it has no `cursor`");
}

#[test]
fn rows_that_are_run_again_say_nothing_about_the_whole_source() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let write = |name: &str, a: usize, b: usize| {
        let mut text = String::from("id,dx\n");
        (0..a).for_each(|n| writeln!(text, "{name}{n},A").unwrap());
        (0..b).for_each(|n| writeln!(text, "{name}x{n},B").unwrap());
        writeln!(text, ",A").unwrap();
        fs::write(dir.join(format!("{name}.csv")), text).unwrap();
    };
    let pipeline = "version: 1
name: rows
sources:
  rows: {type: csv, path: \"*.csv\"}
checks:
  rows:
    - {id: id-there, column: id, rule: not_null, on_fail: quarantine}
    - {id: same, column: dx, rule: drift, values: [A, B]}
targets:
  out: {from: rows, type: sqlite, path: out.db, table: t}
run: {gates: false, retries: 0}
";
    fs::write(dir.join("p.yaml"), pipeline).unwrap();
    write("one", 150, 150);
    let first = run(dir, &[]).expect(4).json();
    replay(dir, &first).expect(4);
    run(dir, &["--dry-run"]).expect(0);
    write("two", 290, 10);
    let second = run(dir, &[]).expect(4).json();
    let rules = second["sources"][0]["quality"]["rules"].as_array().unwrap();
    let drift = rules.iter().find(|rule| rule["id"] == "same").unwrap();
    assert_eq!(drift["passed"], false, "the load is compared with a replay or a dry run: {drift}");
}

#[test]
fn the_sum_says_where_every_row_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("a.csv"), "id\nP1\nP2\n").unwrap();
    let pipeline = |more: &str, gates: &str| {
        let text = format!(
            "version: 1\nname: rows\nsources:\n  rows: {{type: csv, path: \"*.csv\"}}\nchecks:\n  rows:\n    - {{id: there, column: id, rule: regex, pattern: \"P.\", on_fail: {gates}}}\ntargets:\n  one: {{from: rows, type: sqlite, path: out.db, table: one}}\n{more}run: {{gates: false, retries: 0}}\n"
        );
        fs::write(dir.join("p.yaml"), text).unwrap();
    };
    let text = |code: i32| salus(dir, &["etl", "run", "p.yaml", "--data-dir", "data"]).expect(code).stdout;
    pipeline("", "warn");
    assert!(text(0).contains("\n2 read = 2 loaded + 0 quarantined + 0 filtered + 0 deduplicated\n"));
    fs::write(dir.join("b.csv"), "id\nP3\n").unwrap();
    // The second target lacks all, the first only the new file.
    pipeline("  two: {from: rows, type: sqlite, path: out.db, table: two}\n", "warn");
    let told = text(0);
    assert!(
        told.contains("\n3 read = 1 loaded + 0 quarantined + 0 filtered + 0 deduplicated + 2 there before\n"),
        "{told}"
    );
    fs::write(dir.join("c.csv"), "id\nX\n").unwrap();
    pipeline("", "fail");
    let told = text(3);
    assert!(
        told.contains("\n1 read = 0 loaded + 0 quarantined + 0 filtered + 0 deduplicated + 1 held back\n"),
        "{told}"
    );
}
