//! Tables through `equity_flags`.

use serde_json::json;

use crate::step::cells::testing::{problems_of, run};

const FLAG: &str = "
equity_flags:
  flags:
    at_risk:
      any:
        - {column: race, in: [\"2054-5\", \"1002-5\"]}
        - {column: ethnicity, in: [\"2135-2\"]}
        - all:
            - {column: insurance, in: [Medicaid, Uninsured]}
            - {column: state, in: [AL]}
";
const COLUMNS: [&str; 4] = ["race:text", "ethnicity:text", "insurance:text", "state:text"];

#[test]
fn rules_hold_fail_or_are_not_known() {
    let check = |row: [&str; 4], expected: &str| {
        let given = run(FLAG, &COLUMNS, &[&row]);
        assert_eq!(given.rows[0].rsplit(", ").next(), Some(expected), "{row:?}");
    };
    check(["2054-5", "2186-5", "Commercial", "AL"], "true");
    check(["2106-3|2054-5", "2186-5", "Commercial", "AL"], "true");
    check(["2106-3", "2135-2", "Commercial", "AL"], "true");
    check(["2106-3", "2186-5", "Medicaid", "AL"], "true");
    check(["2106-3", "2186-5", "Medicaid", "GA"], "false");
    check(["2106-3", "2186-5", "Commercial", "~"], "false");
    check(["2106-3", "2186-5", "Medicaid", "~"], "~");
    check(["~", "2186-5", "Commercial", "AL"], "~");
    check(["~", "2135-2", "~", "~"], "true");
    check([" ", "~", "~", "~"], "~");
}

#[test]
fn regression_a_rule_whose_codes_are_never_met_says_so() {
    // Title case against the table's spelling: the founding design never flagged anybody by race.
    let text = "equity_flags: {flags: {f: {column: race, in: [Black or African American, \"2106-3\"]}}}";
    let given = run(text, &["race:text"], &[&["Black Or African American"], &["2106-3"]]);
    assert_eq!(given.rows, ["Black Or African American, false", "2106-3, true"]);
    assert_eq!(given.facts["equity_flags.codes_never_met"], json!(["race: Black or African American"]));
}

/// Rows `a`, `b` by what the flag is for them.
fn counted(
    step: &str,
    counts: &[(&str, &str, usize)],
) -> std::collections::BTreeMap<String, serde_json::Value> {
    let mut rows: Vec<[&str; 3]> = Vec::new();
    for (race, code, n) in counts {
        rows.extend(std::iter::repeat_n([*race, *code, "x"], *n));
    }
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    run(step, &["race:text", "code:text", "other:text"], &rows).facts
}

const ONE: &str = "equity_flags: {flags: {f: {column: code, in: [y]}}, strata: {race: [a, b]}}";

#[test]
fn regression_counts_by_strata_hide_small_cells_and_what_would_give_them_away() {
    let facts = counted(ONE, &[("a", "y", 20), ("a", "n", 30), ("b", "y", 40), ("b", "n", 50)]);
    assert_eq!(facts["equity_flags.f"], json!({"true": 60, "false": 80, "unknown": 0}));
    let by = &facts["equity_flags.f.by.race"];
    assert_eq!(by["a"], json!({"true": 20, "false": 30, "unknown": 0, "total": 50}));
    assert_eq!(by.get("suppressed"), None);

    let facts = counted(ONE, &[("a", "y", 5), ("a", "n", 30), ("b", "y", 40), ("b", "n", 50)]);
    let by = &facts["equity_flags.f.by.race"];
    for class in ["a", "b"] {
        assert_eq!((&by[class]["true"], &by[class]["false"]), (&json!(null), &json!(null)), "{by}");
    }
    assert_eq!((&by["suppressed"], &by["a"]["total"]), (&json!(true), &json!(35)));
}

#[test]
fn who_is_few_is_not_told_from_any_number() {
    let facts = counted(ONE, &[("a", "y", 5), ("b", "n", 50)]);
    assert_eq!(facts["equity_flags.f"], json!({"true": null, "false": null, "unknown": 0}));
    let by = &facts["equity_flags.f.by.race"];
    assert_eq!((&by["a"], &by["b"]), (&json!({"total": null}), &json!({"total": null})));
    // All rows are few: nothing is shown.
    let facts = counted(ONE, &[("a", "y", 5), ("b", "n", 3)]);
    assert_eq!(facts["equity_flags.f"], json!("suppressed"));
    assert_eq!(facts["equity_flags.f.by.race"], json!("suppressed"));
}

#[test]
fn tables_that_share_totals_do_not_give_each_other_away() {
    let two = "equity_flags: {flags: {f: {column: code, in: [y]}}, strata: {race: [a, b], code: [y, n]}}";
    let facts = counted(two, &[("a", "y", 5), ("a", "n", 30), ("b", "y", 40), ("b", "n", 50)]);
    let by = &facts["equity_flags.f.by.race"];
    assert_eq!((&by["a"], &by["b"]), (&json!({"total": 35}), &json!({"total": 90})));
    assert_eq!(
        facts["equity_flags.f.by.code"]["y"],
        json!({"true": 45, "false": 0, "unknown": 0, "total": 45})
    );
}

#[test]
fn classes_are_those_of_the_file() {
    let facts = counted(ONE, &[("a|b", "y", 20), ("c", "y", 30), ("~", "y", 40), ("a", "y", 11)]);
    let by = &facts["equity_flags.f.by.race"];
    let totals = ["a", "b", "multiple", "other", "missing"].map(|class| by[class]["total"].clone());
    assert_eq!(totals, [json!(11), json!(0), json!(20), json!(30), json!(40)]);
}

#[test]
fn what_is_wrong_with_the_options_is_said_with_its_place() {
    let check =
        |text: &str, expected: &[&str]| assert_eq!(problems_of(text, &["race:text", "n:integer"]), expected);
    check("equity_flags: {flags: {f: {any: []}}}", &["1:33: the flag `f` has no condition"]);
    check("equity_flags: {flags: {f: {column: race}}}", &["1:27: the flag `f` needs the key `in`"]);
    check(
        "equity_flags: {flags: {f: {any: [{column: race, in: []}], all: []}}}",
        &["1:27: the flag `f` needs one of `any`, `all`, or `column` and `in`"],
    );
    check(
        "equity_flags: {flags: {race: {column: n, in: [1]}}, strata: {race: [a|b]}, suppress_below: 1}",
        &[
            "1:15: `suppress_below` of the step `equity_flags` is at least 2",
            "1:69: the codes of the stratum `race` are single codes: `a|b` joins several",
        ],
    );
    check(
        "equity_flags: {flags: {race: {column: n, in: [1]}}}",
        &[
            "1:24: there is a column `race` already: give the new one another name",
            "1:39: the column `n` is integer, and the step `equity_flags` needs text: codes",
        ],
    );
}
