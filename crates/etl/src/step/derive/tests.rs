//! Tables through `derive`, with the vectors of `clinical`.

use serde_json::json;

use crate::step::cells::testing::{problems_of, run};

const BMI: &str = "
derive:
  - bmi:
      weight: {column: kg, unit: kg}
      height: {column: cm, unit: cm}
      age: age
      category: class
";
const BODY: [&str; 3] = ["kg:text", "cm:text", "age:integer"];

#[test]
fn regression_bmi_classes_begin_with_their_lower_edge() {
    let check = |kg: &str, cm: &str, age: &str, expected: &str| {
        let given = run(BMI, &BODY, &[&[kg, cm, age]]);
        let end: Vec<&str> = given.rows[0].split(", ").skip(3).collect();
        assert_eq!(end.join(" "), expected, "{kg} {cm} {age}");
    };
    check("64", "160", "40", "25.00 overweight");
    check("63.999999", "160", "40", "25.00 normal");
    check("76.8", "160", "40", "30.00 obese-1");
    check("86.7", "170", "40", "30.00 obese-1");
    check("47.36", "160.0", "40", "18.50 normal");
    check("47.359999", "160", "40", "18.50 underweight");
    check("30", "120", "8", "20.83 ~");
    check("70", "170", "~", "24.22 ~");
    check("70", "170", "-1", "24.22 ~");
}

#[test]
fn regression_a_height_of_zero_is_not_obesity_and_nothing_is_filled_in() {
    let given = run(
        BMI,
        &BODY,
        &[
            &["70", "0", "40"],
            &["~", "170", "40"],
            &["70", "~", "40"],
            &["70 kg", "170", "40"],
            &["700", "170", "40"],
            &["70", "170", "19"],
        ],
    );
    let ends: Vec<Vec<&str>> = given.rows.iter().map(|row| row.split(", ").skip(3).collect()).collect();
    assert!(ends[..5].iter().all(|end| end == &["~", "~"]), "{ends:?}");
    let fact = json!({
        "computed": 1,
        "not_computed": {
            "`height` is outside 50 to 272 cm; check value and unit": 1,
            "weight: missing": 1,
            "height: missing": 1,
            "weight: no number": 1,
            "`weight` is outside 2 to 635 kg; check value and unit": 1,
        },
        "no_class": {"below 20 years the formula does not hold": 1},
    });
    assert_eq!(given.facts["derive.bmi"], fact);
}

#[test]
fn doubles_and_decimals_are_compared_exactly() {
    let given = run(BMI, &["kg:number", "cm:decimal(9,3)", "age:number"], &[&["76.8", "160.000", "40"]]);
    assert!(given.rows[0].ends_with("30.00, obese-1"), "{}", given.rows[0]);
}

#[test]
fn units_convert_by_analyte_or_the_row_is_refused() {
    let text = "
derive:
  - bmi:
      weight: {column: weight, unit: {column: unit}}
      height: {column: inches, unit: \"[in_i]\"}
      on_bad_unit: POLICY
";
    let columns = ["weight:text", "unit:text", "inches:text"];
    let rows: &[&[&str]] = &[
        &["154", "lb", "70"],
        &["70", "kg", "70"],
        &["70", "stone", "70"],
        &["70", "~", "70"],
        &["70", "cm", "70"],
    ];
    let given = run(&text.replace("POLICY", "null"), &columns, rows);
    let ends: Vec<&str> = given.rows.iter().map(|row| row.rsplit(", ").next().unwrap()).collect();
    assert_eq!(ends, ["22.10", "22.14", "~", "~", "~"]);
    let reasons = json!({"weight: unit does not convert": 2, "weight: no unit": 1});
    assert_eq!(given.facts["derive.bmi"]["not_computed"], reasons);
    let given = run(&text.replace("POLICY", "quarantine"), &columns, rows);
    assert_eq!(given.rejects, ["3 weight unit", "4 weight unit", "5 weight unit"]);
    assert_eq!(given.rows.len(), 2);
}

#[test]
fn egfr_agrees_with_the_reference_and_says_why_not() {
    let text = "
derive:
  - egfr:
      creatinine: {column: scr, unit: mg/dL}
      age: age
      sex: sex
      pregnant: pregnant
      dialysis: dialysis
      stage: stage
      reported: reported
";
    let columns = ["scr:text", "age:integer", "sex:text", "pregnant:boolean", "dialysis:boolean"];
    let check = |row: [&str; 5], expected: Option<(f64, &str)>| {
        let given = run(text, &columns, &[&row]);
        let end: Vec<&str> = given.rows[0].split(", ").skip(5).collect();
        match expected {
            None => assert_eq!(end, ["~", "~", "~"], "{row:?}"),
            Some((rate, stage)) => {
                assert!((end[0].parse::<f64>().unwrap() - rate).abs() < 0.005, "{row:?}: {}", end[0]);
                assert_eq!((end[1], end[2]), (stage, format!("{:.0}", rate).as_str()), "{row:?}");
            }
        }
    };
    check(["1.0", "50", "female", "~", "~"], Some((68.63, "G2")));
    check(["1.0", "50", "male", "~", "false"], Some((91.69, "G1")));
    check(["0.6", "30", "F", "false", "~"], Some((123.76, "G1")));
    check(["2.5", "70", "male", "~", "~"], Some((26.96, "G4")));
    check(["1.0", "17", "female", "~", "~"], None);
    check(["1.0", "50", "other", "~", "~"], None);
    check(["1.0", "50", "~", "~", "~"], None);
    check(["1.0", "50", "female", "true", "~"], None);
    check(["1.0", "50", "female", "~", "true"], None);
    check(["88", "50", "female", "~", "~"], None);
}

#[test]
fn meld_and_fib4_agree_with_the_reference() {
    let text = "
derive:
  - meld3:
      bilirubin: {column: bili, unit: umol/L}
      sodium: {column: na, unit: meq/L}
      inr: {column: inr, unit: \"{INR}\"}
      creatinine: {column: cr, unit: mg/dL}
      albumin: {column: alb, unit: g/L}
      age: age
      sex: sex
      dialysis: dialysis
  - fib4:
      ast: {column: ast, unit: U/L}
      alt: {column: alt, unit: U/L}
      platelets: {column: plt, unit: /uL}
      age: age
      risk: risk
";
    let columns = [
        "bili:text",
        "na:text",
        "inr:text",
        "cr:text",
        "alb:text",
        "age:integer",
        "sex:text",
        "dialysis:boolean",
        "ast:text",
        "alt:text",
        "plt:integer",
    ];
    let check = |row: [&str; 11], meld: &str, fib4: Option<(f64, &str)>| {
        let given = run(text, &columns, &[&row]);
        let end: Vec<&str> = given.rows[0].split(", ").skip(11).collect();
        assert_eq!(end[0], meld, "{row:?}");
        match fib4 {
            None => assert_eq!(end[1..], ["~", "~"]),
            Some((value, risk)) => {
                assert!((end[1].parse::<f64>().unwrap() - value).abs() < 0.0005, "{}", end[1]);
                assert_eq!(end[2], risk);
            }
        }
    };
    // 51.312 µmol/L are 3.0 mg/dL.
    let row = ["51.312", "130", "1.8", "1.5", "28", "60", "female", "~", "80", "40", "150000"];
    check(row, "27", Some((5.060, "high")));
    let with = |changes: &[(usize, &'static str)]| {
        let mut changed = row;
        changes.iter().for_each(|(at, text)| changed[*at] = text);
        changed
    };
    check(with(&[(6, "male")]), "26", Some((5.060, "high")));
    check(with(&[(5, "20")]), "27", None);
    // Without a creatinine there is no score, but on dialysis.
    check(with(&[(3, "~")]), "~", Some((5.060, "high")));
    let on_dialysis = run(text, &columns, &[&with(&[(3, "~"), (7, "true")]), &with(&[(3, "3.0")])]);
    let melds: Vec<&str> = on_dialysis.rows.iter().map(|row| row.split(", ").nth(11).unwrap()).collect();
    assert!(melds[0] == melds[1] && melds[0] != "~", "{melds:?}");
}

#[test]
fn imputed_values_are_not_measured_ones() {
    let given = run(
        "derive: [{bmi: {weight: {column: kg, unit: kg}, height: {column: cm, unit: cm}}}]",
        &["kg:number", "cm:number", "kg_imputed:boolean", "cm_was_missing:boolean"],
        &[&["70", "170", "false", "~"], &["70", "170", "true", "false"], &["70", "170", "false", "true"]],
    );
    let ends: Vec<&str> = given.rows.iter().map(|row| row.rsplit(", ").next().unwrap()).collect();
    assert_eq!(ends, ["24.22", "~", "~"]);
    assert_eq!(
        given.facts["derive.bmi"]["not_computed"],
        json!({"weight: imputed": 1, "height: imputed": 1})
    );
}

#[test]
fn regression_the_week_begins_on_monday_with_1() {
    let given = run(
        "derive: [{day_of_week: {of: day}}, {month: {of: day}}, {quarter: {of: day}}, {quarter: {of: day, year_starts: 10, into: fiscal}}]",
        &["day:text"],
        &[
            &["2026-01-15"],
            &["2023-12-31"],
            &["2024-04-01"],
            &["2024-09-30"],
            &["2024-10-01"],
            &["1985-02-30"],
            &["~"],
        ],
    );
    let expected = [
        "2026-01-15, 4, 1, 1, 2",
        "2023-12-31, 7, 12, 4, 1",
        "2024-04-01, 1, 4, 2, 3",
        "2024-09-30, 1, 9, 3, 4",
        "2024-10-01, 2, 10, 4, 1",
        "1985-02-30, ~, ~, ~, ~",
        "~, ~, ~, ~, ~",
    ];
    assert_eq!(given.rows, expected);
    let fact = json!({"computed": 5, "not_computed": {"no day in any of the formats": 1, "missing": 1}});
    assert_eq!(given.facts["derive.fiscal"], fact);
}

#[test]
fn a_moment_has_the_day_of_utc() {
    let given = run(
        "derive: [{day_of_week: {of: at}}]",
        &["at:instant"],
        &[&["2026-01-15T23:59:59Z"], &["2026-01-16T00:00:00+01:00"]],
    );
    assert!(given.rows.iter().all(|row| row.ends_with(", 4")), "{:?}", given.rows);
}

#[test]
fn expressions_see_the_columns_before_them() {
    let given = run(
        "derive: [{month: {of: day}}, {expression: {sql: \"month * 2 + n\", into: doubled}}]",
        &["day:text", "n:integer"],
        &[&["2026-03-15", "1"], &["~", "1"]],
    );
    assert_eq!(given.rows, ["2026-03-15, 1, 3, 7", "~, 1, ~, ~"]);
    assert_eq!(given.facts["derive.doubled"], json!({"computed": 1, "not_computed": {"missing": 1}}));
}

#[test]
fn an_expression_that_cannot_be_computed_is_empty_or_refused_and_counted() {
    let rows: &[&[&str]] = &[&["12"], &["twelve"], &["~"]];
    let given = run("derive: [{expression: {sql: \"cast(t as bigint) + 1\", into: n}}]", &["t:text"], rows);
    assert_eq!(given.rows, ["12, 13", "twelve, ~", "~, ~"]);
    let fact = &given.facts["derive.n"];
    assert_eq!((&fact["computed"], &fact["not_computed"]["missing"]), (&json!(1), &json!(1)));
    assert_eq!(fact["not_computed"].as_object().unwrap().len(), 2);
    let given = run(
        "derive: [{expression: {sql: \"cast(t as bigint) + 1\", into: n, on_error: quarantine}}]",
        &["t:text"],
        rows,
    );
    assert_eq!((given.rows.len(), given.rejects.len()), (2, 1));
}

#[test]
fn what_is_wrong_with_the_options_is_said_with_its_place() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(problems_of(text, &["kg:text", "cm:text", "day:boolean"]), expected);
    };
    check(
        "derive: [{bmi: {weight: {column: kg, unit: mg/dL}, height: cm, category: class}}]",
        &[
            "1:16: `bmi` of the step `derive` needs the key `age`",
            "1:44: `mg/dL` is no unit of `weight` of `bmi` of the step `derive`: it converts to kg only from its own units",
            "1:60: `height` of `bmi` of the step `derive` needs its unit: write `{column: name, unit: cm}`",
        ],
    );
    check(
        "derive: [{apgar: {}}, {month: {of: day}}]",
        &[
            "1:11: the step `derive` cannot derive `apgar`: it knows `bmi`, `egfr`, `meld3`, `fib4`, `day_of_week`, `month`, `quarter`, `expression`",
        ],
    );
    check(
        "derive: [{month: {of: day, into: kg}}]",
        &[
            "1:23: the column `day` is boolean, and the step `derive` needs a date, or text in one of the `formats`",
            "1:34: there is a column `kg` already: give the new one another name",
        ],
    );
    let found = problems_of("derive: [{expression: {sql: nix + 1, into: x}}]", &["kg:text"]);
    assert!(found.len() == 1 && found[0].starts_with("1:29: ") && found[0].contains("`nix`"), "{found:?}");
}
