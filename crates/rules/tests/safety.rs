//! The lines of `clinical-safety` that bind rules and are not held by the tests in the rule files, by their numbers.

mod common;

use clinical::{Number, Pregnancy};
use common::{SECOND, START, adult, event, measured};
use event::{Comparator, Value};
use rules::{Finding, PatientState, RuleSet, Severity, Subject, What};

fn found(subject: &Subject, measurements: Vec<event::Measurement>) -> Vec<Finding> {
    RuleSet::shipped().on_event(&mut PatientState::default(), subject, &event("e", START, measurements))
}

fn raised<'f>(found: &'f [Finding], rule: &str) -> Option<&'f Finding> {
    found.iter().find(|finding| finding.rule == rule && matches!(finding.what, What::Raise(_)))
}

/// 1. Every limit is printed with its unit.
#[test]
fn line_1_every_limit_has_a_unit() {
    for rule in RuleSet::shipped().rules() {
        let Some(unit) = &rule.unit else { continue };
        for row in &rule.rows {
            assert!(row.limit.ends_with(unit.as_str()), "{}: {}", rule.name, row.limit);
            assert!(row.clear.contains(unit.as_str()), "{}: {}", rule.name, row.clear);
        }
    }
}

/// 1. Conversion is per analyte: the same number of mmol/L is another mass for each.
#[test]
fn line_1_units_are_converted_per_analyte() {
    let in_mmol = |name: &str, value: &str| {
        let mut measurement = measured(name, value);
        measurement.unit = Some("mmol/L".into());
        found(&adult(), vec![measurement])
    };
    assert!(raised(&in_mmol("glucose", "22.3"), "founding/glucose").is_some());
    assert!(raised(&in_mmol("glucose", "22.2"), "founding/glucose").is_none());
    assert!(raised(&in_mmol("calcium", "3.25"), "labs/calcium").is_some());
    assert!(raised(&in_mmol("calcium", "3.24"), "labs/calcium").is_none());
    assert!(raised(&in_mmol("magnesium", "1.86"), "labs/magnesium").is_some());
    assert!(raised(&in_mmol("magnesium", "1.85"), "labs/magnesium").is_none());
}

/// 2. A missing or foreign unit is shown as not evaluated, by every rule that would have read the value.
#[test]
fn line_2_a_missing_unit_is_shown() {
    for unit in [None, Some("g/L"), Some("nonsense")] {
        let mut measurement = measured("potassium", "9.9");
        measurement.unit = unit.map(Into::into);
        let found = found(&adult(), vec![measurement]);
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(rules, ["founding/potassium", "adult-ward/potassium"], "{unit:?}");
        assert!(found.iter().all(|finding| matches!(finding.what, What::NotEvaluated(_))));
    }
    let mut absent = measured("potassium", "9.9");
    absent.value = Value::Absent("not taken".to_owned());
    assert!(
        found(&adult(), vec![absent]).iter().all(|finding| matches!(finding.what, What::NotEvaluated(_)))
    );
}

/// 3. and 4. Adult rules and scores: not of unknown age, not of children, not in pregnancy. The founding pack goes on.
#[test]
fn line_3_and_4_age_and_pregnancy() {
    let vitals = || {
        vec![measured("heart_rate", "150"), measured("systolic", "165"), measured("respiratory_rate", "26")]
    };
    let child = Subject { birth_date: Some("2016-06-15".to_owned()), ..Subject::default() };
    let pregnant = Subject { pregnancy: Pregnancy::PregnantOrPostPartum, ..adult() };
    for subject in [Subject::default(), child, pregnant.clone()] {
        let found = found(&subject, vitals());
        let adult_rules = |finding: &&Finding| {
            finding.rule.starts_with("adult-ward/")
                || (finding.rule.starts_with("scores/") && finding.rule != "scores/aki")
        };
        assert!(
            found.iter().filter(adult_rules).all(|finding| matches!(finding.what, What::NotEvaluated(_)))
        );
        assert!(raised(&found, "founding/heart-rate").is_some());
        assert!(
            found.iter().any(
                |finding| finding.rule == "scores/news2" && matches!(finding.what, What::NotEvaluated(_))
            ),
            "shown so"
        );
    }
    let severe = found(&pregnant, vitals());
    let alert = raised(&severe, "pregnancy/systolic").expect("165 is severe");
    assert!(alert.message.contains("recheck within 15 min, treat within 30 to 60 min"));
    assert_eq!(alert.respond_within_mins, Some(15));
}

/// 6. Scale 2 and its rules only by a coded order.
#[test]
fn line_6_the_ordered_target_changes_all_rules_on_saturation() {
    let at = |value: &str, target: bool| {
        let subject = Subject { spo2_target_88_92: target, ..adult() };
        let mut rules: Vec<String> =
            found(&subject, vec![measured("spo2", value), measured("breathing", "air")])
                .into_iter()
                .filter(|finding| matches!(finding.what, What::Raise(_)))
                .map(|finding| finding.rule)
                .collect();
        rules.sort();
        rules
    };
    assert_eq!(at("89", false), ["founding/spo2", "scores/news2-red"]);
    assert_eq!(at("89", true), Vec::<String>::new());
    assert_eq!(at("87", true), ["founding/spo2-target-88-92"]);
}

/// 7. Fractions go toward the worse score; temperature to 0.1.
#[test]
fn line_7_fractions_go_to_the_worse_side() {
    let red = |name: &str, value: &str| {
        raised(&found(&adult(), vec![measured(name, value)]), "scores/news2-red").is_some()
    };
    assert!(red("spo2", "91.9") && !red("spo2", "92"));
    assert!(red("respiratory_rate", "8.9") && !red("respiratory_rate", "9"));
    assert!(red("respiratory_rate", "24.1") && !red("respiratory_rate", "24"));
    assert!(red("systolic", "219.1") && !red("systolic", "219"));
    assert!(red("temperature", "35.04") && !red("temperature", "35.05"));
}

/// 8. Every limit has an end of its own, apart from the limit; the arrest range is never sustained.
#[test]
fn line_8_every_limit_has_an_end() {
    for rule in RuleSet::shipped().rules() {
        for row in &rule.rows {
            assert!(!row.clear.is_empty() && row.clear != row.limit, "{}", rule.name);
            assert!(!(row.immediate && row.sustained.is_some()), "{}", rule.name);
        }
    }
}

/// 9. Haemolysed, clotted, diluted, preliminary: said, not silenced.
#[test]
fn line_9_specimens_are_said() {
    for flag in ["haemolysed", "clotted", "diluted"] {
        let mut measurement = measured("potassium", "7.0");
        measurement.flags.push(flag.to_owned());
        measurement.status = event::Status::Preliminary;
        let found = found(&adult(), vec![measurement]);
        let alert = raised(&found, "founding/potassium").expect("it is raised");
        assert!(alert.message.contains(&format!("preliminary result, flagged: {flag}")), "{}", alert.message);
    }
}

/// 10. AKI says its baseline.
#[test]
fn line_10_aki_states_its_baseline() {
    let set = RuleSet::shipped();
    let (mut state, subject) = (PatientState::default(), adult());
    set.on_event(&mut state, &subject, &event("a", START, vec![measured("creatinine", "1.0")]));
    let found = set.on_event(
        &mut state,
        &subject,
        &event("b", START + 3_600 * SECOND, vec![measured("creatinine", "1.6")]),
    );
    let alert = raised(&found, "scores/aki").expect("1.6 times");
    assert_eq!(
        alert.message,
        "acute kidney injury by creatinine: AKI stage 1 (limit: at least 1); KDIGO; baseline 1.0 mg/dL: the lowest value of the 7 days before; risen by at least 0.3 mg/dL within 48 h; urine output not looked at; do not report eGFR; creatinine 1.6 mg/dL at 2026-06-15T13:00:00.000Z (0 min old) by monitor; rule scores/aki 1.0.0"
    );
}

/// 11. What is measured, value, unit, time, source, previous value, rule and version, on every alert of a limit; no diagnosis.
#[test]
fn line_11_every_alert_says_what_it_rests_on() {
    let set = RuleSet::shipped();
    let bad = [
        ("heart_rate", "20"),
        ("respiratory_rate", "3"),
        ("spo2", "70"),
        ("systolic", "60"),
        ("diastolic", "130"),
        ("mean_pressure", "40"),
        ("temperature", "41.5"),
        ("potassium", "8.0"),
        ("glucose", "20"),
        ("haemoglobin", "4.0"),
        ("sodium", "100"),
        ("inr", "9"),
        ("platelets", "5"),
    ];
    let mut n_alerts = 0;
    for (name, value) in bad {
        let (mut state, subject) = (PatientState::default(), adult());
        set.on_event(&mut state, &subject, &event("a", START, vec![measured(name, "33")]));
        let found =
            set.on_event(&mut state, &subject, &event("b", START + SECOND, vec![measured(name, value)]));
        for alert in found
            .iter()
            .filter(|finding| matches!(finding.what, What::Raise(_)) && !finding.rule.starts_with("scores/"))
        {
            n_alerts += 1;
            let label = set.measures().into_iter().find(|(known, ..)| known == name).expect("it is known");
            let unit = label.2.expect("it has a unit");
            let version = format!("rule {} 1.0.0", alert.rule);
            for part in [
                format!("{} {value} {unit}", label.1),
                "2026-06-15T12:00:01.000Z".to_owned(),
                "by monitor".to_owned(),
                "before: ".to_owned(),
                version,
            ] {
                assert!(alert.message.contains(&part), "{part:?} in {}", alert.message);
            }
            assert!(!alert.message.contains("crisis"));
        }
    }
    assert!(n_alerts >= 14, "{n_alerts}");
}

/// 14. An imputed value reaches no rule, no score, no history.
#[test]
fn line_14_imputed_values_reach_nothing() {
    let mut state = PatientState::default();
    let mut measurement = measured("heart_rate", "0");
    measurement.flags.push("imputed".to_owned());
    let found = RuleSet::shipped().on_event(&mut state, &adult(), &event("e", START, vec![measurement]));
    assert!(found.is_empty());
    assert_eq!(format!("{state:?}"), "PatientState(0 measures, 0 episodes)");
}

/// A bound that certainly meets a limit alerts; one that does not tell is said.
#[test]
fn bounds_are_judged_by_what_they_can_be() {
    let with = |value: i32, comparator| {
        let mut measurement = measured("glucose", "0");
        measurement.value = Value::Number(Number::from(value));
        measurement.comparator = Some(comparator);
        found(&adult(), vec![measurement])
    };
    assert_eq!(
        raised(&with(500, Comparator::Greater), "founding/glucose").map(|f| f.what.clone()),
        Some(What::Raise(Severity::High))
    );
    assert_eq!(
        raised(&with(20, Comparator::Less), "founding/glucose").map(|f| f.what.clone()),
        Some(What::Raise(Severity::Critical))
    );
    let unknown = with(350, Comparator::Greater);
    assert!(
        unknown.iter().any(
            |finding| finding.rule == "founding/glucose" && matches!(finding.what, What::NotEvaluated(_))
        )
    );
}

/// Several packs speak of the same thing: one topic.
#[test]
fn packs_that_speak_of_the_same_share_a_topic() {
    let found = found(&adult(), vec![measured("heart_rate", "0")]);
    let topics: std::collections::BTreeSet<&str> = found
        .iter()
        .filter(|finding| finding.rule.ends_with("/heart-rate"))
        .map(|finding| finding.topic.as_str())
        .collect();
    assert_eq!(topics.into_iter().collect::<Vec<_>>(), ["heart-rate"]);
    assert!(raised(&found, "sensor/heart-rate").is_some_and(|alert| alert.message.starts_with("check patient and sensor now") && alert.immediate));
}
