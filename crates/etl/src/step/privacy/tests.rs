//! What leaves, what does not, and that nobody can leave a column out.

use std::sync::Arc;

use keys::KeyRing;
use proptest::prelude::*;
use serde_json::json;
use table::{Batch, Column, Columns, Type, Value};

use super::*;
use crate::step::testing::{Bench, Kept, table};

fn bench() -> Bench {
    Bench::changed(|world, home| {
        let ring = KeyRing::init(home.join("keys"), Arc::clone(&world.clock)).unwrap();
        world.keys = Some(Arc::new(ring));
    })
}

const SAFE: &str = "{profile: safe_harbor, project: demo, as_of: 2026-01-15, patient: id, columns: {id: record_id, name: name, zip: zip, born: birth_date, age: age, state: state, note: free_text, mrn: {class: mrn, transform: surrogate}}}";

fn patients() -> Batch {
    table(
        "id text, name text, zip text, born date, age integer, state text, note text, mrn text",
        "p1 Ana_Abel 02138 1980-05-17 45 MA saw_Ana M-001 | p2 Bo_Berg 03601 1930-01-01 96 NH - M-002 | p1 - 2138 - - MA x -",
    )
}

#[test]
fn safe_harbor_lets_years_states_and_random_codes_leave() {
    let bench = bench();
    let out = bench.run(decode_deidentify, SAFE, &[patients()]);
    assert_eq!(out.columns.names(), ["id", "zip", "born", "age", "state", "mrn"]);
    assert_eq!(out.table("zip, born, age, state"), "021 1980 45 MA | 000 <=1936 90+ NH | - - - MA");
    let codes: Vec<String> = out.table("id").split(" | ").map(str::to_owned).collect();
    assert!(codes[0] == codes[2] && codes[0] != codes[1] && codes[0].len() == 26);
    let manifest = &out.facts["privacy_manifest"];
    assert_eq!(manifest["profile"], "safe_harbor");
    assert_eq!(
        manifest["columns"][1],
        json!({"name": "name", "classification": "name", "transform": "drop", "counts": {"absent": 1, "dropped": 2}})
    );
    assert_eq!(manifest["columns"][2]["counts"], json!({"generalised": 2, "unreadable": 1}));
}

#[test]
fn codes_are_the_same_within_a_project_and_unlinkable_between_projects() {
    let bench = bench();
    let ids = |options: &str, batch: Batch| bench.run(decode_deidentify, options, &[batch]).table("id");
    let first = ids(SAFE, patients());
    let labs = "{profile: safe_harbor, project: demo, columns: {id: {class: record_id, domain: patient}}}";
    let again = ids(labs, table("id text", "p1 | p2 | p1"));
    assert_eq!(first, again);
    let coded = table("id text", "p1 | p2 | p1");
    let array = arrow::compute::cast(coded.array("id").unwrap(), &Type::dictionary()).unwrap();
    assert_eq!(ids(labs, coded.with("id", array).unwrap()), first);
    let other = ids(&labs.replace("demo", "other"), table("id text", "p1 | p2 | p1"));
    assert!(first.split(" | ").all(|code| !other.contains(code)));
}

#[test]
fn an_expert_shifts_dates_and_keeps_intervals() {
    let bench = bench();
    let options = "{profile: expert, project: demo, as_of: 2026-01-15, patient: id, columns: {id: record_id, day: date, at: date}}";
    let rows = table(
        "id text, day date, at text",
        "p 2020-01-01 2020-01-01T10:00:00Z | p 2020-01-31 x | q 2020-01-01 - | - 2020-01-01 -",
    );
    let out = bench.run(decode_deidentify, options, &[rows]);
    let day = |row: usize| match out.batches[0].value("day", row).unwrap() {
        Value::Date(days) => Some(days),
        _ => None,
    };
    assert_eq!(day(1).unwrap() - day(0).unwrap(), 30);
    assert!(day(0) != day(2) && day(3).is_none());
    assert_eq!(out.columns.get("at").unwrap().kind, Type::Text);
    assert_eq!(out.facts["privacy_manifest"]["columns"][1]["counts"], json!({"shifted": 3, "unreadable": 1}));
}

#[test]
fn what_is_missing_or_misspelt_is_an_error_before_anything_runs() {
    let bench = bench();
    let check = |options: &str, wanted: &str| {
        assert_eq!(bench.problems(decode_deidentify, options, &table("id text, note text", "a b")), [wanted]);
    };
    check(
        "{profile: safe_harbour, project: demo, columns: {id: record_id, note: safe}}",
        "1:11: privacy profile `safe_harbour` is unknown: use one of safe_harbor, limited_data_set, expert, k_anonymize, none",
    );
    check(
        "{project: demo, columns: {id: record_id, note: safe}}",
        "1:1: the step `deidentify` needs the key `profile`",
    );
    check(
        "{profile: safe_harbor, project: demo, columns: {id: record_id}}",
        "1:1: column `note` has no classification, so it may not leave under `safe_harbor`: classify it, or leave it out",
    );
    check(
        "{profile: safe_harbor, project: demo, columns: {id: record_id, note: safe, x: safe}}",
        "1:76: there is no column `x`: correct the name of its classification, or remove it",
    );
    check(
        "{profile: safe_harbor, project: demo, columns: {id: record_id, note: {class: name, transform: keep}}}",
        "1:64: `keep` of column `note` (name) is not allowed under `safe_harbor`: use `drop`",
    );
    check(
        "{profile: expert, project: demo, columns: {id: record_id, note: date}}",
        "1:59: `shift` of column `note` needs the key `patient`: the column with the patient's id",
    );
    check(
        "{profile: k_anonymize, project: demo, columns: {id: record_id, note: safe}}",
        "1:11: the profile `k_anonymize` is a step of its own: write `k_anonymize: {k: 5, ..}`",
    );
    check(
        "{profile: safe_harbor, project: ../x, columns: {id: record_id, note: safe}}",
        "1:33: `../x` is no name of a project or domain: use 1 to 64 of a-z, 0-9, `.`, `_` and `-`",
    );
    let without_keys = Bench::new();
    let error = without_keys.try_run(decode_deidentify, SAFE, &[], &[patients()]).err().unwrap().to_string();
    assert!(error.contains("`salus keys init`"), "{error}");
}

/// Everything a step gave, as text: cells, rejects, facts.
fn all_text(out: &Kept) -> String {
    let mut text = serde_json::to_string(&out.facts).unwrap();
    for name in out.columns.names() {
        text.push('\n');
        text.push_str(&out.table(name));
    }
    text.push_str(&format!("{:?} {:?}", out.rejected, out.batches));
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_identifier_of_four_characters_or_more_leaves(
        rows in prop::collection::vec(
            ("[A-Z]{2}[a-z]{3,9} [A-Z][a-z]{3,9}", "[0-9]{3}-[0-9]{2}-[0-9]{4}", "[A-Z]{2}[0-9]{6}", "[0-9]{5}-[0-9]{4}", "(19[0-9]{2}|200[0-9])-0[1-9]-[12][0-9]", "[A-Z][a-z]{4,20} [0-9]{5,6}"),
            1..40,
        ),
        is_coded in any::<bool>(),
    ) {
        let bench = bench();
        let columns = ["name", "ssn", "id", "zip", "born", "note"].map(|name| Column::new(name, Type::Text));
        let columns = Columns::new(columns.to_vec()).unwrap();
        let cells: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| [&row.0, &row.1, &row.2, &row.3, &row.4, &row.5].map(|text| Value::Text(text.clone())).to_vec())
            .collect();
        let mut batch = Batch::from_rows(&columns, &cells).unwrap();
        if is_coded {
            for name in columns.names() {
                let coded = arrow::compute::cast(batch.array(name).unwrap(), &Type::dictionary()).unwrap();
                batch = batch.with(name, coded).unwrap();
            }
        }
        let options = "{profile: safe_harbor, project: demo, as_of: 2026-01-15, columns: {name: name, ssn: ssn, id: {class: record_id, domain: patient}, zip: zip, born: birth_date, note: free_text}}";
        let text = all_text(&bench.run(decode_deidentify, options, &[batch]));
        for row in &rows {
            for identifier in [&row.0, &row.1, &row.2, &row.3, &row.4, &row.5] {
                for part in std::iter::once(identifier.as_str()).chain(identifier.split(' ')) {
                    prop_assert!(part.len() < 4 || !text.contains(part));
                }
            }
        }
    }
}

const ANONYMOUS: &str = "{project: demo, as_of: 2026-01-15, columns: {id: {class: record_id, transform: drop}, age: age, sex: quasi_identifier, state: state, dx: sensitive}, k: 5, quasi_identifiers: {age: number, sex: category, state: {tree: {ME: north, NH: north, GA: south, FL: south, north: all, south: all}}}, sensitive: {column: dx, l: 2}, suppression_limit: 10%, rule: small-cells}";

fn people(n_rows: usize) -> Vec<Batch> {
    let states = ["ME", "NH", "GA", "FL"];
    let rows: Vec<String> = (0..n_rows)
        .map(|n| {
            let age = (n * 37) % 97;
            let dx = ["I10", "E11", "J45"][(n * 7) % 3];
            format!("p{n} {age} {} {} {dx}", ["f", "m"][(n / 3) % 2], states[(n / 5) % 4])
        })
        .collect();
    let columns = "id text, age integer, sex text, state text, dx text";
    rows.chunks(64).map(|part| table(columns, &part.join(" | "))).collect()
}

#[test]
fn every_row_that_goes_out_looks_like_k_minus_one_others() {
    let bench = bench();
    let out = bench.run(decode_k_anonymize, ANONYMOUS, &people(500));
    assert_eq!(out.columns.names(), ["age", "sex", "state", "dx"]);
    let all = out.table("age, sex, state");
    let mut classes = std::collections::BTreeMap::<&str, usize>::new();
    for row in all.split(" | ") {
        *classes.entry(row).or_default() += 1;
    }
    assert!(classes.values().all(|n| *n >= 5) && classes.len() > 10, "{} classes", classes.len());
    let manifest = &out.facts["privacy_manifest"];
    assert_eq!(manifest["k_anonymity"]["classes"], classes.len());
    assert_eq!(manifest["profile"], "k_anonymize");
    assert_eq!(manifest["sensitive"], "dx");
    assert!(!all.contains('*'));
}

#[test]
fn rows_that_would_stand_out_are_filtered_by_a_rule_or_end_the_run() {
    let bench = bench();
    let few = "{project: demo, columns: {sex: quasi_identifier}, k: 3, quasi_identifiers: [sex]";
    let rows = || table("sex text", "f | f | f | m | m | m | m");
    assert_eq!(
        bench.run(decode_k_anonymize, &format!("{few}}}"), &[rows()]).table("sex"),
        "f | f | f | m | m | m | m"
    );
    let two = || table("sex text", "f | m");
    let error = bench.try_run(decode_k_anonymize, &format!("{few}}}"), &[], &[two()]).err().unwrap();
    assert!(error.to_string().contains("2 of 2 rows would have to be suppressed"), "{error}");
    let out =
        bench.run(decode_k_anonymize, &format!("{few}, suppression_limit: 100%, rule: alone}}"), &[two()]);
    assert_eq!((out.batches.len(), out.filtered), (0, vec![("alone".to_owned(), 2)]));
}

#[test]
fn all_that_an_outsider_could_know_must_be_covered() {
    let bench = bench();
    let rows = table("sex text, zip text", "f 02138");
    let options =
        "{project: demo, columns: {sex: quasi_identifier, zip: zip}, k: 3, quasi_identifiers: [sex]}";
    let error = bench.try_run(decode_k_anonymize, options, &[], std::slice::from_ref(&rows)).err().unwrap();
    assert!(
        error.to_string().contains("the column `zip` leaves and could be known to an outsider"),
        "{error}"
    );
    let check = |options: &str, wanted: &str| {
        assert_eq!(bench.problems(decode_k_anonymize, options, &rows), [wanted]);
    };
    check(
        "{project: demo, columns: {sex: quasi_identifier, zip: {class: zip, transform: drop}}, k: 1, quasi_identifiers: [sex]}",
        "1:1: `k` must be at least 2: a class of one is a person",
    );
    check(
        "{project: demo, columns: {sex: quasi_identifier, zip: zip}, k: 2, quasi_identifiers: {sex: words, zip: category}}",
        "1:92: `words` is no kind of quasi-identifier: use `number` or `category`",
    );
    check(
        "{project: demo, columns: {sex: quasi_identifier, zip: zip}, k: 2, quasi_identifiers: [sex, zip], sensitive: {column: sex, t: 0.2}}",
        "1:109: `t` measures a distance of levels: list them in `order`, from low to high",
    );
}
