//! Tables through `normalize_codes`.

use serde_json::json;

use crate::step::cells::testing::{problems_of, run};

#[test]
fn regression_long_icd10_codes_are_valid_and_dotted() {
    let codes = [
        ("E11.65", "E11.65, true"),
        ("e1165", "E11.65, true"),
        ("S72.001A", "S72.001A, true"),
        ("C4A.0", "C4A.0, true"),
        ("M1A.00X0", "M1A.00X0, true"),
        ("O9A.111", "O9A.111, true"),
        ("T360X1A", "T36.0X1A, true"),
        (" i10 ", "I10, true"),
        ("e119", "E11.9, true"),
        ("E11.", "E11., false"),
        ("250.00", "250.00, false"),
        ("ZZZ", "ZZZ, false"),
        ("~", "~, ~"),
        ("", ", ~"),
    ];
    let rows: Vec<[&str; 1]> = codes.iter().map(|(code, _)| [*code]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let given = run("normalize_codes: {columns: {dx: icd10cm}, valid_flag: true}", &["dx:text"], &rows);
    assert_eq!(given.rows, codes.map(|(_, expected)| expected));
    let fact = json!({"canonical": 5, "changed": 4, "missing": 2, "invalid": {"character": 3}});
    assert_eq!(given.facts["normalize_codes.dx"], fact);
}

#[test]
fn regression_cpt_codes_are_never_made_longer() {
    let given = run(
        "normalize_codes: {columns: {cpt: {system: cpt, on_invalid: null}, any: procedure}}",
        &["cpt:text", "any:text"],
        &[&["5", "5"], &["99213", "99213"], &["0001a", "j1100"], &["G0008", "G0008"], &["00005", "~"]],
    );
    assert_eq!(given.rows, ["~, 5", "99213, 99213", "0001A, J1100", "~, G0008", "00005, ~"]);
    assert_eq!(given.facts["normalize_codes.cpt"]["invalid"], json!({"length": 1, "character": 1}));
}

#[test]
fn regression_icd9_and_icd10_are_told_apart_by_the_day() {
    let columns = ["dx:text", "seen:text"];
    let rows: &[&[&str]] = &[
        &["25000", "2015-09-30"],
        &["250.00", "2015-10-01"],
        &["E11.9", "2015-10-01"],
        &["E11.9", "2015-09-30"],
        &["V10.1", "2010-01-01"],
        &["V10.1", "2020-01-01"],
        &["E11.9", "~"],
        &["E11.9", "1985-02-30"],
        &["~", "~"],
    ];
    let text =
        "normalize_codes: {columns: {dx: {system: icd, as_of: seen, system_flag: true, valid_flag: true}}}";
    let given = run(text, &columns, rows);
    let expected = [
        "250.00, 2015-09-30, true, icd9cm",
        "250.00, 2015-10-01, false, ~",
        "E11.9, 2015-10-01, true, icd10cm",
        "E11.9, 2015-09-30, false, ~",
        "V10.1, 2010-01-01, true, icd9cm",
        "V10.1, 2020-01-01, true, icd10cm",
        "E11.9, ~, false, ~",
        "E11.9, 1985-02-30, false, ~",
        "~, ~, ~, ~",
    ];
    assert_eq!(given.rows, expected);
    let given =
        run("normalize_codes: {columns: {dx: icd10cm}, as_of: seen, on_invalid: quarantine}", &columns, rows);
    let expected = [
        "1 dx not_in_use",
        "2 dx character",
        "4 dx not_in_use",
        "5 dx not_in_use",
        "7 dx no_day",
        "8 dx no_day",
    ];
    assert_eq!(given.rejects, expected);
}

#[test]
fn every_system_has_its_canonical_form() {
    let check = |system: &str, text: &str, expected: &str| {
        let step = format!("normalize_codes: {{columns: {{code: {{system: {system}, on_invalid: null}}}}}}");
        assert_eq!(run(&step, &["code:text"], &[&[text]]).rows, [expected], "{system} {text}");
    };
    check("icd10pcs", "0dtj4zz", "0DTJ4ZZ");
    check("icd10pcs", "0DTJ4ZO", "~");
    check("icd9cm", "V4501", "V45.01");
    check("icd9cm_procedure", "9904", "99.04");
    check("hcpcs", "j1100", "J1100");
    check("hcpcs", "99213", "~");
    check("modifier", "lt", "LT");
    check("loinc", "2345-7", "2345-7");
    check("loinc", "2345-8", "~");
    check("snomed", "73211009", "73211009");
    check("ndc", "0002-1433-80", "00002143380");
    check("ndc", "0002143380", "~");
    check("npi", "1234567893", "1234567893");
    check("npi", "1234567890", "~");
    check("mbi", "1eg4-te5-mk73", "1EG4TE5MK73");
    check("zip", "021381234", "02138-1234");
    check("zip", "2138", "~");
    check("zip5", "02138-1234", "02138");
}

#[test]
fn what_is_wrong_with_the_options_is_said_with_its_place() {
    let check = |text: &str, expected: &[&str]| {
        let found = problems_of(text, &["dx:text", "cpt:integer", "dx_valid:boolean"]);
        assert_eq!(
            found
                .iter()
                .map(|problem| problem
                    .split(": there are")
                    .next()
                    .unwrap()
                    .split(": a number")
                    .next()
                    .unwrap())
                .collect::<Vec<_>>(),
            expected
        );
    };
    check("normalize_codes: {columns: {dx: icd11}}", &["1:33: `icd11` is no code system"]);
    check(
        "normalize_codes: {columns: {dx: icd}}",
        &["1:33: `icd` needs `as_of`: the column whose day tells ICD-9 from ICD-10"],
    );
    check("normalize_codes: {}", &["1:18: the step `normalize_codes` needs the key `columns`"]);
    check(
        "normalize_codes: {columns: {cpt: cpt, dx: icd10cm}, valid_flag: true}",
        &[
            "1:29: the column `cpt` is integer, and the step `normalize_codes` needs text",
            "1:39: there is a column `dx_valid` already: give the new one another name",
        ],
    );
}
