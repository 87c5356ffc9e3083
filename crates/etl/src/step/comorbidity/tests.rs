//! Tables through `comorbidity`, with the vectors of `clinical`.

use serde_json::json;

use crate::step::cells::testing::{decode, problems_of, run, run_tapped, table};
use crate::step::testing::Bench;

const SAME: [&str; 3] = ["patient:text", "dx:text", "age:integer"];

/// The scores of one patient with these codes, in rows of their own.
fn score_of(options: &str, codes: &[&str], age: &str) -> String {
    let rows: Vec<[&str; 3]> = codes.iter().map(|code| ["P1", *code, age]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let given =
        run(&format!("comorbidity: {{codes: dx, by: patient, into: score, {options}}}"), &SAME, &rows);
    let scores: Vec<&str> = given.rows.iter().map(|row| row.rsplit(", ").next().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] == pair[1]), "one patient, one score: {scores:?}");
    scores[0].to_owned()
}

#[test]
fn regression_charlson_is_of_the_patient_with_hierarchy_and_age() {
    let check = |codes: &[&str], options: &str, age: &str, expected: &str| {
        assert_eq!(
            score_of(&format!("index: charlson, {options}"), codes, age),
            expected,
            "{codes:?} {options}"
        );
    };
    for codes in [["I21.4", "I50.9", "i509"], ["I21.4", "I21.4", "I50.9"]] {
        check(&codes, "weights: 1987", "~", "2");
        check(&codes, "weights: 2011", "~", "2");
        check(&codes, "age: age", "67", "4");
    }
    check(&["E11.9", "E11.22"], "", "~", "2");
    check(&["E11.9", "E11.22"], "hierarchy: false", "~", "3");
    check(&["K70.30", "K72.90"], "", "~", "3");
    check(&["K70.30", "K72.90"], "hierarchy: false", "~", "4");
    check(&["C50.911", "C78.00"], "", "~", "6");
    check(&["C50.911", "C78.00"], "hierarchy: false", "~", "8");
    check(&["F03.90", "G81.90", "J44.9"], "", "~", "4");
    check(&["F03.90", "G81.90", "J44.9"], "weights: 2011", "~", "5");
    check(&["B20"], "weights: 2011", "~", "4");
    check(&["C7B.01"], "", "~", "0");
    check(&["N18.3"], "weights: 2011", "~", "1");
    check(&["I21.4"], "age: age", "95", "5");
    check(&["I21.4"], "age: age, age_points_max: 5", "95", "6");
    // An age that is not known gives no points, but then the score is not known either.
    check(&["I21.4"], "age: age", "~", "~");
}

#[test]
fn elixhauser_has_the_weights_of_van_walraven() {
    let check = |codes: &[&str], expected: &str| {
        assert_eq!(score_of("index: elixhauser", codes, "~"), expected, "{codes:?}");
    };
    check(&["I50.9", "I10"], "7");
    check(&["C50.911", "C78.00"], "12");
    check(&["E66.01", "F11.20"], "-11");
    check(&["I42.6"], "7");
    check(&["I48.91", "J44.9", "I50.22", "N18.4", "E11.22", "I13.0"], "20");
}

#[test]
fn who_has_no_readable_code_has_no_score_unless_the_file_says_zero() {
    let rows: &[&[&str]] = &[
        &["P1", "Z00.00", "1"],
        &["P2", "250.00", "1"],
        &["P3", "~", "1"],
        &["~", "I21.4", "1"],
        &["P4", "I21.4", "1"],
    ];
    let given = run("comorbidity: {index: charlson, codes: dx, by: patient, groups: true}", &SAME, rows);
    let start = |row: &String| row.split(", ").take(5).collect::<Vec<_>>().join(", ");
    let expected = [
        "P1, Z00.00, 1, 0, false",
        "P2, 250.00, 1, ~, ~",
        "P3, ~, 1, ~, ~",
        "~, I21.4, 1, ~, ~",
        "P4, I21.4, 1, 1, true",
    ];
    assert_eq!(given.rows.iter().map(start).collect::<Vec<_>>(), expected);
    let fact = &given.facts["comorbidity.charlson"];
    assert_eq!(fact["codes"], json!({"used": 2, "missing": 1, "unreadable": 1, "without a patient": 1}));
    assert_eq!(fact["rows_not_scored"], json!({"no readable code in the window": 2, "no patient": 1}));
    assert_eq!(fact["patients_with_codes"], json!(2));
    let given =
        run("comorbidity: {index: charlson, codes: dx, by: patient, without_codes: zero}", &SAME, rows);
    let expected =
        ["P1, Z00.00, 1, 0", "P2, 250.00, 1, 0", "P3, ~, 1, 0", "~, I21.4, 1, ~", "P4, I21.4, 1, 1"];
    assert_eq!(given.rows, expected);
}

#[test]
fn codes_of_another_source_count_within_the_window() {
    let codes: &[&[&str]] = &[
        &["P1", "I21.4", "~", "2025-06-01"],
        &["P1", "I50.9", "E11.9", "2025-01-15"],
        &["P1", "B20", "~", "2025-01-14"],
        &["P1", "B20", "~", "2026-01-16"],
        &["P1", "B20", "~", "1985-02-30"],
        &["P2", "250.00", "~", "2025-06-01"],
        &[" P3 ", "C78.00", "~", "2025-06-01"],
    ];
    let given = run_tapped(
        "comorbidity: {index: charlson, codes: [dx1, dx2], by: patient, from: claims, patient: member, date: day, lookback: 365d, as_of: 2026-01-15}",
        &["patient:text"],
        &[&["P1"], &["P2"], &["P3"], &["P4"]],
        Some((&["member:text", "dx1:text", "dx2:text", "day:text"], codes)),
    );
    assert_eq!(given.rows, ["P1, 3", "P2, ~", "P3, 6", "P4, ~"]);
    let counts = json!({
        "rows before the window": 1,
        "rows after the window": 1,
        "rows without a readable day": 1,
        "used": 4,
        "missing": 3,
        "unreadable": 1,
    });
    let mut found = given.facts["comorbidity.charlson"]["codes"].clone();
    assert_eq!(found.as_object_mut().unwrap().len(), 6);
    assert_eq!(found, counts);
}

#[test]
fn codes_of_the_time_of_icd9_do_not_count() {
    let given = run(
        "comorbidity: {index: charlson, codes: dx, by: patient, date: day}",
        &["patient:text", "dx:text", "day:date"],
        &[&["P1", "V10.1", "2015-09-30"], &["P1", "I21", "2015-10-01"], &["P1", "I50", "2026-01-15"]],
    );
    assert_eq!(given.rows.last().unwrap(), "P1, I50, 2026-01-15, 2");
    assert_eq!(given.facts["comorbidity.charlson"]["codes"], json!({"rows of ICD-9": 1, "used": 2}));
}

#[test]
fn patients_that_do_not_fit_into_memory_have_the_same_scores() {
    let dx = ["I21.4", "I50.9", "C78.00", "Z00.00", "250.00", "B20", ""];
    let columns = table(&["patient:text", "dx:text"], &[]).0;
    let rows: Vec<Vec<table::Value>> = (0..160_000_u64)
        .map(|row| {
            let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
            let code = dx[(mixed % 7) as usize];
            let code = if code.is_empty() { table::Value::Null } else { table::Value::from(code) };
            vec![table::Value::Text(format!("P{}", mixed % 90_001)), code]
        })
        .collect();
    let codes = table::Batch::from_rows(&columns, &rows).unwrap();
    let outcome = |memory: u64, options: &str, is_tapped: bool| {
        let bench = Bench::changed(|world, home| {
            world.engine =
                std::sync::Arc::new(crate::engine::Engine::new(&home.join("keys"), memory).unwrap());
        });
        let (others, options) = if is_tapped {
            (vec![codes.clone()], format!("{options}, from: claims"))
        } else {
            (Vec::new(), options.to_owned())
        };
        let options = format!("{{index: charlson, codes: dx, by: patient, {options}}}");
        let kept = bench.try_run(super::decode, &options, &others, std::slice::from_ref(&codes)).unwrap();
        (kept.table("patient, charlson"), kept.facts)
    };
    for options in ["without_codes: null", "without_codes: zero"] {
        for is_tapped in [true, false] {
            // Of 90,000 patients, a quarter of 4 MiB holds neither the table nor the packed result.
            assert!(
                outcome(4 << 20, options, is_tapped) == outcome(1 << 30, options, is_tapped),
                "{options} {is_tapped}"
            );
        }
    }
}

#[test]
fn too_many_patients_are_an_error_that_says_what_to_do() {
    let step =
        decode("comorbidity: {index: charlson, codes: dx, by: patient, from: claims, patients_max: 1}")
            .0
            .unwrap();
    let (columns, rows) = table(&["patient:text", "dx:text"], &[&["P1", "I21"], &["P2", "I21"]]);
    let bench = Bench::new();
    let mut tap = step.start_tap("claims", &columns, &bench.world).unwrap();
    let error = tap.push(&table::Batch::from_rows(&columns, &rows).unwrap()).unwrap_err().to_string();
    assert!(error.contains("source `claims`") && error.contains("`patients_max` (1)"), "{error}");
}

#[test]
fn what_is_wrong_with_the_options_is_said_with_its_place() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(problems_of(text, &["patient:text", "dx:integer", "charlson:integer"]), expected);
    };
    check(
        "comorbidity: {index: elixhauser, weights: 1987, codes: dx, by: patient, age: age, lookback: 12h}",
        &[
            "1:14: `weights` are of the index `charlson`: `elixhauser` has those of van Walraven 2009",
            "1:14: `lookback` of the step `comorbidity` is in whole days, such as `365d`",
            "1:14: `lookback` and `as_of` of the step `comorbidity` need `date`: the day of a diagnosis",
            "1:78: the index `elixhauser` has no points for age",
        ],
    );
    check(
        "comorbidity: {index: charlson, codes: dx, by: patient}",
        &[
            "1:14: there is a column `charlson` already: give the new one another name",
            "1:39: the column `dx` is integer, and the step `comorbidity` needs text: codes",
        ],
    );
}
