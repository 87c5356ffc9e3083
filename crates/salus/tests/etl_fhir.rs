//! A FHIR server as a source: salus itself, with a population, read by search into files and tables, and compared with its export.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Ran, Server, salus, token};

const SERVE: [&str; 5] = ["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"];

const PIPELINE: &str = r#"version: 1
name: mirror
sources:
  patients:
    type: fhir
    url: "FHIR"
    search: Patient?_count=7
    auth: {bearer: "${env:FHIR_TOKEN}"}
    columns:
      birth_date: {path: birthDate, type: date}
      gender: gender
      family: name.first().family
  observations:
    type: fhir
    url: "FHIR"
    search: Observation?_count=100&code=http://loinc.org|8302-2,http://loinc.org|29463-7
    auth: {bearer: "${env:FHIR_TOKEN}"}
    cursor: {lookback: 5m}
    columns:
      patient: subject.reference
      code: "code.coding.where(system = 'http://loinc.org').code.first()"
      value: {path: value.value, type: "decimal(12,4)"}
      unit: value.unit
targets:
  people: {from: patients, type: csv, path: people, mode: replace}
  results: {from: observations, type: sqlite, path: results.db, table: results, mode: merge, key: [resource_id]}
run: {gates: false, retries: 0}
"#;

/// `salus etl` in a folder of its own, beside the server's, with a token in the environment.
fn etl(dir: &Path, token: Option<&str>, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_salus"));
    command.current_dir(dir).args(arguments).args(["--data-dir", "etl-data"]).env_remove("SALUS_CONFIG");
    command.env_remove("FHIR_TOKEN").envs(token.map(|token| ("FHIR_TOKEN", token)));
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Resources of a type as `salus export` writes them.
fn exported(dir: &Path, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(dir.join("exported").join(format!("{kind}.ndjson"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_population_is_read_by_search_as_the_export_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    salus(dir, &["synth", "--patients", "25", "--seed", "7", "--out", "population"]).expect(0);
    salus(dir, &["import", "population", "--data-dir", "data"]).expect(0);
    salus(dir, &["export", "--data-dir", "data", "--out", "exported"]).expect(0);
    let server = Server::start(dir, &SERVE);
    let reader = token(dir, "data", &["--role", "clinician", "--scopes", "system/*.rs"]);
    fs::write(dir.join("p.yaml"), PIPELINE.replace("FHIR\"", &format!("{}\"", server.fhir()))).unwrap();
    etl(dir, Some(&reader), &["etl", "check", "p.yaml"]).expect(0);
    // A window ends with the last whole second: what was written within this one belongs to the next run.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let record = etl(dir, Some(&reader), &["etl", "run", "p.yaml", "--json"]).expect(0).json();

    let patients = exported(dir, "Patient");
    assert_eq!(patients.len(), 25);
    let wanted: BTreeSet<String> = patients
        .iter()
        .map(|one| {
            format!(
                "{},{},{},{}",
                text(&one["id"]),
                text(&one["birthDate"]),
                text(&one["gender"]),
                text(&one["name"][0]["family"])
            )
        })
        .collect();
    assert_eq!(people(dir), wanted);

    let is_wanted = |one: &&Value| {
        let codings = one["code"]["coding"].as_array().into_iter().flatten();
        codings.clone().any(|coding| matches!(coding["code"].as_str(), Some("8302-2" | "29463-7")))
    };
    let wanted: BTreeSet<String> =
        exported(dir, "Observation").iter().filter(is_wanted).map(|one| text(&one["id"])).collect();
    assert!(wanted.len() > 20, "the population has {} of these observations", wanted.len());
    assert_eq!(results(dir), wanted);
    let counts = &record["counts"];
    assert_eq!(counts["read"], 25 + wanted.len() as u64, "{counts}");
    assert_eq!((&counts["loaded"], &counts["quarantined"]), (&counts["read"], &0.into()));
    let again = etl(dir, Some(&reader), &["etl", "run", "p.yaml", "--json"]).expect(0).json();
    let target = &again["sources"][1]["targets"][0];
    assert_eq!((&target["inserted"], &target["updated"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(results(dir), wanted);
}

/// Rows of the CSV target: id, birth date, gender, family name.
fn people(dir: &Path) -> BTreeSet<String> {
    let manifest: Value =
        serde_json::from_slice(&fs::read(dir.join("people/_manifest.json")).unwrap()).unwrap();
    let mut rows = BTreeSet::new();
    for file in manifest["files"].as_array().unwrap() {
        // The JSON of the resource holds commas: names stand before and behind it.
        let text = fs::read_to_string(dir.join("people").join(file["path"].as_str().unwrap())).unwrap();
        for line in text.lines().skip(1) {
            let id = line.split(',').nth(1).unwrap();
            let behind: Vec<&str> = line.rsplit_once("}\",").unwrap().1.split(',').collect();
            rows.insert(format!("{id},{},{},{}", behind[0], behind[1], behind[2]));
        }
    }
    rows
}

/// Ids in the table; each of its patients is one of the people.
fn results(dir: &Path) -> BTreeSet<String> {
    let db = rusqlite::Connection::open(dir.join("results.db")).unwrap();
    let mut query = db.prepare("SELECT resource_id, patient, value, unit FROM results").unwrap();
    let people: BTreeSet<String> =
        people(dir).iter().map(|row| row.split(',').next().unwrap().to_owned()).collect();
    let rows = query.query_map([], |row| {
        let (id, patient): (String, String) = (row.get(0)?, row.get(1)?);
        let (value, unit): (String, String) = (row.get(2)?, row.get(3)?);
        assert!(people.contains(patient.strip_prefix("Patient/").unwrap()), "{id}");
        assert!(value.parse::<f64>().is_ok() && !unit.is_empty(), "{id}: {value} {unit}");
        Ok(id)
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_token_that_is_missing_wrong_or_too_narrow_reads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    salus(dir, &["synth", "--patients", "3", "--seed", "7", "--out", "population"]).expect(0);
    salus(dir, &["import", "population", "--data-dir", "data"]).expect(0);
    let server = Server::start(dir, &SERVE);
    fs::write(dir.join("p.yaml"), PIPELINE.replace("FHIR\"", &format!("{}\"", server.fhir()))).unwrap();
    let run = |token: Option<&str>| etl(dir, token, &["etl", "run", "p.yaml", "--json"]);
    let missing = run(None);
    assert!(missing.code != 0 && format!("{missing:?}").contains("FHIR_TOKEN"), "{missing:?}");
    let wrong = run(Some("not-a-token-of-this-server"));
    assert!(wrong.code == 5 && wrong.stdout.contains("answered 401: check `auth`"), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("not-a-token"), "a token is printed: {wrong:?}");
    assert!(!dir.join("people/_manifest.json").exists() && !dir.join("results.db").exists());
    // A token for patients alone: they are read, and the observations are an error of their source, not an empty table.
    let narrow = token(dir, "data", &["--role", "clinician", "--scopes", "system/Patient.rs"]);
    let ran = run(Some(&narrow));
    assert_eq!(ran.code, 5, "{ran:?}");
    let record = ran.json();
    assert_eq!(record["status"], "completed_with_errors");
    assert_eq!(record["sources"][0]["counts"]["loaded"], 3, "{record}");
    assert!(
        record["sources"][1]["error"].as_str().unwrap().contains("answered 403: check `auth`"),
        "{record}"
    );
    assert!(!format!("{record}").contains(&narrow), "a token is printed");
}

#[test]
fn a_reference_by_id_may_lead_nowhere_and_a_condition_must_match() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    salus(dir, &["keys", "init", "--data-dir", "data"]).expect(0);
    fs::write(dir.join("results.csv"), "id,patient\n1,nobody\n").unwrap();
    let pipeline = |name: &str, subject: &str| {
        let text = format!(
            "version: 1\nname: {name}\nsources:\n  results: {{type: csv, path: results.csv}}\nsteps:\n  results:\n    - map_to_fhir:\n        \
             resource:\n          resourceType: Observation\n          id: {{column: id}}\n          status: final\n          code: {{text: weight}}\n          \
             subject: {subject}\ntargets:\n  store: {{from: results, type: fhir_store, audit_columns: false}}\nrun: {{gates: false}}\n"
        );
        fs::write(dir.join("p.yaml"), text).unwrap();
    };
    let run =
        |code| salus(dir, &["etl", "run", "p.yaml", "--data-dir", "data", "--json"]).expect(code).json();
    pipeline("by-id", "{reference_to: Patient, id: {column: patient}}");
    assert_eq!(run(0)["counts"]["loaded"], 1);
    pipeline("by-condition", "{reference: \"Patient?identifier=urn:mrn|7\"}");
    let record = run(4);
    assert_eq!(
        (&record["counts"]["loaded"], &record["counts"]["quarantined"]),
        (&0.into(), &1.into()),
        "{record}"
    );
    let id = record["id"].as_str().or_else(|| record["run"].as_str()).unwrap();
    let shown = salus(dir, &["etl", "show", id, "--quarantine", "5", "--data-dir", "data"]).expect(0).stdout;
    assert!(shown.contains("refers to `Patient`, which matches nothing"), "{shown}");
}
