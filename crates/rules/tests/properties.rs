//! What holds for any events: a repeat changes nothing, a restart changes nothing, ticks change nothing, severity never hides.

mod common;

use common::{SECOND, START, adult, event, measured};
use event::{Data, Event, Status};
use fhir::Instant;
use proptest::prelude::*;
use rules::{Finding, PatientState, RuleSet, Subject, What};

/// Values about the limits of the shipped rules, so that alerts come and go.
fn vitals() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        (0i32..200).prop_map(|n| ("heart_rate", n.to_string())),
        (118i32..145).prop_map(|n| ("heart_rate", n.to_string())),
        (0i32..45).prop_map(|n| ("respiratory_rate", n.to_string())),
        (78i32..=100).prop_map(|n| ("spo2", n.to_string())),
        (60i32..230).prop_map(|n| ("systolic", n.to_string())),
        (310i64..420).prop_map(|n| ("temperature", format!("{}.{}", n / 10, n % 10))),
        prop_oneof![Just("A"), Just("V"), Just("U")].prop_map(|word| ("consciousness", word.to_owned())),
        prop_oneof![Just("air"), Just("oxygen")].prop_map(|word| ("breathing", word.to_owned())),
        (15i64..80).prop_map(|n| ("potassium", format!("{}.{}", n / 10, n % 10))),
        (5i64..50).prop_map(|n| ("creatinine", format!("{}.{}", n / 10, n % 10))),
        (50i64..120).prop_map(|n| ("haemoglobin", format!("{}.{}", n / 10, n % 10))),
    ]
}

/// Steps of time, values, and whether a result is named (so that some are corrections).
fn histories() -> impl Strategy<Value = Vec<Event>> {
    let step = (
        0i64..900,
        proptest::collection::vec(vitals(), 1..4),
        proptest::option::of(0u8..3),
        -40i64..1,
        0u8..12,
    );
    proptest::collection::vec(step, 1..40).prop_map(|steps| {
        let mut now = START;
        let made = steps.into_iter().enumerate().map(|(number, (wait, values, result, late, odd))| {
            now += wait * SECOND;
            let mut measurements: Vec<_> = values.iter().map(|(name, value)| measured(name, value)).collect();
            for measurement in &mut measurements {
                measurement.result = result.map(|result| format!("r{result}"));
                measurement.status = match odd {
                    0 => Status::Corrected,
                    1 => Status::EnteredInError,
                    _ => Status::Final,
                };
                if odd == 2 {
                    measurement.flags.push("artefact".to_owned());
                }
            }
            let at = if odd == 3 { now + late * 20 * SECOND } else { now };
            event(&format!("e{number}"), at, measurements)
        });
        made.collect()
    })
}

fn run(
    set: &RuleSet,
    subject: &Subject,
    events: &[Event],
    each: &mut dyn FnMut(&mut PatientState),
) -> (Vec<Finding>, PatientState) {
    let (mut state, mut found) = (PatientState::default(), Vec::new());
    for event in events {
        found.extend(set.on_event(&mut state, subject, event));
        each(&mut state);
    }
    (found, state)
}

/// Every raise is of an alert that is not over, every end of one that was raised.
fn check_story(found: Vec<Finding>) {
    let mut open: Vec<(String, String)> = Vec::new();
    let mut over: Vec<(String, String)> = Vec::new();
    for finding in found {
        let key = (finding.rule.clone(), finding.opening.clone());
        match finding.what {
            What::Raise(_) => {
                assert!(!over.contains(&key), "raised after its end: {finding:?} {key:?}");
                assert!(!finding.opening.is_empty());
                if !open.contains(&key) {
                    assert!(!open.iter().any(|(rule, _)| *rule == key.0), "two open: {finding:?}");
                    open.push(key);
                }
            }
            What::Clear if finding.opening.is_empty() => {}
            What::Clear | What::Retract => {
                assert!(open.contains(&key), "ended and not open: {finding:?} {key:?}");
                open.retain(|other| *other != key);
                over.push(key);
            }
            What::NotEvaluated(_) => {}
        }
    }
}

/// Two corrections one after the other: what waits got a name of its own with the first, and keeps it with the second.
#[test]
fn what_waits_keeps_its_name_through_corrections() {
    let steps = [
        (0, "131", Some("r1"), false),
        (20, "0", Some("r0"), true),
        (60, "41", None, false),
        (660, "131", Some("r0"), false),
        (660, "132", Some("r1"), false),
    ];
    let events = steps.into_iter().enumerate().map(|(number, (secs, value, result, is_artefact))| {
        let mut measurement = measured("heart_rate", value);
        measurement.result = result.map(str::to_owned);
        measurement.flags.extend(is_artefact.then(|| "artefact".to_owned()));
        event(&format!("e{number}"), START + secs * SECOND, vec![measurement])
    });
    let (set, subject) = (RuleSet::shipped(), adult());
    let (mut found, mut state) = run(&set, &subject, &events.collect::<Vec<_>>(), &mut |_| {});
    found.extend(set.on_time(&mut state, &subject, Instant(START + 86_400 * SECOND)));
    let raised = |finding: &&Finding| {
        finding.rule == "adult-ward/heart-rate" && matches!(finding.what, What::Raise(_))
    };
    assert!(found.iter().filter(raised).count() >= 3, "{found:?}");
    check_story(found);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_same_event_again_changes_nothing(events in histories()) {
        let (set, subject) = (RuleSet::shipped(), adult());
        let mut state = PatientState::default();
        for event in &events {
            set.on_event(&mut state, &subject, event);
            let before = state.clone();
            prop_assert!(set.on_event(&mut state, &subject, event).is_empty());
            prop_assert!(state == before);
        }
    }

    #[test]
    fn a_restart_after_each_event_changes_nothing(events in histories()) {
        let (set, subject) = (RuleSet::shipped(), adult());
        let (straight, end) = run(&set, &subject, &events, &mut |_| {});
        let mut restart = |state: &mut PatientState| *state = PatientState::of_bytes(&state.to_bytes()).expect("it was written here");
        let (restarted, again) = run(&set, &subject, &events, &mut restart);
        prop_assert!(straight == restarted);
        prop_assert!(end == again);
    }

    #[test]
    fn ticks_change_nothing(events in histories()) {
        let (set, subject) = (RuleSet::shipped(), adult());
        let (mut state, mut ticked) = (PatientState::default(), Vec::new());
        let mut now = START;
        for event in &events {
            // What is due is said by ticks, as early as it can be.
            while let Some(due) = set.next_time(&state).filter(|due| due.0 <= event.at.0) {
                let found = set.on_time(&mut state, &subject, due);
                now = now.max(due.0);
                prop_assert!(set.next_time(&state).is_none_or(|next| next > due), "a tick settles what was due");
                ticked.extend(found);
            }
            ticked.extend(set.on_event(&mut state, &subject, event));
        }
        let (straight, end) = run(&set, &subject, &events, &mut |_| {});
        prop_assert!(straight == ticked, "{straight:?}\n{ticked:?}");
        prop_assert!(end.to_bytes() == state.to_bytes());
    }

    #[test]
    fn findings_tell_a_story(events in histories()) {
        let (set, subject) = (RuleSet::shipped(), adult());
        let (mut found, mut state) = run(&set, &subject, &events, &mut |_| {});
        found.extend(set.on_time(&mut state, &subject, Instant(START + 30 * 86_400 * SECOND)));
        check_story(found);
    }

    /// A value in the arrest range is said in the findings of its own event, whatever was before.
    #[test]
    fn the_arrest_range_is_never_delayed(events in histories(), value in prop_oneof![Just(0), 141i32..340, 1..30]) {
        let (set, subject) = (RuleSet::shipped(), adult());
        let (_, mut state) = run(&set, &subject, &events, &mut |_| {});
        let newest = events.iter().map(|event| event.at.0).max().unwrap_or(START) + 3 * 86_400 * SECOND;
        set.on_event(&mut state, &subject, &event("calm", newest, vec![measured("heart_rate", "80")]));
        set.on_time(&mut state, &subject, Instant(newest + 3_600 * SECOND));
        let last = event("last", newest + 3_601 * SECOND, vec![measured("heart_rate", &value.to_string())]);
        let found = set.on_event(&mut state, &subject, &last);
        prop_assert!(found.iter().any(|finding| finding.what == What::Raise(rules::Severity::Critical) && finding.topic == "heart-rate" && finding.immediate));
    }

    /// Events of different measures lead to the same open alerts in any order.
    #[test]
    fn different_measures_in_any_order(values in proptest::sample::subsequence(vec![("heart_rate", "135"), ("spo2", "85"), ("systolic", "85"), ("temperature", "41.2"), ("potassium", "7.1")], 1..5), turn in any::<proptest::sample::Index>()) {
        let (set, subject) = (RuleSet::shipped(), adult());
        let mut events: Vec<Event> = values.iter().enumerate()
            .map(|(number, (name, value))| event(&format!("e{number}"), START + number as i64 * SECOND, vec![measured(name, value)])).collect();
        let open = |events: &[Event]| {
            let (mut found, mut state) = run(&set, &subject, events, &mut |_| {});
            found.extend(set.on_time(&mut state, &subject, Instant(START + 600 * SECOND)));
            let mut rules: Vec<(String, rules::Severity)> = rules::told(&found).into_iter().filter(|told| told.over_at.is_none()).map(|told| (told.rule, told.severity)).collect();
            rules.sort();
            rules
        };
        let before = open(&events);
        let at = turn.index(events.len());
        events.rotate_left(at);
        prop_assert_eq!(before, open(&events));
    }
}

#[test]
fn a_restart_in_the_middle_of_a_for() {
    let (set, subject) = (RuleSet::shipped(), adult());
    let mut state = PatientState::default();
    let rule = |found: &[Finding]| {
        found.iter().filter(|f| f.rule == "adult-ward/heart-rate").map(|f| f.what.clone()).collect::<Vec<_>>()
    };
    let first = set.on_event(&mut state, &subject, &event("e1", START, vec![measured("heart_rate", "132")]));
    assert_eq!(rule(&first), []);
    assert_eq!(set.next_time(&state), Some(Instant(START + 60 * SECOND)));
    let mut state = PatientState::of_bytes(&state.to_bytes()).unwrap();
    assert_eq!(rule(&set.on_time(&mut state, &subject, Instant(START + 59 * SECOND))), []);
    let found = set.on_time(&mut state, &subject, Instant(START + 3_600 * SECOND));
    let raised = found.iter().find(|finding| finding.rule == "adult-ward/heart-rate").unwrap();
    assert_eq!(raised.what, What::Raise(rules::Severity::High));
    // As old as it became true, not as late as it was asked.
    assert_eq!((raised.at, raised.opening.as_str()), (Instant(START + 60 * SECOND), "e1"));
}

#[test]
fn rules_are_changed_without_losing_state() {
    let text = |limit: i32, version: &str| {
        format!(
            "pack: own\nversion: {version}\nabout: x\nrules:\n  - name: own/rate\n    source: x\n    measure: heart_rate\n    unit: /min\n    limits:\n      - {{above: {limit}, severity: low, for: 60s, clear: {{at_most: 80, for: 60s}}}}\n"
        )
    };
    let load = |limit, version| {
        let file = rules::RuleFile { path: "own.yaml".to_owned(), text: text(limit, version) };
        rules::load_with_shipped(&[file]).unwrap()
    };
    let subject = adult();
    let mut state = PatientState::default();
    load(90, "1.0.0").on_event(&mut state, &subject, &event("e1", START, vec![measured("heart_rate", "95")]));
    let found = load(92, "1.1.0").on_time(&mut state, &subject, Instant(START + 60 * SECOND));
    let own: Vec<_> = found.iter().filter(|finding| finding.rule == "own/rate").collect();
    assert_eq!((own.len(), own[0].version.as_str(), own[0].opening.as_str()), (1, "1.1.0", "e1"));
}

#[test]
fn a_merge_retracts_and_judges_again() {
    let (set, subject) = (RuleSet::shipped(), adult());
    let (mut one, mut two) = (PatientState::default(), PatientState::default());
    let creatinine = |state: &mut PatientState, patient: &str, id: &str, at, value| {
        let mut event = event(id, at, vec![measured("creatinine", value)]);
        event.patient = Some(patient.to_owned());
        set.on_event(state, &subject, &event)
    };
    creatinine(&mut one, "Patient/1", "a", START, "1.0");
    creatinine(&mut two, "Patient/2", "b", START + 3_600 * SECOND, "2.1");
    let mut potassium = event("k", START, vec![measured("potassium", "7.0")]);
    potassium.patient = Some("Patient/1".to_owned());
    set.on_event(&mut one, &subject, &potassium);
    let mut movement = event("m", START + 7_200 * SECOND, Vec::new());
    movement.patient = Some("Patient/2".to_owned());
    let found = set.on_merge(&one, &mut two, &subject, &movement);
    let has = |rule: &str, subject: &str, what: &What| {
        found
            .iter()
            .any(|finding| finding.rule == rule && finding.subject == subject && finding.what == *what)
    };
    assert!(has("founding/potassium", "Patient/1", &What::Retract));
    assert!(has("founding/potassium", "Patient/2", &What::Raise(rules::Severity::Critical)));
    assert!(has("scores/aki", "Patient/2", &What::Raise(rules::Severity::High)));
}

#[test]
fn orders_and_other_data_have_no_effect_on_vitals() {
    let (set, subject) = (RuleSet::shipped(), adult());
    let mut state = PatientState::default();
    let mut note = event("n", START, Vec::new());
    note.data = Data::Json(fhir::Object::default());
    assert!(set.on_event(&mut state, &subject, &note).is_empty());
    note.patient = None;
    assert!(set.on_event(&mut state, &subject, &note).is_empty());
}
