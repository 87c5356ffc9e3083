//! Tables through `fill_missing`.

use proptest::prelude::*;
use serde_json::json;

use crate::step::cells::testing::{problems_of, run};

#[test]
fn regression_a_default_says_that_the_value_was_missing() {
    let given = run(
        "fill_missing: {columns: {smoking: {strategy: clinical_default, value: unknown}, n: {strategy: clinical_default, value: 1.5}}}",
        &["id:text", "smoking:text", "n:decimal(9,2)"],
        &[&["1", "Never", "2.25"], &["2", "~", "~"], &["3", " ", "~"]],
    );
    let expected =
        ["1, Never, 2.25, false, false", "2, unknown, 1.50, true, true", "3, unknown, 1.50, true, true"];
    assert_eq!(given.rows, expected);
    let fact = json!({"strategy": "clinical_default", "rows": 3, "filled": 2});
    assert_eq!(given.facts["fill_missing.smoking"], fact);
}

const COLUMNS: [&str; 4] = ["patient:text", "test:text", "day:date", "value:number"];

#[test]
fn regression_values_are_not_carried_across_patients_or_tests() {
    let given = run(
        "fill_missing: {columns: {value: {strategy: forward_fill}}, partition_by: [patient, test], order_by: day, max_gap: 7d}",
        &COLUMNS,
        &[
            &["P1", "glucose", "2026-01-01", "90"],
            &["P2", "glucose", "2026-01-02", "~"],
            &["P1", "sodium", "2026-01-02", "~"],
            &["P1", "glucose", "2026-01-12", "~"],
            &["P1", "glucose", "2026-01-08", "~"],
            &["P1", "glucose", "2026-01-03", "~"],
            &["~", "glucose", "2026-01-03", "~"],
            &["P1", "glucose", "~", "~"],
        ],
    );
    let expected = [
        "~, glucose, 2026-01-03, ~, false",
        "P1, glucose, ~, ~, false",
        "P1, glucose, 2026-01-01, 90, false",
        "P1, glucose, 2026-01-03, 90, true",
        "P1, glucose, 2026-01-08, 90, true",
        "P1, glucose, 2026-01-12, ~, false",
        "P1, sodium, 2026-01-02, ~, false",
        "P2, glucose, 2026-01-02, ~, false",
    ];
    assert_eq!(given.rows, expected);
    let not_filled = json!({"no partition": 1, "no time": 1, "gap too long": 1, "no earlier value": 2});
    let fact = json!({"strategy": "forward_fill", "missing": 7, "filled": 2, "not_filled": not_filled});
    assert_eq!(given.facts["fill_missing.value"], fact);
}

#[test]
fn regression_interpolation_is_weighted_by_time_within_a_patient_and_a_gap() {
    let given = run(
        "fill_missing: {columns: {value: {strategy: interpolate, max_gap: 10d}}, partition_by: [patient, test], order_by: day}",
        &COLUMNS,
        &[
            &["P1", "glucose", "2026-01-01", "100"],
            &["P1", "glucose", "2026-01-02", "~"],
            &["P1", "glucose", "2026-01-05", "~"],
            &["P1", "glucose", "2026-01-11", "200"],
            &["P1", "glucose", "2026-01-12", "~"],
            &["P1", "glucose", "2026-01-30", "300"],
            &["P1", "sodium", "2026-01-02", "~"],
            &["P1", "sodium", "2026-01-03", "140"],
            &["P2", "glucose", "2026-01-02", "~"],
        ],
    );
    let expected = [
        "P1, glucose, 2026-01-01, 100, false",
        "P1, glucose, 2026-01-02, 110, true",
        "P1, glucose, 2026-01-05, 140, true",
        "P1, glucose, 2026-01-11, 200, false",
        "P1, glucose, 2026-01-12, ~, false",
        "P1, glucose, 2026-01-30, 300, false",
        "P1, sodium, 2026-01-02, ~, false",
        "P1, sodium, 2026-01-03, 140, false",
        "P2, glucose, 2026-01-02, ~, false",
    ];
    assert_eq!(given.rows, expected);
}

#[test]
fn decimals_are_interpolated_exactly_and_text_is_carried() {
    let given = run(
        "fill_missing: {columns: {value: {strategy: interpolate}, unit: {strategy: forward_fill}}, partition_by: patient, order_by: at, max_gap: 1d}",
        &["patient:text", "at:instant", "value:decimal(9,2)", "unit:text"],
        &[
            &["P1", "2026-01-01T00:00:00Z", "1.00", "mg/dL"],
            &["P1", "2026-01-01T08:00:00Z", "~", "~"],
            &["P1", "2026-01-01T08:00:00Z", "~", "mmol/L"],
            &["P1", "2026-01-02T00:00:00Z", "2.00", " "],
            &["P1", "2026-01-02T06:00:00Z", "~", "~"],
            &["P1", "2026-01-02T12:00:00Z", "1.99", "~"],
        ],
    );
    let values: Vec<String> =
        given.rows.iter().map(|row| row.split(", ").skip(2).collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "1.00 mg/dL false false",
        "1.33 mg/dL true true",
        "1.33 mmol/L true false",
        "2.00 mmol/L false true",
        // 1.995: a half goes up.
        "2.00 mmol/L true true",
        "1.99 ~ false false",
    ];
    assert_eq!(values, expected);
}

#[test]
fn regression_an_unknown_strategy_and_a_missing_partition_stop_the_load() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(problems_of(text, &["patient:text", "day:text", "value:text", "n:number"]), expected);
    };
    check(
        "fill_missing: {columns: {n: {strategy: mean}}}",
        &[
            "1:40: `strategy` of the column `n` of the step `fill_missing` must be one of `clinical_default`, `forward_fill`, `interpolate`",
        ],
    );
    check(
        "fill_missing: {columns: {n: {strategy: interpolate, max_gap: 7d}}}",
        &[
            "1:29: `forward_fill` and `interpolate` need `partition_by`, `order_by` and `max_gap`: without them the values of one patient or test would fill those of another",
        ],
    );
    check(
        "fill_missing: {columns: {value: {strategy: interpolate}}, partition_by: [patient], order_by: day, max_gap: 7d}",
        &[
            "1:26: the column `value` is text, and the step `fill_missing` needs `number` or `decimal(p,s)` to interpolate: declare the type in the source",
            "1:94: the column `day` is text, and the step `fill_missing` needs `date` or `instant` to order by: declare the type in the source",
        ],
    );
    check(
        "fill_missing: {columns: {n: {strategy: clinical_default, value: none}}}",
        &["1:65: the value for `n` must be number, as the column is"],
    );
    check(
        "fill_missing: {columns: {n: {strategy: clinical_default, value: 1}}, max_gap: 7d}",
        &[
            "1:15: `partition_by`, `order_by` and `max_gap` of the step `fill_missing` are for `forward_fill` and `interpolate`",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Every value lies between measured ones of its own patient, and measured ones stay as they are.
    #[test]
    fn what_is_made_lies_between_what_was_measured(cells in proptest::collection::vec((0u8..3, 0u8..20, proptest::option::of(0u8..100)), 1..24)) {
        let texts: Vec<[String; 3]> = cells
            .iter()
            .map(|(patient, day, value)| {
                let value = value.map_or_else(|| "~".to_owned(), |value| value.to_string());
                [format!("P{patient}"), format!("2026-01-{:02}", day + 1), value]
            })
            .collect();
        let rows: Vec<[&str; 3]> = texts.iter().map(|row| [row[0].as_str(), row[1].as_str(), row[2].as_str()]).collect();
        let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
        let step = "fill_missing: {columns: {value: {strategy: interpolate}}, partition_by: patient, order_by: day, max_gap: 5d}";
        let given = run(step, &["patient:text", "day:date", "value:number"], &rows);
        prop_assert_eq!(given.rows.len(), rows.len());
        let n_measured = given.rows.iter().filter(|row| row.ends_with("false") && !row.contains('~')).count();
        prop_assert_eq!(n_measured, cells.iter().filter(|(_, _, value)| value.is_some()).count());
        for row in given.rows.iter().filter(|row| row.ends_with("true")) {
            let parts: Vec<&str> = row.split(", ").collect();
            let own = cells.iter().filter(|(patient, ..)| format!("P{patient}") == parts[0]);
            let values: Vec<f64> = own.filter_map(|(_, _, value)| value.map(f64::from)).collect();
            let made: f64 = parts[2].parse().unwrap();
            prop_assert!(values.iter().any(|value| *value <= made) && values.iter().any(|value| *value >= made));
        }
    }
}
