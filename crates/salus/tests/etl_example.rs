//! The example of `examples/analytics` against a real PostgreSQL: what a newcomer is told to run.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::Ran;
use testkit::Postgres;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/analytics")
}

/// `salus` with the two databases in the environment.
fn salus(dir: &Path, urls: (&str, &str), arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_salus"))
        .current_dir(dir)
        .args(arguments)
        .env("EHR_URL", urls.0)
        .env("WAREHOUSE_URL", urls.1)
        .env_remove("SALUS_CONFIG")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_tests_of_the_example_pass_without_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let file = example().join("pipeline.yaml");
    let ran = salus(dir.path(), ("", ""), &["etl", "test", file.to_str().unwrap(), "--data-dir", "data"]);
    ran.expect(0);
}

#[test]
fn an_ehr_becomes_tables_for_analysts() {
    let Some(postgres) = Postgres::shared() else { return };
    let (ehr, warehouse) = (postgres.database("example_ehr"), postgres.database("example_warehouse"));
    postgres.sql("example_ehr", &fs::read_to_string(example().join("ehr.sql")).unwrap());
    let dir = tempfile::tempdir().unwrap();
    for file in ["pipeline.yaml", "community.csv"] {
        fs::copy(example().join(file), dir.path().join(file)).unwrap();
    }
    let run = |more: &[&str]| salus(dir.path(), (&ehr, &warehouse), more);
    run(&["etl", "check", "pipeline.yaml", "--data-dir", "data"]).expect(0);
    let record = run(&["etl", "run", "pipeline.yaml", "--data-dir", "data", "--json"]).expect(4).json();
    let counts = &record["counts"];
    let n = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!(n("read"), 400 + 2_400 + 6, "{counts}");
    assert_eq!(n("read"), n("loaded") + n("quarantined") + n("filtered") + n("deduplicated"));
    let count = |sql: &str| postgres.sql("example_warehouse", sql).trim().to_owned();
    // No id, one of the two with the same id, a day that does not exist, a birth in the future.
    assert_eq!(count("SELECT count(*) FROM analytics_patients"), "396");
    assert_eq!(count("SELECT count(*) FROM analytics_results"), "2399");
    assert_eq!(
        count("SELECT count(*) FROM analytics_patients WHERE gender IN ('male', 'female', 'unknown')"),
        "396"
    );
    let columns = count(
        "SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE table_name = 'analytics_patients'",
    );
    for gone in ["mrn", "name", "ssn", "phone", "county_fips", "svi,"] {
        assert!(
            !columns.split(',').any(|column| column == gone.trim_end_matches(',')),
            "{gone} left: {columns}"
        );
    }
    let dump = count("SELECT string_agg(p::text, ' ') FROM analytics_patients p")
        + &count("SELECT string_agg(r::text, ' ') FROM analytics_results r");
    for identifier in ["P0112", "Ana Abel", "MRN0", "205-555", "E00017"] {
        assert!(!dump.contains(identifier), "{identifier} is in the warehouse");
    }
    // The same people in both tables, under the same codes.
    assert_eq!(
        count(
            "SELECT count(DISTINCT r.patient_id) > 300 FROM analytics_results r JOIN analytics_patients p USING (patient_id)"
        ),
        "t"
    );
    assert_eq!(count("SELECT count(*) > 0 FROM analytics_patients WHERE charlson >= 3"), "t");
    let before = count(
        "SELECT md5(string_agg(p::text, ' ' ORDER BY patient_id)) FROM (SELECT * FROM analytics_patients) p",
    );
    let again = run(&["etl", "run", "pipeline.yaml", "--data-dir", "data", "--json"]).json();
    assert_eq!(again["sources"][1]["targets"][0]["updated"], 0, "{again}");
    let after = count(
        "SELECT md5(string_agg(p::text, ' ' ORDER BY patient_id)) FROM (SELECT * FROM analytics_patients) p",
    );
    assert_eq!(before, after, "a second run changed the table");
    let id = record["run"].as_str().unwrap();
    run(&["etl", "report", id, "--out", "report.html", "--data-dir", "data"]).expect(0);
    let report = fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(
        report.contains("patient-present") && report.contains("<svg"),
        "the report has no rules or charts"
    );
    for identifier in ["P0112", "Ana Abel", "MRN0"] {
        assert!(!report.contains(identifier), "{identifier} is in the report");
    }
}
