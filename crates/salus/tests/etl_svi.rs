//! The Social Vulnerability Index of the CDC joined by county: every county finds its own row, what is missing there stays missing, and the share that
//! finds one is told.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use support::salus;

/// Counties that the table of 2020 does not have, with why: replaced in 2022, too short, made up, not said.
const OTHERS: [&str; 4] = ["09110", "1001", "99999", ""];

const PIPELINE: &str = "version: 1
name: svi
sources:
  people: {type: csv, path: people.csv, columns: {id: text, county_fips: text}}
steps:
  people:
    - join_reference:
        reference: svi.csv
        by: {county_fips: FIPS}
        take: [RPL_THEMES as svi, F_TOTAL as flags, LOCATION as county]
        columns: {RPL_THEMES: number, F_TOTAL: integer}
        null_values: [-999]
        vintage: \"2020\"
        geography: county
        match_rate_min: RATE
targets:
  out: {from: people, type: sqlite, path: out.db, table: people, mode: merge, key: [id]}
run: {gates: false, retries: 0}
";

/// A line of CSV, by whoever reads it without salus.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// By FIPS code: index, flags and name, as the file has them.
fn counties(file: &Path) -> BTreeMap<String, (String, String, String)> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let names = cells(lines.next().unwrap());
    let at = |name: &str| names.iter().position(|other| other == name).unwrap();
    let (fips, svi, flags, county) = (at("FIPS"), at("RPL_THEMES"), at("F_TOTAL"), at("LOCATION"));
    let county = |line: &str| {
        let row = cells(line);
        (row[fips].clone(), (row[svi].clone(), row[flags].clone(), row[county].clone()))
    };
    lines.map(county).collect()
}

#[test]
fn every_county_finds_its_row() {
    let Some(unpacked) = testkit::shared_data("cdc-svi-2020-county.tar.zst") else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::copy(unpacked.join("SVI_2020_US_county.csv"), dir.join("svi.csv")).unwrap();
    let counties = counties(&dir.join("svi.csv"));
    assert!(counties.len() > 3_000);
    let mut text = String::from("id,county_fips\n");
    for (n, fips) in counties.keys().map(String::as_str).chain(OTHERS).enumerate() {
        writeln!(text, "P{n},{fips}").unwrap();
    }
    fs::write(dir.join("people.csv"), text).unwrap();
    fs::write(dir.join("p.yaml"), PIPELINE.replace("RATE", "99.5%")).unwrap();
    let record = salus(dir, &["etl", "run", "p.yaml", "--data-dir", "data", "--json"]).expect(0).json();

    let facts = &record["sources"][0]["steps"][1]["facts"]["reference"];
    let n = counties.len();
    assert_eq!(
        (&facts["matched"], &facts["unmatched"], &facts["without_key"]),
        (&n.into(), &3.into(), &1.into())
    );
    let rate = facts["match_rate"].as_f64().unwrap();
    assert!((rate - n as f64 / (n + 4) as f64).abs() < 1e-12, "{rate}");
    assert_eq!(facts["vintage"], "2020");
    let why = &facts["unmatched_because"];
    for (reason, wanted) in [("connecticut_planning_region", 1), ("malformed", 1), ("not_in_reference", 1)] {
        assert_eq!(why[reason], wanted, "{why}");
    }
    // The District of Columbia is ranked, and not flagged within its state.
    assert!(facts["null_values"].to_string().contains("-999"), "{facts}");
    assert_eq!(counties["11001"].1, "-999");

    let db = rusqlite::Connection::open(dir.join("out.db")).unwrap();
    let mut query = db.prepare("SELECT county_fips, svi, flags, county FROM people").unwrap();
    let mut rows = query.query([]).unwrap();
    let mut n_rows = 0;
    while let Some(row) = rows.next().unwrap() {
        n_rows += 1;
        let fips: Option<String> = row.get(0).unwrap();
        let (svi, flags): (Option<f64>, Option<i64>) = (row.get(1).unwrap(), row.get(2).unwrap());
        let name: Option<String> = row.get(3).unwrap();
        let Some((wanted_svi, wanted_flags, wanted_name)) = fips.as_ref().and_then(|fips| counties.get(fips))
        else {
            assert!(svi.is_none() && flags.is_none() && name.is_none(), "{fips:?} found something");
            continue;
        };
        assert_eq!(svi, Some(wanted_svi.parse().unwrap()), "{fips:?}");
        assert!(svi.is_some_and(|svi| (0.0..=1.0).contains(&svi)));
        assert_eq!(flags, wanted_flags.parse().ok().filter(|flags| *flags != -999), "{fips:?}");
        assert_eq!(name.as_ref(), Some(wanted_name));
    }
    assert_eq!(n_rows, n + 4);

    // Fewer matches than were asked for: nothing is loaded.
    fs::remove_file(dir.join("out.db")).unwrap();
    fs::write(dir.join("p.yaml"), PIPELINE.replace("RATE", "99.9%")).unwrap();
    let failed = salus(dir, &["etl", "run", "p.yaml", "--data-dir", "data", "--json"]).expect(5).json();
    assert!(failed["sources"][0]["error"].as_str().unwrap().contains("match_rate_min"), "{failed}");
    assert_eq!(failed["counts"]["loaded"], 0);
}
