//! Rule files that are wrong: everything comes back together, with line and column.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test")]

use rules::{RuleFile, RuleSet, UsedVersion, load_beside_shipped, load_with_shipped};

fn file(text: &str) -> RuleFile {
    RuleFile { path: "own.yaml".to_owned(), text: text.to_owned() }
}

fn problems(text: &str) -> String {
    match load_with_shipped(&[file(text)]) {
        Ok(set) => {
            let own: Vec<String> = set
                .rules()
                .iter()
                .filter(|rule| rule.name.starts_with("own/"))
                .map(|rule| rule.name.clone())
                .collect();
            format!("in order: {}", own.join(", "))
        }
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn golden_cases() {
    assert!(testkit::cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases/load"), problems) >= 14);
}

const OWN: &str = "pack: own\nversion: 1.0.0\nabout: x\nrules:\n  - name: own/rate\n    source: x\n    measure: heart_rate\n    unit: /min\n    limits:\n      - {above: 115, severity: low, clear: {at_most: 105}}\n";

#[test]
fn a_used_version_with_other_content_is_refused() {
    let first = load_with_shipped(&[file(OWN)]).unwrap();
    let hash = first.rules().iter().find(|rule| rule.name == "own/rate").unwrap().hash;
    let used = [UsedVersion { rule: "own/rate".to_owned(), version: "1.0.0".to_owned(), hash }];
    let again = |text: &str| {
        load_beside_shipped(&[file(text)], &used).map(|_| ()).map_err(|problems| problems[0].to_string())
    };
    // Comments, layout and the order of keys are no content.
    let same = OWN.replace(
        "    source: x\n    measure: heart_rate\n",
        "    measure: heart_rate # a comment\n    source: 'x'\n",
    );
    assert_eq!(again(&same), Ok(()));
    let changed = OWN.replace("115", "116");
    assert_eq!(
        again(&changed).unwrap_err(),
        "own.yaml:5:5: `own/rate` was in use as version `1.0.0` with other content: give it a new version"
    );
    assert_eq!(again(&changed.replace("1.0.0", "1.0.1")), Ok(()));
}

#[test]
fn a_shipped_pack_is_replaced_by_one_of_its_name_and_a_changed_rule_needs_a_version() {
    let shipped = rules::shipped_files().into_iter().find(|file| file.path == "pregnancy.yaml").unwrap();
    let same = RuleFile { path: "mine/pregnancy.yaml".to_owned(), ..shipped.clone() };
    assert_eq!(load_with_shipped(&[same]).unwrap().rules().len(), RuleSet::shipped().rules().len());
    let changed =
        file(&shipped.text.replace("at_least: 160", "at_least: 150").replace("below: 150", "below: 145"));
    let problems = load_with_shipped(std::slice::from_ref(&changed)).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("give it a new version"));
    let renewed = file(&changed.text.replace("version: 1.0.0", "version: 1.1.0"));
    assert!(load_with_shipped(&[renewed]).is_ok());
}

#[test]
fn an_example_of_the_page_is_in_order_and_passes() {
    let page = include_str!("../../../docs/rules.md");
    let text = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let outcomes = rules::test_files(&[file(text)]).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|outcome| outcome.failures.is_empty()), "{outcomes:?}");
}

#[test]
fn a_test_that_does_not_hold_is_told() {
    let text = format!(
        "{OWN}tests:\n  - rule: own/rate\n    levels: {{115: low, 116: low}}\n  - rule: own/other\n    levels: {{1: low}}\n"
    );
    let outcomes = rules::test_files(&[file(&text)]).unwrap();
    let failures: Vec<&str> =
        outcomes.iter().flat_map(|outcome| outcome.failures.iter().map(String::as_str)).collect();
    assert_eq!(failures, ["115: low expected, found none", "the rule `own/other` is not known"]);
    assert_eq!(outcomes[0].at.line, 12);
}

fn read(id: &str, kind: &str, rest: &str) -> event::Event {
    let text = format!(
        r#"{{"id":"{id}","kind":"{kind}","patient":"Patient/1","at":"2026-11-25T11:59:00Z","source":"ehr","birth_date":"1950-03-14",{rest}}}"#
    );
    let now = fhir::Instant::parse("2026-11-25T12:00:00Z").unwrap();
    event::Event::parse(text.as_bytes(), &event::Sources::default(), now).unwrap()
}

/// Of a note, rules have the codes. Also one that invents a measure for its text sees none of it.
#[test]
fn a_rule_sees_nothing_of_the_text_of_a_note() {
    const NOSY: &str = "pack: own\nversion: 1.0.0\nabout: x\nmeasures:\n  - {name: text, label: text, words: [well, pain]}\nrules:\n  - name: own/nosy\n    source: x\n    kind: [clinical_notes]\n    when: v.text == 'pain' || codes.exists(c, c.contains('pain'))\n    severity: critical\n    clear: {when: v.text == 'well'}\n";
    let rules = load_with_shipped(&[file(NOSY)]).unwrap();
    let event = read("n", "clinical_notes", r#""data":{"type":"34117-2","title":"pain","text":"pain"}"#);
    let mut state = rules::PatientState::default();
    let found = rules.on_event(&mut state, &rules::Subject::default(), &event);
    let raised = found.iter().filter(|finding| matches!(finding.what, rules::What::Raise(_)));
    assert_eq!(raised.count(), 0, "{found:?}");
}

#[test]
fn a_rule_tests_what_is_said_in_codes() {
    const CODED: &str = "pack: own\nversion: 1.0.0\nabout: x\nrules:\n  - name: own/homeless\n    source: x\n    kind: [social_determinants, clinical_notes]\n    when: codes.exists(c, c.endsWith('|Z59.02'))\n    severity: medium\n    clear: {when: \"!codes.exists(c, c.endsWith('|Z59.02'))\"}\n";
    let rules = load_with_shipped(&[file(CODED)]).unwrap();
    let mut state = rules::PatientState::default();
    let mut check = |id: &str, kind: &str, rest: &str, expected: &str| {
        let found = rules.on_event(&mut state, &rules::Subject::default(), &read(id, kind, rest));
        let own: Vec<String> = found
            .iter()
            .filter(|finding| finding.rule == "own/homeless")
            .map(|finding| format!("{:?}", finding.what))
            .collect();
        assert_eq!(own.join(","), expected, "{id}");
    };
    check("a", "social_determinants", r#""data":{"need":"Z59.41"}"#, "");
    check(
        "b",
        "social_determinants",
        r#""quality":0.1,"data":{"need":"Z59.02"}"#,
        "NotEvaluated(\"the event's quality is below what its source must have: the value is kept, not alerted on\")",
    );
    check("c", "social_determinants", r#""data":{"need":"Z59.02"}"#, "Raise(Medium)");
    // What has no codes says nothing about them.
    check("d", "vital_signs", r#""data":{"heart_rate":72}"#, "");
    check("e", "social_determinants", r#""data":{"need":"Z59.02","status":"resolved"}"#, "Clear");
    check("f", "clinical_notes", r#""data":{"text":"x","codes":["Z59.02"]}"#, "Raise(Medium)");
}
