//! Tables through `standardize_demographics`.

use serde_json::json;

use crate::step::cells::testing::{problems_of, run};

#[test]
fn regression_m_and_f_do_not_become_unknown() {
    let given = run(
        "standardize_demographics: {gender: gender}",
        &["id:text", "gender:text"],
        &[
            &["1", "M"],
            &["2", "F"],
            &["3", "male"],
            &["4", "FEMALE"],
            &["5", "O"],
            &["6", "U"],
            &["7", "X"],
            &["8", "~"],
            &["9", " "],
        ],
    );
    let expected = [
        "1, male",
        "2, female",
        "3, male",
        "4, female",
        "5, other",
        "6, unknown",
        "7, other",
        "8, ~",
        "9, ~",
    ];
    assert_eq!(given.rows, expected);
    let fact = json!({"mapped": 7, "missing": 2, "unmapped": 0, "partly_unmapped": 0});
    assert_eq!(given.facts["standardize_demographics.gender"], fact);
}

#[test]
fn regression_an_answer_that_no_table_knows_is_counted_and_not_unknown() {
    let columns = ["id:text", "sex:text"];
    let rows: &[&[&str]] = &[&["1", "7"], &["2", "F"], &["3", "7"], &["4", "1"]];
    let check = |options: &str, rows_expected: &[&str], rejects: &[&str]| {
        let given = run(&format!("standardize_demographics: {{sex: sex, {options}}}"), &columns, rows);
        assert_eq!(
            (given.rows.as_slice(), given.rejects.as_slice()),
            (
                &rows_expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..],
                &rejects.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]
            )
        );
        let unmapped = &given.facts["standardize_demographics.sex"]["unmapped"];
        assert!(unmapped == &json!(3) || options.contains("map"), "{unmapped}");
        assert!(!given.facts["standardize_demographics.sex"].to_string().contains('7'));
    };
    check("unmapped: null", &["1, ~", "2, female", "3, ~", "4, ~"], &[]);
    check("unmapped: keep", &["1, 7", "2, female", "3, 7", "4, 1"], &[]);
    check("unmapped: quarantine", &["2, female"], &["1 sex unmapped", "3 sex unmapped", "4 sex unmapped"]);
    check("keep_source: true", &["1, ~, 7", "2, female, F", "3, ~, 7", "4, ~, 1"], &[]);
    check("map: {sex: {\"7\": other, \"1\": male}}", &["1, other", "2, female", "3, other", "4, male"], &[]);
}

#[test]
fn regression_races_are_codes_and_several_stay_several() {
    let given = run(
        "standardize_demographics: {race: race, ethnicity: eth, map: {race: {Blanco: 2106-3, Mulatto: 2054-5|2106-3}}}",
        &["race:text", "eth:text"],
        &[
            &["Black Or African American", "Not Hispanic or Latino"],
            &["BLACK", "hispanic"],
            &["White; Asian", "N"],
            &["UNK|White", "Unknown"],
            &["Declined", "ASKU"],
            &["2106-3", "White"],
            &["blanco", "~"],
            &["mulatto;Asian", "~"],
            &["White; Martian", "~"],
            &["Hispanic", "~"],
        ],
    );
    let expected = [
        "2054-5, 2186-5",
        "2054-5, 2135-2",
        "2028-9|2106-3, 2186-5",
        "2106-3, UNK",
        "ASKU, ASKU",
        "2106-3, ~",
        "2106-3, ~",
        "2028-9|2054-5|2106-3, ~",
        "2106-3, ~",
        "~, ~",
    ];
    assert_eq!(given.rows, expected);
    let fact = json!({"mapped": 8, "missing": 0, "unmapped": 1, "partly_unmapped": 1});
    assert_eq!(given.facts["standardize_demographics.race"], fact);
}

#[test]
fn the_single_question_gives_both_forms() {
    let rows: &[&[&str]] = &[
        &["Hispanic or Latino; White"],
        &["Hispanic"],
        &["Middle Eastern or North African"],
        &["Asian"],
        &["Unknown"],
        &["Asian; Martian"],
        &["~"],
    ];
    let given = run("standardize_demographics: {race_ethnicity: both}", &["both:text"], rows);
    let expected = [
        "2106-3|2135-2, 2106-3, 2135-2",
        "2135-2, ~, 2135-2",
        "2118-8, 2106-3, ~",
        "2028-9, 2028-9, ~",
        "UNK, UNK, UNK",
        "2028-9, 2028-9, ~",
        "~, ~, ~",
    ];
    assert_eq!(given.rows, expected);
    let given = run(
        "standardize_demographics: {race_ethnicity: both, unselected: not_hispanic}",
        &["both:text"],
        rows,
    );
    assert_eq!(given.rows[2..4], ["2118-8, 2106-3, 2186-5", "2028-9, 2028-9, 2186-5"]);
    assert_eq!(given.rows[5], "2028-9, 2028-9, ~");
}

const DATES: &[&[&str]] = &[
    &["1", "2000-02-29"],
    &["2", "07/04/1976"],
    &["3", "1985-02-30"],
    &["4", "2031-05-05"],
    &["5", "~"],
    &["6", "1956-01-20"],
    &["7", "1890-01-01"],
];

#[test]
fn regression_one_bad_date_does_not_stop_the_source() {
    let text = "standardize_demographics: {birth_date: birth, age_on: 2026-01-15, formats: [\"%Y-%m-%d\", \"%m/%d/%Y\"], on_invalid: null}";
    let given = run(text, &["id:text", "birth:text"], DATES);
    let expected = [
        "1, 2000-02-29, 25",
        "2, 1976-07-04, 49",
        "3, ~, ~",
        "4, ~, ~",
        "5, ~, ~",
        "6, 1956-01-20, 69",
        "7, 1890-01-01, ~",
    ];
    assert_eq!(given.rows, expected);
    assert!(given.rejects.is_empty());
    let fact = json!({"days": 4, "missing": 1, "bad_date": 1, "future_date": 1});
    assert_eq!(given.facts["standardize_demographics.birth"], fact);
    let fact = json!({"computed": 3, "not_computed": {"no birth date": 3, "age_too_high": 1}});
    assert_eq!(given.facts["standardize_demographics.age"], fact);
}

#[test]
fn days_that_cannot_be_are_quarantined_unless_the_file_says_otherwise() {
    let given = run(
        "standardize_demographics: {birth_date: birth, age_on: run_date}",
        &["id:text", "birth:text"],
        DATES,
    );
    assert_eq!(given.rows, ["1, 2000-02-29, 25", "5, ~, ~", "6, 1956-01-20, 69"]);
    let expected = ["2 birth bad_date", "3 birth bad_date", "4 birth future_date", "7 birth age_too_high"];
    assert_eq!(given.rejects, expected);
}

#[test]
fn regression_ages_are_completed_years_on_a_stated_day() {
    let check = |birth: &str, death: &str, on: &str, expected: &str| {
        let given = run(
            "standardize_demographics: {birth_date: birth, death_date: death, age_on: seen, age: years, on_invalid: null}",
            &["birth:date", "death:date", "seen:instant"],
            &[&[birth, death, on]],
        );
        let found = given.rows[0].rsplit(", ").next().unwrap().to_owned();
        assert_eq!(found, expected, "{birth} {death} {on}");
    };
    check("2000-02-29", "~", "2001-02-28T23:59:59Z", "0");
    check("2000-02-29", "~", "2001-03-01T00:00:00Z", "1");
    check("2000-02-29", "~", "2004-02-29T12:00:00Z", "4");
    check("1956-01-20", "~", "2026-01-15T00:00:00Z", "69");
    check("1956-01-20", "2000-01-20", "2026-01-15T00:00:00Z", "44");
    check("1956-01-20", "1955-01-20", "2026-01-15T00:00:00Z", "69");
    check("2020-05-05", "~", "2019-01-01T00:00:00Z", "~");
    check("2020-05-05", "~", "~", "~");
    check("1906-01-16", "~", "2026-01-15T00:00:00Z", "119");
    check("1905-01-15", "~", "2026-01-15T00:00:00Z", "~");
}

#[test]
fn what_is_wrong_with_the_options_is_said_with_its_place() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(problems_of(text, &["sex:text", "age:integer", "birth:integer"]), expected);
    };
    check(
        "standardize_demographics: {sexx: sex}",
        &[
            "1:27: the step `standardize_demographics` names no column: give `sex`, `race`, `ethnicity`, `race_ethnicity`, `birth_date` or `death_date`",
            "1:28: unknown key `sexx` in the step `standardize_demographics`: it knows `sex`, `gender`, `race`, `ethnicity`, `race_ethnicity`, `birth_date`, `death_date`, `age_on`, `age`, `age_years_max`, `formats`, `unmapped`, `on_invalid`, `unselected`, `keep_source`, `map`",
        ],
    );
    check(
        "standardize_demographics: {sex: nix, birth_date: birth, age_on: run_date}",
        &[
            "1:27: there is a column `age` already: give the new one another name",
            "1:33: there is no column `nix` for the step `standardize_demographics`: there are `sex`, `age`, `birth`",
            "1:50: the column `birth` is integer, and the step `standardize_demographics` needs a date, or text in one of the `formats`",
        ],
    );
    check(
        "standardize_demographics: {sex: sex, map: {sex: {X: nonsense}}, unmapped: drop}",
        &[
            "1:53: `nonsense` in `map.sex` is not one of `female`, `male`, `other`, `unknown`",
            "1:75: `unmapped` of the step `standardize_demographics` must be one of `keep`, `null`, `quarantine`",
        ],
    );
}
