//! Scores, gates and pages from rules; each defect of the founding design that is guarded against has a test named after it.

use std::path::PathBuf;

use quality::Dimension;
use table::Value;

use crate::Problems;
use crate::check::testing::{columns, rows, run, run_rows};
use crate::report::{Gates, Level, RunQuality, SourceQuality};

const EHR: &str = "
- {id: id-present, column: id, rule: not_null, on_fail: quarantine}
- {id: id-once, column: id, rule: unique, on_fail: quarantine}
- {id: sex, column: sex, rule: in_set, values: [male, female, other, unknown]}
- {id: born, column: born, rule: format, format: date}
";
const COLUMNS: &str = "id text, sex text, born text";

fn judged(quality: SourceQuality) -> SourceQuality {
    let verdict = Gates::default().judge(&quality);
    quality.sealed(&verdict)
}

fn gates(yaml: &str) -> Gates {
    let mut problems = Problems::default();
    let node = crate::yaml::parse(yaml, &mut problems).unwrap();
    let gates = Gates::decode(&node, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    gates
}

#[test]
fn a_file_with_every_gender_and_birth_date_invalid_is_not_acceptable() {
    let quality =
        judged(run(EHR, COLUMNS, &["1 | M | 07/04/1976", "2 | F | 1/2/80", "3 | M | soon"]).quality);
    assert_eq!(quality.score(Dimension::Validity), Some(0.0));
    assert_eq!(quality.score(Dimension::Completeness), Some(1.0));
    assert!(quality.overall.unwrap() > 0.6, "the mean alone would let it through");
    assert_eq!(quality.level, Some(Level::Unacceptable));
    assert!(!quality.refused.is_empty());
    let advised: Vec<&str> = quality.recommendations.iter().map(|advice| advice.rule.as_str()).collect();
    assert_eq!(advised, ["sex", "born"]);
}

#[test]
fn a_rule_that_fails_everywhere_is_not_hidden_among_many_that_pass() {
    let mut yaml = String::from("- {id: bad, column: sex, rule: in_set, values: [x]}\n");
    for n in 0..40 {
        yaml.push_str(&format!("- {{id: good-{n}, column: id, rule: regex, pattern: '.*'}}\n"));
    }
    let quality = judged(run(&yaml, COLUMNS, &["1 | M | -", "2 | F | -"]).quality);
    assert!(quality.score(Dimension::Validity).unwrap() > 0.97);
    assert_eq!(quality.level, Some(Level::Unacceptable));
    assert!(quality.gates.iter().any(|gate| gate.dimension == "rule bad" && gate.passed == Some(false)));
}

#[test]
fn zero_rows_are_not_assessed_and_no_number_is_made_up() {
    let quality = judged(run(EHR, COLUMNS, &[]).quality);
    assert_eq!((quality.overall, quality.level), (None, None));
    assert!(quality.dimensions.iter().all(|dimension| dimension.score.is_none()));
    assert!(quality.columns.iter().all(|column| column.completeness.is_none()));
    assert!(quality.refused.is_empty(), "nothing to load is nothing to refuse");
    let json = serde_json::to_string(&quality).unwrap();
    assert!(json.contains("\"overall\":null") && !json.contains("NaN"));
    let needed = format!("{EHR}- {{rule: row_count, min: 1, on_fail: fail}}\n");
    let quality = judged(run(&needed, COLUMNS, &[]).quality);
    assert_eq!(quality.level, Some(Level::Unacceptable));
}

#[test]
fn all_null_is_incomplete_and_nothing_else() {
    let quality = judged(run(EHR, COLUMNS, &["- | - | -", " | NULL | N/A"]).quality);
    assert_eq!(quality.score(Dimension::Completeness), Some(0.0));
    let others = [Dimension::Validity, Dimension::Uniqueness, Dimension::Plausibility];
    assert!(others.iter().all(|dimension| quality.score(*dimension).is_none()));
    assert!(quality.columns.iter().all(|column| column.completeness == Some(0.0)));
    assert_eq!(quality.level, Some(Level::Unacceptable));
}

#[test]
fn one_row_has_a_score_like_any_other() {
    let quality = judged(run(EHR, COLUMNS, &["1 | male | 1976-07-04"]).quality);
    assert_eq!((quality.overall, quality.level), (Some(1.0), Some(Level::Excellent)));
}

#[test]
fn no_checks_mean_not_assessed_rather_than_perfect() {
    let quality = judged(run("[]", COLUMNS, &["1 | M | -"]).quality);
    assert_eq!((quality.overall, quality.level), (None, None));
    assert_eq!(quality.columns[2].completeness, Some(0.0));
}

#[test]
fn one_bad_date_fails_one_row_and_not_the_source() {
    let text: Vec<String> = (0..100)
        .map(|n| format!("{n} | male | {}", if n == 7 { "07/04/1976" } else { "1976-07-04" }))
        .collect();
    let text: Vec<&str> = text.iter().map(String::as_str).collect();
    let quality = judged(run(EHR, COLUMNS, &text).quality);
    let born = &quality.rules[3];
    assert_eq!((born.n_assessed, born.n_failed, born.share), (100, 1, Some(0.01)));
    assert_eq!(born.samples[0].shape.as_deref(), Some("99/99/9999"));
    assert_eq!(quality.level, Some(Level::Excellent));
}

#[test]
fn rows_are_counted_and_not_messages() {
    let quality = run(EHR, COLUMNS, &["- | X | X", "- | X | X", "3 | male | 1976-07-04"]).quality;
    assert_eq!((quality.n_rows, quality.n_quarantined), (3, 2));
    assert_eq!(quality.rules[0].n_failed, 2);
}

#[test]
fn long_icd_codes_are_valid() {
    let yaml = "- {column: icd, rule: format, format: icd10cm, on_fail: quarantine}";
    let codes = ["E11.65", "I25.10", "S72.001A", "C4A.0", "Z3A.20", "M1A.00X0", "T36.0X1A", "E1165"];
    assert_eq!(run(yaml, "icd text", &codes).passed.len(), codes.len());
    assert_eq!(run(yaml, "icd text", &["E11.", "E", "11.65"]).passed.len(), 0);
}

#[test]
fn stale_and_future_rows_are_two_things() {
    let yaml = "
- {id: fresh, column: at, rule: freshness, max_age: 30d, of: rows}
- {id: past, column: at, rule: not_future}
";
    let quality = judged(run(yaml, "at date", &["2026-11-20", "2026-01-01", "2027-01-01", "-"]).quality);
    assert_eq!(quality.score(Dimension::Timeliness), Some(2.0 / 3.0));
    assert_eq!(quality.score(Dimension::Plausibility), Some(2.0 / 3.0));
    let failed: Vec<&str> = quality
        .gates
        .iter()
        .filter(|gate| gate.passed == Some(false))
        .map(|gate| gate.dimension.as_str())
        .collect();
    assert_eq!(failed, ["plausibility", "timeliness"]);
}

#[test]
fn gates_can_be_moved_and_switched_off() {
    let quality = run(EHR, COLUMNS, &["1 | male | -", "2 | M | -", "3 | male | -"]).quality;
    assert!(Gates::default().judge(&quality).is_accepted);
    let check = |yaml: &str, expected: bool| {
        assert_eq!(gates(yaml).judge(&quality).is_accepted, expected, "{yaml}");
    };
    check("validity: 0.7", false);
    check("validity: 70%", false);
    check("validity: 0.66", true);
    check("overall: 0.95", false);
    check("rule: 0.7", false);
    check("{rule: 0.7, validity: 0.7}", false);
    check("false", true);
    let off = gates("{validity: 0.7, overall: 0.99}");
    let mut problems = Problems::default();
    let node = crate::yaml::parse("{validity: false, overall: false}", &mut problems).unwrap();
    assert!(off.decode_over(&node, &mut problems).judge(&quality).is_accepted && problems.is_empty());
    let node = crate::yaml::parse("{acuracy: 0.9, overall: 2}", &mut problems).unwrap();
    Gates::decode(&node, &mut problems);
    let found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
    assert!(
        found[0].contains("there is no gate `acuracy`") && found[1].contains("must be a share"),
        "{found:?}"
    );
}

#[test]
fn a_limit_of_a_check_holds_also_without_gates() {
    let check = |options: &str, expected: bool| {
        let yaml = format!("- {{column: sex, rule: in_set, values: [male], {options}}}");
        let quality =
            run(&yaml, COLUMNS, &["1 | male | -", "2 | male | -", "3 | male | -", "4 | x | -"]).quality;
        assert_eq!(gates("false").judge(&quality).is_accepted, expected, "{options}");
    };
    check("on_fail: fail", false);
    check("on_fail: fail, max_fail: 1", true);
    check("on_fail: warn, max_fail: 25%", true);
    check("on_fail: quarantine, max_fail: 24%", false);
    check("on_fail: warn", true);
}

#[test]
fn what_is_measured_only_counts_nowhere() {
    let yaml = "- {column: sex, rule: in_set, values: [x], severity: characterization}";
    let quality = judged(run(yaml, COLUMNS, &["1 | male | -"]).quality);
    assert_eq!((quality.overall, quality.level, quality.rules[0].share), (None, None, Some(1.0)));
}

#[test]
fn records_that_could_not_be_read_count_against_validity() {
    let (world, _scratch) = crate::check::testing::world();
    let checks = crate::check::testing::checks("[]", &columns(COLUMNS)).unwrap();
    let checker = checks.start(&columns(COLUMNS), &[], &world).unwrap();
    let quality = judged(checker.quality(5, None));
    assert_eq!(quality.score(Dimension::Validity), Some(0.0));
    assert_eq!(quality.level, Some(Level::Unacceptable));
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let quality = judged(run(EHR, COLUMNS, &["1 | M | -", "2 | male | 07/04/1976", "2 | male | -"]).quality);
    let text = serde_json::to_string(&quality).unwrap();
    assert_eq!(serde_json::from_str::<SourceQuality>(&text).unwrap(), quality);
}

/// Two runs, so that there is a trend; a source that is refused and one without checks.
fn sample() -> RunQuality {
    let yaml = format!(
        "{EHR}- {{id: bmi, column: bmi, rule: range, min: 10, max: 80, unit: kg/m2, max_fail: 10%, severity: fatal}}
- {{id: fresh, column: seen, rule: freshness, max_age: 7d}}
- {{id: adult, rule: expression, expression: 'bmi > 10', when: \"sex = 'male'\"}}
- {{id: ages, column: bmi, rule: drift, bins: [18, 25, 30]}}
"
    );
    let of = columns("id text, sex text, born text, bmi integer, seen date");
    let good = ["1 | male | 1976-07-04 | 22 | 2026-11-24", "2 | female | 1980-01-01 | 31 | 2026-11-25"];
    let bad = [
        "1 | male | 1976-07-04 | 22 | 2026-11-01",
        "2 | F | 07/04/1976 | 310 | 2026-10-01",
        "2 | female | 1980-01-01 | - | -",
        "- | <b>x</b> | 1980-01-01 | 8 | 2026-10-01",
    ];
    let before = judged(run_rows(&yaml, &of, &rows(&of, &good), &[], None).quality);
    let mut ehr = judged(run_rows(&yaml, &of, &rows(&of, &bad), &[], Some(&before)).quality);
    ehr.name_units(&["ehr-2026-11.csv".to_owned()]);
    let labs = judged(run("[]", "code text, value number", &["2345-7 | 5.5", "- | -"]).quality);
    RunQuality {
        pipeline: "analytics-patients".to_owned(),
        run: "0192f0c1-2b3c-7d5e-8f90-a1b2c3d4e5f6".to_owned(),
        at: crate::check::testing::NOW.to_owned(),
        sources: vec![ehr, SourceQuality { source: "labs".to_owned(), ..labs }],
    }
}

#[test]
fn the_page_is_as_agreed() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases/quality.html");
    let page = crate::report::html(&sample()).replace("><", ">\n<") + "\n";
    if std::env::var_os("SALUS_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &page).unwrap();
    }
    let agreed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        agreed == page,
        "the page changed: look at it, then `SALUS_BLESS=1 cargo test -p salus-etl report`"
    );
}

#[test]
fn the_page_needs_nothing_else_and_shows_no_value() {
    let page = crate::report::html(&sample());
    for absent in ["<script", "http://", "https://", "src=", " style=", "url(", "<b>x", "07/04/1976", "310<"]
    {
        assert!(!page.contains(absent), "the page holds `{absent}`");
    }
    let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(style.as_bytes());
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
    assert_eq!(crate::report::style_hash(), format!("'sha256-{encoded}'"));
    let body = crate::report::body(&sample().sources[0]).into_string();
    assert!(page.contains(&body));
    let mut levels: Vec<u8> = Vec::new();
    for (at, _) in page.match_indices("<h") {
        let level = page.as_bytes()[at + 2];
        if level.is_ascii_digit() {
            assert!(levels.last().is_none_or(|last| level <= last + 1), "a level of headings is left out");
            levels.push(level);
        }
    }
    assert_eq!(levels.iter().filter(|level| **level == b'1').count(), 1);
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
}

#[test]
fn shapes_can_be_switched_off() {
    let mut run = sample();
    run.sources[0].hide_shapes();
    assert!(run.sources[0].rules.iter().flat_map(|rule| &rule.samples).all(|sample| sample.shape.is_none()));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]

    /// What the checker counts in one pass is what a row-by-row evaluation of the same rules counts.
    #[test]
    fn n_failed_equals_a_row_by_row_evaluation(
        cells in proptest::collection::vec((proptest::option::of("[MFx ]{0,2}|NULL"), proptest::option::of(-3_i64..12)), 0..80)
    ) {
        let of = columns("sex text, n integer");
        let table: Vec<Vec<Value>> = cells
            .iter()
            .map(|(sex, n)| vec![
                sex.as_deref().map_or(Value::Null, Value::from),
                n.map_or(Value::Null, Value::Integer),
            ])
            .collect();
        let yaml = "
- {id: a, column: sex, rule: not_null}
- {id: b, column: sex, rule: in_set, values: [M, F]}
- {id: c, column: n, rule: range, min: 0, below: 10}
- {id: d, columns: [sex, n], rule: unique}
- {id: e, column: sex, rule: length, max: 1, when: 'n > 5'}
- {id: f, rule: expression, expression: 'n <> 3'}
";
        let quality = run_rows(yaml, &of, &table, &[], None).quality;
        let found: Vec<(u64, u64)> = quality.rules.iter().map(|rule| (rule.n_assessed, rule.n_failed)).collect();
        let mut expected = [(0_u64, 0_u64); 6];
        let mut keys = std::collections::HashSet::new();
        let mut count = |at: usize, fails: bool| {
            expected[at].0 += 1;
            expected[at].1 += u64::from(fails);
        };
        for (sex, n) in &cells {
            let sex = sex.as_deref().filter(|text| !text.trim().is_empty() && *text != "NULL");
            count(0, sex.is_none());
            if let Some(sex) = sex {
                count(1, sex != "M" && sex != "F");
            }
            if let Some(n) = n {
                count(2, !(0..10).contains(n));
                count(5, *n == 3);
            }
            if let (Some(sex), Some(n)) = (sex, n) {
                count(3, !keys.insert((sex.to_owned(), *n)));
                if *n > 5 {
                    count(4, sex.chars().count() > 1);
                }
            }
        }
        proptest::prop_assert_eq!(found, expected);
    }
}
