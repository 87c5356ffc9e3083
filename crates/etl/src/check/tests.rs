//! Every rule with rows that pass, fail and have no value; what is wrong in a file; what happens to rows.

use table::{Batch, Value};

use crate::check::testing::{checks, columns, rows, run, run_rows};

/// One check over a column `x` (and others): its row bits as `+` passes, `!` fails, `.` is not assessed.
fn bits(check: &str, of: &str, text: &[&str]) -> String {
    let one = |row: &&str| {
        let rule = run(&format!("- {check}"), of, &[row]).quality.rules.remove(0);
        match (rule.n_assessed, rule.n_failed) {
            (0, 0) => '.',
            (1, 0) => '+',
            (1, 1) => '!',
            other => panic!("{other:?}"),
        }
    };
    text.iter().map(one).collect()
}

/// Check, columns, rows, and what becomes of them.
const CASES: &[(&str, &str, &[&str], &str)] = &[
    ("{column: x, rule: not_null}", "x text", &["a", "-", "", "NULL", " "], "+!!!!"),
    ("{columns: [x, y], rule: not_null}", "x text, y integer", &["a | 1", "a | -", "- | 1"], "+!!"),
    ("{column: x, rule: in_set, values: [M, F]}", "x text", &["M", "F", "m", "male", "-"], "++!!."),
    ("{column: x, rule: in_set, values: [M, F], ignore_case: true}", "x text", &["m", "X"], "+!"),
    ("{column: x, rule: in_set, values: [1, 2]}", "x integer", &["1", "3", "-"], "+!."),
    ("{column: x, rule: in_set, values: [1.5]}", "x decimal(5,2)", &["1.50", "1.51"], "+!"),
    ("{column: x, rule: in_set, values: [2026-01-01]}", "x date", &["2026-01-01", "2026-01-02"], "+!"),
    ("{column: x, rule: regex, pattern: 'a+'}", "x text", &["aa", "ab", "ba", "-"], "+!!."),
    ("{column: x, rule: length, min: 2, max: 3}", "x text", &["a", "äö", "abc", "abcd", "-"], "!++!."),
    ("{column: x, rule: length, exact: 5}", "x text", &["07575", "7575"], "+!"),
    ("{column: x, rule: format, format: icd10cm}", "x text", &["E11.65", "S72.001A", "E11.", "-"], "++!."),
    ("{column: x, rule: format, format: zip}", "x text", &["07575", "7575", "-"], "+!."),
    (
        "{column: x, rule: format, format: date, formats: ['%Y-%m-%d', '%m/%d/%Y']}",
        "x text",
        &["1976-07-04", "07/04/1976", "04.07.1976", "02/30/1976", "-"],
        "++!!.",
    ),
    (
        "{column: x, rule: range, min: 50, max: 272, unit: cm}",
        "x number",
        &["50", "272", "49.9", "NaN", "-"],
        "++!..",
    ),
    ("{column: x, rule: range, above: 0}", "x integer", &["0", "1", "-1", "-"], "!+!."),
    (
        "{column: x, rule: range, min: 18.5, below: 25}",
        "x decimal(6,2)",
        &["18.50", "24.99", "25.00", "18.49"],
        "++!!",
    ),
    ("{column: x, rule: range, min: 1900-01-01}", "x date", &["1899-12-31", "1900-01-01", "-"], "!+."),
    (
        "{column: x, rule: range, max: 2026-01-01}",
        "x instant",
        &["2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z"],
        "+!",
    ),
    ("{column: x, rule: not_future}", "x date", &["2026-11-25", "2026-11-26", "-"], "+!."),
    ("{column: x, rule: not_future}", "x instant", &["2026-11-25T12:00:00Z", "2026-11-25T12:00:01Z"], "+!"),
    ("{column: x, rule: not_future, tolerance: 1d}", "x date", &["2026-11-26", "2026-11-27"], "+!"),
    (
        "{column: x, rule: freshness, max_age: 7d, of: rows}",
        "x date",
        &["2026-11-18", "2026-11-17", "-"],
        "+!.",
    ),
    (
        "{column: x, rule: freshness, max_age: 1d, of: rows, as_of: y}",
        "x date, y date",
        &["2020-01-01 | 2020-01-02", "2020-01-01 | 2020-01-03", "2020-01-01 | -"],
        "+!.",
    ),
    (
        "{column: x, rule: freshness, max_age: 7d}",
        "x date",
        &["2026-11-20", "2026-10-01", "-", "2099-01-01"],
        "+!..",
    ),
    (
        "{column: x, rule: compare, is: '<=', than: y}",
        "x date, y date",
        &["2026-01-01 | 2026-01-01", "2026-01-02 | 2026-01-01", "- | 2026-01-01"],
        "+!.",
    ),
    (
        "{column: x, rule: compare, is: '>', than: y}",
        "x integer, y decimal(5,1)",
        &["2 | 1.5", "1 | 1.5", "1 | -"],
        "+!.",
    ),
    ("{column: x, rule: compare, is: '!=', than: y}", "x text, y text", &["a | b", "a | a"], "+!"),
    (
        "{column: x, rule: compare, is: '>=', than: y}",
        "x instant, y date",
        &["2026-01-01T00:00:00Z | 2026-01-01", "2025-12-31T23:59:59Z | 2026-01-01"],
        "+!",
    ),
    (
        "{id: e, rule: expression, expression: 'x < y'}",
        "x integer, y integer",
        &["1 | 2", "2 | 1", "- | 1"],
        "+!.",
    ),
    ("{rule: row_count, max: 0}", "x text", &["a"], "!"),
    ("{rule: row_count, min: 1}", "x text", &["a"], "+"),
    ("{column: x, rule: completeness, min: 50%}", "x text", &["a", "-"], "+!"),
    ("{column: x, rule: unique}", "x text", &["a", "-"], "+."),
];

#[test]
fn every_rule_passes_fails_and_leaves_out_what_is_missing() {
    for (check, of, text, expected) in CASES {
        assert_eq!(bits(check, of, text), *expected, "{check} on {of}");
    }
}

#[test]
fn a_condition_says_which_rows_are_assessed() {
    let check = "{column: x, rule: not_null, when: 'y = 1'}";
    assert_eq!(bits(check, "x text, y integer", &["- | 1", "- | 2", "- | -", "a | 1"]), "!..+");
}

#[test]
fn own_words_for_missing_replace_the_usual_ones() {
    let check = "{column: x, rule: range, min: 0, null_values: ['-999']}";
    assert_eq!(bits(check, "x integer", &["-999", "-5"]), "!!");
    let check = "{column: x, rule: in_set, values: [M, 'NULL'], null_values: ['-999']}";
    assert_eq!(bits(check, "x text", &["-999", "NULL", "X"]), ".+!");
}

#[test]
fn rows_pass_are_rejected_once_or_only_counted() {
    let yaml = "
- {id: sex, column: sex, rule: in_set, values: [M, F], on_fail: quarantine}
- {id: zip, column: zip, rule: format, format: zip, on_fail: quarantine}
- {id: age, column: age, rule: range, min: 0, max: 120, on_fail: warn}
";
    let text = ["M | 02138 | 200", "X | 2138 | 50", "F | 2138 | 50", "- | - | -", "F | 02138 | 3"];
    let ran = run(yaml, "sex text, zip text, age integer", &text);
    assert_eq!(ran.passed, [1, 4, 5]);
    let rejected = [(2, "sex", "in_set"), (3, "zip", "format")];
    assert_eq!(ran.rejected, rejected.map(|(line, rule, why)| (line, rule.to_owned(), why.to_owned())));
    assert_eq!(ran.messages[0], "`sex` must be one of `M`, `F`");
    let counts: Vec<_> =
        ran.quality.rules.iter().map(|rule| (rule.id.as_str(), rule.n_assessed, rule.n_failed)).collect();
    assert_eq!(counts, [("sex", 4, 1), ("zip", 4, 2), ("age", 4, 1)]);
    assert_eq!((ran.quality.n_rows, ran.quality.n_quarantined), (5, 2));
    let sample = &ran.quality.rules[2].samples[0];
    assert_eq!((sample.line, sample.shape.as_deref()), (1, Some("999")));
}

#[test]
fn the_first_row_of_a_key_is_kept_and_a_rejected_row_takes_no_key() {
    let yaml = "
- {id: once, columns: [id, n], rule: unique, on_fail: quarantine}
- {id: sex, column: sex, rule: in_set, values: [M, F], on_fail: quarantine}
";
    let text = ["a | 1 | X", "a | 1 | M", "b | 1 | F", "a | 1 | F", "a | 11 | F", "a | - | F", "a | - | F"];
    let ran = run(yaml, "id text, n integer, sex text", &text);
    assert_eq!(ran.passed, [2, 3, 5, 6, 7]);
    assert_eq!(ran.rejected[1], (4, "once".to_owned(), "duplicate".to_owned()));
    let once = &ran.quality.rules[0];
    assert_eq!((once.n_assessed, once.n_failed), (4, 1));
}

#[test]
fn the_latest_row_of_a_key_is_kept() {
    let yaml = "
- {id: sex, column: sex, rule: in_set, values: [M, F], on_fail: quarantine}
- {id: once, column: id, rule: unique, keep: latest, by: at, on_fail: quarantine}
";
    let text = [
        "a | 2026-01-01 | F",
        "b | 2026-01-09 | F",
        "a | 2026-01-03 | F",
        "a | 2026-01-02 | F",
        "a | 2026-01-05 | X",
        "b | - | F",
        "c | 2026-01-01 | F",
        "c | 2026-01-01 | M",
        "- | 2026-01-01 | M",
    ];
    let ran = run(yaml, "id text, at date, sex text", &text);
    assert_eq!(ran.passed, [2, 3, 8, 9]);
    let lines: Vec<u64> = ran.rejected.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [5, 1, 4, 6, 7]);
    let once = &ran.quality.rules[1];
    assert_eq!((once.n_assessed, once.n_failed, once.samples.len()), (7, 4, 4));
}

#[test]
fn a_value_must_be_in_the_other_source() {
    let other = columns("pid text, site integer");
    let other = Batch::from_rows(&other, &rows(&other, &["a | 1", "b | 2", "- | 3"])).unwrap();
    let yaml = "
- {id: one, column: patient, rule: reference, source: patients, source_columns: pid, on_fail: quarantine}
- {id: two, columns: [patient, site], rule: reference, source: patients, source_columns: [pid, site]}
";
    let own = columns("patient text, site text");
    let rows = rows(&own, &["a | 1", "a | 2", "c | 1", "- | 1"]);
    let ran = run_rows(yaml, &own, &rows, &[("patients", other)], None);
    assert_eq!(ran.passed, [1, 2, 4]);
    let counts: Vec<_> = ran.quality.rules.iter().map(|rule| (rule.n_assessed, rule.n_failed)).collect();
    assert_eq!(counts, [(3, 1), (3, 2)]);
}

#[test]
fn drift_compares_with_the_run_before() {
    let yaml = "- {id: d, column: x, rule: drift, values: [M, F], max_psi: 0.1, on_fail: fail}";
    let of = columns("x text");
    let rows = |n_male: usize| -> Vec<Vec<Value>> {
        (0..200).map(|n| vec![Value::from(if n < n_male { "M" } else { "F" })]).collect()
    };
    let first = run_rows(yaml, &of, &rows(100), &[], None).quality;
    assert_eq!((first.rules[0].passed, first.rules[0].share), (None, None));
    let second = run_rows(yaml, &of, &rows(105), &[], Some(&first)).quality;
    assert_eq!(second.rules[0].passed, Some(true));
    let third = run_rows(yaml, &of, &rows(180), &[], Some(&second)).quality;
    assert_eq!(third.rules[0].passed, Some(false));
    assert!(third.rules[0].is_broken());
    assert_eq!(third.trend.len(), 2);
}

#[test]
fn drift_keeps_nothing_of_what_looks_like_an_identifier() {
    let of = columns("code text");
    let rows: Vec<Vec<Value>> = (0..300).map(|n| vec![Value::from(format!("v{n}").as_str())]).collect();
    let quality = run_rows("- {column: code, rule: drift}", &of, &rows, &[], None).quality;
    assert!(quality.distributions.is_empty());
    assert!(quality.rules[0].not_assessed.as_deref().unwrap().contains("identifier"));
    let few: Vec<Vec<Value>> = (0..300).map(|n| vec![Value::from(["Ana", "Bo"][n % 2])]).collect();
    let quality = run_rows("- {column: code, rule: drift}", &of, &few, &[], None).quality;
    let kept = serde_json::to_string(&quality).unwrap();
    assert!(quality.distributions[0].counts.len() == 3 && !kept.contains("Ana"));
}

#[test]
fn what_is_wrong_in_the_file_comes_together_with_its_place() {
    let wrong = |yaml: &str| checks(yaml, &columns("id text, n integer, at date")).unwrap_err();
    assert_eq!(
        wrong(
            "- {column: idd, rule: not_null}\n- {column: n, rule: regex, pattern: a}\n- {column: id, rule: icd10cm}\n"
        ),
        [
            "1:12: there is no column `idd` in `ehr`: it has `id`, `n`, `at`",
            "2:12: the rule `regex` needs a text, and `n` is integer: declare its type in the source's `columns`",
            "3:22: there is no rule `icd10cm`: write `rule: format, format: icd10cm`",
        ]
    );
    let one = |yaml: &str, expected: &str| {
        let found = wrong(yaml);
        assert!(found.len() == 1 && found[0].contains(expected), "{yaml}: {found:?}");
    };
    one("- {column: id, rule: not_nul}", "there is no rule `not_nul`: there are `not_null`");
    one("- {column: id, rule: not_null, on_fial: warn}", "unknown key `on_fial`");
    one(
        "- {column: id, rule: not_null}\n- {column: id, rule: not_null}",
        "two checks of `ehr` have the id `not_null-id`",
    );
    one("- {column: n, rule: range, min: 5, max: 1}", "let no value through");
    one("- {column: at, rule: range, min: 5}", "a day such as `2026-01-31`");
    one("- {column: id, rule: range, min: 5}", "needs a number or a date, and `id` is text");
    one("- {column: n, rule: format, format: cpt}", "codes keep their zeros only as text");
    one("- {column: id, rule: regex, pattern: '('}", "no regular expression");
    one("- {column: id, rule: format, format: date, formats: ['%Y']}", "no format of a whole date");
    one("- {rule: row_count, min: 1, on_fail: quarantine}", "cannot put rows into quarantine");
    one("- {column: id, rule: unique, keep: latest}", "needs `by`");
    one("- {column: id, rule: unique, keep: latest, by: id}", "`by` needs a date, an instant or an integer");
    one("- {column: id, rule: compare, is: '<', than: n}", "declare both as numbers or both as dates");
    one("- {column: id, rule: not_null, max_fail: 200%}", "`max_fail` of the check must be a share");
    one("- {column: id, rule: drift}", "looks like an identifier");
    one("- {column: n, rule: drift}", "needs `bins`");
    one("- {rule: expression, expression: 'n + 1'}", "not true or false");
    one("- {column: id, rule: reference, source: ehr, source_columns: id}", "refers to its own source");
    one("- {column: id, rule: in_set, values: []}", "no row could pass");
}

#[test]
fn every_rule_is_explained() {
    for (name, about) in crate::check::rules() {
        assert!(!about.is_empty(), "{name}");
    }
}
