//! `salus etl` from the command line: what is loaded, what is set aside, exit codes.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use support::{Ran, salus};

const ROWS: usize = 3_000;

/// Patients with mistakes planted: every 100th id is missing, every 150th stands twice, one line is ragged.
fn patients(dir: &Path) {
    let mut text = String::from("patient_id,name,gender,birth_date,zip\n");
    for n in 0..ROWS {
        let id = match n {
            n if n % 100 == 7 => String::new(),
            n if n % 150 == 11 => format!("P{:05}", n - 1),
            n => format!("P{n:05}"),
        };
        let gender = ["M", "F", "male", "FEMALE", "x"][n % 5];
        writeln!(text, "{id},Name{n},{gender},19{:02}-0{}-15,{:05}", 30 + n % 70, 1 + n % 9, 501 + n)
            .unwrap();
    }
    text.push_str("P99999,ragged\n");
    fs::write(dir.join("patients.csv"), text).unwrap();
}

fn pipeline(dir: &Path, target: &str) {
    let text = format!(
        "version: 1
name: people
sources:
  people: {{type: csv, path: patients.csv}}
checks:
  people:
    - {{id: id-present, column: patient_id, rule: not_null, on_fail: quarantine}}
    - {{id: id-once, column: patient_id, rule: unique, on_fail: quarantine}}
steps:
  people:
    - standardize_demographics: {{gender: gender, birth_date: birth_date, age_on: 2026-01-15}}
    - filter: {{where: \"zip <> '00600'\", rule: not-00600}}
targets:
  out: {{from: people, {target}}}
run: {{gates: false, retries: 0}}
"
    );
    fs::write(dir.join("p.yaml"), text).unwrap();
}

fn run(dir: &Path, more: &[&str]) -> Ran {
    let arguments = ["etl", "run", "p.yaml", "--data-dir", "data", "--json"];
    salus(dir, &[&arguments[..], more].concat())
}

/// The lines of the files that the manifest lists, without the audit columns.
fn manifest_lines(dir: &Path) -> Vec<String> {
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("out/_manifest.json")).unwrap()).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let mut lines = Vec::new();
    for file in files {
        let text = fs::read_to_string(dir.join("out").join(file["path"].as_str().unwrap())).unwrap();
        for line in text.lines().filter(|line| !line.starts_with("patient_id,")) {
            lines.push(line.split(',').take(6).collect::<Vec<_>>().join(","));
        }
    }
    lines.sort();
    lines
}

fn target_of(kind: &str) -> &'static str {
    match kind {
        "sqlite" => "type: sqlite, path: out.db, table: people, mode: merge, key: [patient_id]",
        _ => "type: csv, path: out, mode: append",
    }
}

#[test]
fn every_row_is_accounted_for_and_a_second_run_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    patients(dir.path());
    pipeline(dir.path(), target_of("csv"));
    let record = run(dir.path(), &[]).expect(4).json();
    let counts = &record["counts"];
    let n = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!(n("read"), ROWS as u64 + 1);
    assert_eq!(n("quarantined"), 30 + 20 + 1, "{counts}");
    assert_eq!(n("filtered"), 1);
    assert_eq!(n("read"), n("loaded") + n("quarantined") + n("filtered") + n("deduplicated"));
    let (first, manifest) =
        (manifest_lines(dir.path()), fs::read(dir.path().join("out/_manifest.json")).unwrap());
    assert_eq!(first.len() as u64, n("loaded"));
    let again = run(dir.path(), &[]).expect(0).json();
    assert_eq!(again["counts"]["read"], 0);
    assert_eq!(fs::read(dir.path().join("out/_manifest.json")).unwrap(), manifest);
    assert_eq!(manifest_lines(dir.path()), first);
}

#[test]
fn rows_set_aside_are_listed_without_their_values_and_run_again() {
    let dir = tempfile::tempdir().unwrap();
    patients(dir.path());
    pipeline(dir.path(), target_of("sqlite"));
    let record = run(dir.path(), &[]).expect(4).json();
    let id = record["run"].as_str().unwrap();
    let shown =
        salus(dir.path(), &["etl", "show", id, "--quarantine", "100", "--data-dir", "data"]).expect(0);
    assert!(shown.stdout.contains("id-present: ") && shown.stdout.contains("record: "), "{}", shown.stdout);
    assert!(!shown.stdout.contains("Name7"), "a value of a row is shown:\n{}", shown.stdout);
    for file in fs::read_dir(dir.path().join("data"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
    {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"Name7,"), "{} holds a row", file.display());
    }
    // The rule that refused the repeated ids is taken away; merging them updates the rows they repeat.
    let text = fs::read_to_string(dir.path().join("p.yaml")).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.contains("id-once")).collect();
    fs::write(dir.path().join("p.yaml"), without.join("\n")).unwrap();
    let replayed =
        salus(dir.path(), &["etl", "replay", id, "--rule", "id-once", "--data-dir", "data", "--json"])
            .expect(0)
            .json();
    assert_eq!(replayed["counts"]["read"], 20);
    assert_eq!(replayed["sources"][0]["targets"][0]["updated"], 20);
    let none = salus(dir.path(), &["etl", "replay", id, "--rule", "id-once", "--data-dir", "data"]);
    assert_eq!(none.code, 2, "{none:?}");
}

#[test]
fn what_is_wrong_has_its_place_and_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    patients(dir.path());
    pipeline(dir.path(), target_of("csv"));
    let good = fs::read_to_string(dir.path().join("p.yaml")).unwrap();
    let check = |from: &str, to: &str, code: i32, said: &str| {
        assert!(good.contains(from), "{from}");
        fs::write(dir.path().join("p.yaml"), good.replace(from, to)).unwrap();
        let ran = run(dir.path(), &[]);
        assert_eq!(ran.code, code, "{to}: {ran:?}");
        assert!(ran.stderr.contains(said) || ran.stdout.contains(said), "{said} in {ran:?}");
    };
    check(
        "standardize_demographics",
        "standardise_demographics",
        2,
        "p.yaml:11:7: unknown step `standardise_demographics`: did you mean `standardize_demographics`?",
    );
    check(
        "standardize_demographics",
        "hl7v2_to_fhir",
        2,
        "p.yaml:11:7: the step `hl7v2_to_fhir` is not supported yet",
    );
    check("gender: gender", "gender: sex", 2, "p.yaml:11:");
    check("from: people", "from: persons", 2, "which is no source");
    check("gates: false", "engine: ballista", 2, "`engine: ballista` is not supported yet");
    check("patients.csv", "absent.csv", 5, "absent.csv");
    check("patients.csv", "../patients.csv", 5, "..");
    check("gates: false", "gates: {completeness: 0.9999}", 3, "not loaded: completeness");
    check("rule: unique, on_fail: quarantine", "rule: unique, on_fail: fail", 3, "id-once");
    check("path: out", "path: patients.csv/out", 6, "target `out`");
    check(
        "type: csv, path: out",
        "type: postgres, url: \"${env:NOT_SET_ANYWHERE}\", table: t",
        6,
        "NOT_SET_ANYWHERE",
    );
    assert!(!dir.path().join("out/_manifest.json").exists(), "something was loaded");
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    patients(dir.path());
    pipeline(dir.path(), target_of("csv"));
    let record = run(dir.path(), &["--dry-run"]).expect(4).json();
    assert_eq!(record["counts"]["read"], ROWS as u64 + 1);
    assert!(!dir.path().join("out").exists());
    let preview = salus(dir.path(), &["etl", "preview", "p.yaml", "-n", "2", "--data-dir", "data", "--json"])
        .expect(0)
        .json();
    assert_eq!(preview["rows"].as_array().unwrap().len(), 2);
    assert_eq!(preview["rows"][0]["gender"], "male");
}
