//! What is found is added, what is not stays missing and is counted.

use serde_json::json;

use super::*;
use crate::step::testing::{Bench, table};

fn patients() -> Batch {
    table("id text, fips text", "a 01001 | b 09110 | c 1001 | d - | e 01003 | f 99999")
}

const OPTIONS: &str = "{source: svi, by: {fips: FIPS}, take: [RPL_THEMES as svi, RPL_THEME1], null_values: [-999], vintage: 2020, geography: county";

fn counties() -> Batch {
    table(
        "FIPS text, RPL_THEMES number, RPL_THEME1 text",
        "01001 0.5064 0.25 | 01003 -999 -999.0 | 09001 0.1 0.2",
    )
}

#[test]
fn what_is_not_found_stays_missing_and_is_counted() {
    let bench = Bench::new();
    let out = bench.try_run(decode, &format!("{OPTIONS}}}"), &[counties()], &[patients()]).unwrap();
    assert_eq!(out.table("id, svi, RPL_THEME1"), "a 0.5064 0.25 | b - - | c - - | d - - | e - - | f - -");
    assert_eq!(out.facts["match_rate"], json!(2.0 / 6.0));
    assert_eq!(
        out.facts["reference"],
        json!({
            "reference": "svi",
            "vintage": "2020",
            "rows_of_reference": 3,
            "rows_of_reference_without_key": 0,
            "matched": 2,
            "unmatched": 3,
            "without_key": 1,
            "match_rate": 2.0 / 6.0,
            "null_values": {"-999": 2},
            "unmatched_because": {
                "malformed": 1,
                "not_in_reference": 1,
                "connecticut_planning_region": 1,
                "connecticut_county": 0,
            },
        })
    );
}

#[test]
fn rows_that_find_nothing_can_be_quarantined_or_end_the_run() {
    let bench = Bench::new();
    let quarantine = format!("{OPTIONS}, unmatched: quarantine}}");
    let out = bench.try_run(decode, &quarantine, &[counties()], &[patients()]).unwrap();
    assert_eq!(out.table("id"), "a | e");
    assert_eq!(
        out.rejects(),
        [
            "2 join_reference no_match",
            "3 join_reference no_match",
            "4 join_reference missing_key",
            "6 join_reference no_match"
        ]
    );
    let strict = format!("{OPTIONS}, match_rate_min: 90%}}");
    let error = bench.try_run(decode, &strict, &[counties()], &[patients()]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "step `join_reference`: 2 of 6 rows find a row in `svi`, a share of 0.3333: `match_rate_min` asks for 0.9"
    );
}

#[test]
fn a_key_that_stands_twice_is_an_error_with_its_rows() {
    let bench = Bench::new();
    let twice = table("FIPS text, n integer", "01001 1 | - 2 | 01001 3");
    let options = "{source: svi, by: {fips: FIPS}, take: n}";
    let error = bench.try_run(decode, options, &[twice], &[patients()]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "step `join_reference`: the rows 1 and 3 of the reference `svi` have the same `FIPS`: it must be unique"
    );
}

#[test]
fn a_parquet_file_is_read_with_its_types() {
    let bench = Bench::new();
    let write = |name: &str, batch: &Batch| {
        let record = batch.without_places();
        let file = std::fs::File::create(bench.world.home.join(name)).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, record.schema(), None).unwrap();
        writer.write(&record).unwrap();
        writer.close().unwrap();
    };
    write("svi.parquet", &counties());
    let options = "{reference: svi.parquet, by: {fips: FIPS}, take: [RPL_THEMES as svi], columns: {RPL_THEMES: number}, null_values: [-999]}";
    assert_eq!(bench.run(decode, options, &[patients()]).table("svi"), "0.5064 | - | - | - | - | -");
    let check = |options: &str, wanted: &str| {
        let error = bench.try_run(decode, options, &[], &[patients()]).err().unwrap().to_string();
        assert_eq!(error.strip_prefix("step `join_reference`: ").unwrap(), wanted);
    };
    check(
        "{reference: svi.parquet, by: {fips: FIPS}, take: [RPL_THEMES as svi]}",
        "the column `RPL_THEMES` of the reference `svi` is number: write `RPL_THEMES: number` in `columns`",
    );
    check(
        "{reference: svi.parquet, by: {fips: FIPS}, take: [RPL]}",
        "`svi.parquet` has no column `RPL`: it has `FIPS`, `RPL_THEMES`, `RPL_THEME1`",
    );
    write("ids.parquet", &table("FIPS integer, n text", "1001 x"));
    check(
        "{reference: ids.parquet, by: {fips: FIPS}, take: [n]}",
        "the key `FIPS` of the reference `ids` is integer, not text: a number has lost its zeros",
    );
    check(
        "{reference: ../svi.parquet, by: {fips: FIPS}, take: [n]}",
        "the path `../svi.parquet` contains `..`",
    );
}

#[test]
fn a_csv_file_is_read_as_text_and_typed_as_declared() {
    let bench = Bench::new();
    let write = |name: &str, text: &str| std::fs::write(bench.world.home.join(name), text).unwrap();
    write("svi.csv", "\u{feff}FIPS,COUNTY,RPL_THEMES\n01001,\"Autauga, AL\",0.5064\n01003,Baldwin,-999.00\n");
    let options = "{reference: svi.csv, by: {fips: FIPS}, take: [RPL_THEMES as svi, COUNTY], columns: {RPL_THEMES: number}, null_values: [-999]}";
    let out = bench.run(decode, options, &[patients()]);
    assert_eq!(out.table("svi"), "0.5064 | - | - | - | - | -");
    assert_eq!(out.batches[0].text("COUNTY").unwrap().get(0), Some("Autauga, AL"));
    let check = |text: &str, wanted: &str| {
        write("svi.csv", text);
        let error = bench.try_run(decode, options, &[], &[patients()]).err().unwrap().to_string();
        assert!(error.contains(wanted), "{error}");
    };
    check(
        "FIPS,COUNTY,RPL_THEMES\n01001,x,a lot\n",
        "row 2 of the reference `svi` holds no number in `RPL_THEMES`",
    );
    check("FIPS,COUNTY,RPL_THEMES\n01001,x\n", "line 2 of `svi.csv` cannot be read");
    check("FIPS,COUNTY\n01001,x\n", "`svi.csv` has no column `RPL_THEMES`: it has `FIPS`, `COUNTY`");
    check(
        "FIPS,COUNTY,RPL_THEMES\n1,x,1\n1,y,2\n",
        "the rows 2 and 3 of the reference `svi` have the same `FIPS`",
    );
}

#[test]
fn the_social_vulnerability_index_of_2020_is_read_whole() {
    let Some(folder) = testkit::shared_data("cdc-svi-2020-county.tar.zst") else { return };
    let bench = Bench::new();
    std::fs::copy(folder.join("SVI_2020_US_county.csv"), bench.world.home.join("svi.csv")).unwrap();
    let options = "{reference: svi.csv, by: {fips: FIPS}, take: [RPL_THEMES as svi], columns: {RPL_THEMES: number}, null_values: [-999], geography: county}";
    // Autauga County; a county number that lost its zero; a planning region of Connecticut, which the counties of 2020 do not know.
    let rows = table("fips text", "01001 | 1001 | 09110");
    let out = bench.run(decode, options, &[rows]);
    assert_eq!(out.table("svi"), "0.513 | - | -");
    assert_eq!(out.facts["reference"]["rows_of_reference"], 3_143);
    assert_eq!(out.facts["reference"]["unmatched_because"]["malformed"], 1);
    assert_eq!(out.facts["reference"]["unmatched_because"]["connecticut_planning_region"], 1);
}

#[test]
fn what_cannot_be_is_said() {
    let bench = Bench::new();
    let check =
        |options: &str, wanted: &str| assert_eq!(bench.problems(decode, options, &patients()), [wanted]);
    check(
        "{by: fips, take: svi}",
        "1:1: the step `join_reference` needs `reference` (a file) or `source` (another source), one of them",
    );
    check(
        "{source: svi, by: zip, take: svi}",
        "1:19: the step `join_reference` needs the column `zip`: there are `id`, `fips`",
    );
    check(
        "{source: svi, by: fips, take: [x as id]}",
        "1:32: there is a column `id` already: write `x as` and another name",
    );
    check(
        "{source: svi, by: fips, take: x, columns: {fips: integer}}",
        "1:19: `fips` is text and `fips` of the reference is integer: declare both with one type",
    );
    check(
        "{source: svi, by: fips, take: x, columns: {y: integer}}",
        "1:44: `columns` of the step `join_reference` names `y`, which neither `by` nor `take` uses",
    );
}
