//! Corrections reach everybody who was told; merged records; the burden of alarms; FHIR.

use rules::{Finding, Severity, What};
use serde_json::json;
use stream::alert::{self, Act, State};

use crate::house::{House, finding, of, raise, words};

#[test]
fn a_retraction_reaches_everybody_who_was_told_and_nobody_else() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    assert_eq!(house.messages(), "ward raised");
    house.later(5);
    house.due();
    assert_eq!(house.messages(), "ward escalated, first escalated");
    // The second step is put and not sent: it is taken back.
    house.later(5);
    house.due();
    assert_eq!(house.steps(finding("k", What::Retract)), "retracted retracted critical");
    assert_eq!(house.messages(), "ward retracted, first retracted");
    assert_eq!(house.steps(finding("k", What::Retract)), "");
    assert_eq!(house.steps(raise("k", Severity::Critical)), "");
}

#[test]
fn what_nobody_was_told_is_retracted_in_silence() {
    let house = House::new();
    house.apply(raise("k", Severity::Medium));
    house.apply(finding("k", What::Retract));
    assert_eq!(house.messages(), "");
    assert_eq!(house.alert().state, State::Retracted);
}

#[test]
fn an_alert_that_is_over_can_turn_out_to_have_never_been_true() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    house.messages();
    let id = house.alert().id;
    house.act(&id, Act::Resolve { reason: Some("treated".into()) }).unwrap();
    assert_eq!(house.steps(finding("k", What::Retract)), "retracted retracted high");
    assert_eq!(house.messages(), "ward retracted");
}

#[test]
fn when_one_of_two_reasons_was_wrong_the_told_hear_of_it_if_it_matters() {
    let house = House::new();
    house.apply(raise("founding", Severity::Critical));
    house.apply(raise("adult", Severity::High));
    house.messages();
    assert_eq!(house.steps(finding("founding", What::Retract)), "eased open high");
    assert_eq!(house.messages(), "ward corrected");
    assert_eq!(house.steps(finding("adult", What::Retract)), "retracted retracted high");
    assert_eq!(house.messages(), "ward retracted");
}

#[test]
fn what_is_left_of_an_alert_is_told_to_those_who_had_not_heard_of_it() {
    let house = House::new();
    house.apply(raise("adult", Severity::Medium));
    house.apply(raise("founding", Severity::Critical));
    // Neither message was sent: the critical one is taken back, the other is not lost.
    assert_eq!(house.steps(finding("founding", What::Retract)), "eased open medium");
    assert_eq!(house.messages(), "ward raised");
}

#[test]
fn a_retraction_that_is_not_delivered_goes_to_the_escalation() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    house.messages();
    house.apply(finding("k", What::Retract));
    house.give_up();
    assert_eq!(house.due(), "undelivered retracted high");
    assert_eq!(house.messages(), "first retracted");
}

#[test]
fn those_who_want_to_know_hear_that_it_is_over() {
    let house = House::new();
    let about = alert::About { unit: Some("icu".into()), ..alert::About::default() };
    let open = raise("k", Severity::High);
    house.write(move |conn, policy, now| alert::apply(conn, policy, "main", &open, &about, now));
    assert_eq!(house.messages(), "system raised");
    house.apply(finding("k", What::Clear));
    assert_eq!(house.messages(), "system resolved");
}

fn merge(house: &House) -> String {
    words(&house.write(|conn, policy, now| {
        alert::rekey(conn, policy, "main", ("Patient/p1", "Patient/p2"), "service:stream", now)
    }))
}

fn elsewhere(finding: Finding) -> Finding {
    Finding { subject: "Patient/p2".into(), ..finding }
}

#[test]
fn a_merge_moves_alerts_and_a_replay_finds_them() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    house.messages();
    let id = house.alert().id;
    assert_eq!(merge(&house), "rekeyed open high");
    assert_eq!(house.messages(), "ward corrected");
    let alert = house.alert();
    assert_eq!((alert.id, alert.subject.as_str()), (id, "Patient/p2"));
    // The events again, now with the patient as it is known: the same alert.
    assert_eq!(house.steps(elsewhere(raise("k", Severity::High))), "");
    assert_eq!(house.steps(elsewhere(finding("k", What::Clear))), "resolved resolved high");
    assert_eq!(merge(&house), "");
}

#[test]
fn a_merge_of_two_live_alerts_is_one_with_the_higher_severity() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    let there = of("potassium", "e7", elsewhere(raise("k", Severity::Medium)));
    house.apply(there.clone());
    house.messages();
    assert_eq!(merge(&house), "rekeyed resolved critical, worsened open critical");
    let live: Vec<_> = house.alerts().into_iter().filter(|alert| alert.state.is_live()).collect();
    assert_eq!(live.len(), 1);
    assert_eq!((live[0].opening.as_str(), live[0].subject.as_str()), ("e7", "Patient/p2"));
    assert_eq!(house.steps(elsewhere(finding("k", What::Clear))), "eased open medium");
    assert_eq!(house.steps(Finding { what: What::Clear, ..there }), "resolved resolved medium");
}

#[test]
fn the_burden_is_counted() {
    let house = House::with(json!({"beds": {"ward-3": 10, "icu": 5}}));
    let start = fhir::Clock::now(&house.clock);
    for n in 0..10 {
        house.apply(Finding { subject: format!("Patient/{n}"), ..raise("k", Severity::Medium) });
    }
    house.apply(Finding { subject: "population:flu@x".into(), ..raise("c1", Severity::High) });
    let ids: Vec<String> = house.alerts().into_iter().filter(|a| !a.is_population()).map(|a| a.id).collect();
    for (mins, id) in [(2, &ids[0]), (2, &ids[1]), (6, &ids[2])] {
        house.later(mins);
        house.act(id, Act::Acknowledge { note: None }).unwrap();
    }
    house.act(&ids[3], Act::Override { reason: "artefact".into() }).unwrap();
    let burden = |unit: Option<&'static str>| {
        house.write(move |conn, policy, now| {
            alert::burden(
                conn,
                policy,
                "main",
                unit,
                (start, fhir::Instant(now.0.max(start.0 + 86_400_000_000))),
            )
        })
    };
    let all = burden(None);
    assert_eq!((all.alerts, all.acknowledged, all.overridden, all.retracted), (10, 4, 1, 0));
    assert_eq!((all.share_acknowledged(), all.share_overridden()), (Some(0.4), Some(0.1)));
    // After 2, 4 and 10 minutes.
    assert_eq!(all.median_secs, Some(240.0));
    assert_eq!((all.bed_days, all.per_bed_day()), (Some(15.0), Some(10.0 / 15.0)));
    assert_eq!(burden(Some("ward-3")).per_bed_day(), Some(1.0));
    let nowhere = burden(Some("nowhere"));
    assert_eq!((nowhere.alerts, nowhere.share_acknowledged(), nowhere.per_bed_day()), (0, None, None));
}

#[test]
fn an_alert_is_a_flag_and_a_detected_issue() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    let flag = alert::resource::flag_of(&house.alert());
    assert_eq!(flag["status"], "active");
    assert_eq!(flag["subject"], json!({"reference": "Patient/p1"}));
    assert_eq!(flag["period"], json!({"start": "2026-03-01T11:59:00.000Z"}));
    house.apply(finding("k", What::Retract));
    assert_eq!(alert::resource::flag_of(&house.alert())["status"], "entered-in-error");
    let issue = alert::resource::detected_issue_of(&house.alert());
    assert_eq!((&issue["status"], &issue["severity"]), (&json!("entered-in-error"), &json!("high")));
    assert_eq!(issue["patient"], json!({"reference": "Patient/p1"}));
    let mut unknown = house.alert();
    unknown.subject = "http://hospital.example/mrn|42".into();
    let subject = &alert::resource::flag_of(&unknown)["subject"];
    assert_eq!(subject["identifier"], json!({"system": "http://hospital.example/mrn", "value": "42"}));
}

#[test]
fn nothing_of_a_patient_prints() {
    let house = House::new();
    let done = house.apply(raise("k", Severity::Critical));
    let printed = format!("{:?} {:?} {:?}", house.alert(), raise("k", Severity::Low), done);
    for word in ["Patient/p1", "potassium 6.8", "mmol"] {
        assert!(!printed.contains(word), "{printed}");
    }
}
