//! A rule that is changed while its alert is open, waits or is quiet: what is remembered stays, what is changed holds.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod common;

use common::{SECOND, START, adult, event, measured};
use fhir::Instant;
use rules::{Finding, PatientState, RuleFile, RuleSet, Severity, What, load_with_shipped};

const MINUTE: i64 = 60 * SECOND;

/// One rule of the heart rate of one limit.
fn set(version: &str, above: u32, minutes: u32, severity: &str) -> RuleSet {
    let text = format!(
        "pack: own\nversion: {version}\nabout: x\nrules:\n  - name: own/rate\n    source: x\n    topic: own\n    measure: heart_rate\n    unit: /min\n    refractory: 30m\n    \
         limits:\n      - {{above: {above}, severity: {severity}, for: {minutes}m, clear: {{at_most: 90, for: 1m}}}}\n"
    );
    load_with_shipped(&[RuleFile { path: "own.yaml".to_owned(), text }]).unwrap()
}

struct Bed(PatientState);

impl Bed {
    fn value(&mut self, set: &RuleSet, minute: i64, rate: &str) -> Vec<Finding> {
        let at = START + minute * MINUTE;
        // As it is between two processes.
        self.0 = PatientState::of_bytes(&self.0.to_bytes()).unwrap();
        own(set.on_event(
            &mut self.0,
            &adult(),
            &event(&format!("m{minute}"), at, vec![measured("heart_rate", rate)]),
        ))
    }

    fn time(&mut self, set: &RuleSet, minute: i64) -> Vec<Finding> {
        self.0 = PatientState::of_bytes(&self.0.to_bytes()).unwrap();
        own(set.on_time(&mut self.0, &adult(), Instant(START + minute * MINUTE)))
    }
}

fn own(found: Vec<Finding>) -> Vec<Finding> {
    found.into_iter().filter(|finding| finding.rule == "own/rate").collect()
}

fn minute_of(finding: &Finding) -> i64 {
    (finding.at.0 - START) / MINUTE
}

#[test]
fn a_longer_and_a_shorter_time_hold_for_what_waits() {
    let (ten, five, thirty) =
        (set("1.0.0", 100, 10, "low"), set("1.1.0", 100, 5, "low"), set("1.2.0", 100, 30, "low"));
    let mut bed = Bed(PatientState::default());
    assert!(bed.value(&ten, 0, "105").is_empty());
    // Later than its new time: said as it was due.
    let said = bed.time(&five, 7);
    assert_eq!((said.len(), minute_of(&said[0]), said[0].version.as_str()), (1, 5, "1.1.0"));
    let mut bed = Bed(PatientState::default());
    assert!(bed.value(&ten, 0, "105").is_empty());
    assert!(bed.time(&thirty, 29).is_empty());
    assert_eq!(minute_of(&bed.time(&thirty, 31)[0]), 30);
}

#[test]
fn time_alone_does_not_raise_what_the_new_limit_does_not_meet() {
    let (before, after) = (set("1.0.0", 100, 10, "low"), set("1.1.0", 120, 10, "low"));
    let mut bed = Bed(PatientState::default());
    assert!(bed.value(&before, 0, "105").is_empty());
    assert!(bed.time(&after, 30).is_empty(), "105 is not above 120");
    assert_eq!(own_next(&after, &bed), None, "nothing of it waits any more");
    assert!(bed.value(&after, 31, "125").is_empty());
    assert_eq!(minute_of(&bed.time(&after, 60)[0]), 41);
}

fn own_next(set: &RuleSet, bed: &Bed) -> Option<Instant> {
    set.next_time(&bed.0).filter(|at| at.0 < START + 60 * MINUTE)
}

#[test]
fn an_open_alert_keeps_its_name_and_ends_by_the_new_rule() {
    let (before, after) = (set("1.0.0", 100, 0, "low"), set("1.1.0", 110, 0, "low"));
    let mut bed = Bed(PatientState::default());
    let raised = bed.value(&before, 0, "130");
    assert_eq!(raised[0].what, What::Raise(Severity::Low));
    let again = bed.value(&after, 5, "131");
    assert_eq!((again[0].opening.as_str(), again[0].version.as_str()), ("m0", "1.1.0"));
    assert!(bed.value(&after, 6, "89").is_empty());
    let over = bed.time(&after, 10);
    assert_eq!((&over[0].what, over[0].opening.as_str(), minute_of(&over[0])), (&What::Clear, "m0", 7));
    // The time in which the same is not said again began before the next version, and goes on.
    let next = set("1.2.0", 110, 0, "low");
    assert!(bed.value(&next, 20, "125").is_empty(), "quiet until minute 37");
    let said = bed.time(&next, 40);
    assert_eq!((said[0].what.clone(), minute_of(&said[0])), (What::Raise(Severity::Low), 37));
}

#[test]
fn a_rule_that_is_gone_forgets_nothing_and_says_nothing() {
    let (own_set, without) = (set("1.0.0", 100, 10, "low"), RuleSet::shipped());
    let mut bed = Bed(PatientState::default());
    assert!(bed.value(&own_set, 0, "105").is_empty());
    assert!(bed.time(&without, 60).is_empty());
    assert_eq!(minute_of(&bed.time(&own_set, 61)[0]), 10, "it is back, and what waited is due");
}
