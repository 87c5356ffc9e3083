//! From the opening to the end, by rules and by people.

use rules::{Finding, Severity, What};
use stream::alert::{self, Act, Refusal, State};

use crate::house::{House, finding, of, raise};

fn reason(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_same_finding_makes_one_alert_with_a_name_that_can_be_computed() {
    let house = House::new();
    assert_eq!(house.steps(raise("k", Severity::Critical)), "raised open critical");
    assert_eq!(house.steps(raise("k", Severity::Critical)), "");
    // A rule that was reloaded with another version, and a later event of the same episode.
    let later = Finding {
        version: "2".into(),
        event: Some("e2".into()),
        message: "potassium 6.9 mmol/L".into(),
        ..raise("k", Severity::Critical)
    };
    assert_eq!(house.steps(later), "");
    let alert = house.alert();
    assert_eq!(alert.id, alert::id_of("main", "k", "Patient/p1", "e1"));
    assert_eq!((alert.version.as_str(), alert.event.as_str()), ("2", "e2"));
    assert_eq!(alert.message, "potassium 6.9 mmol/L");
    assert_eq!(house.messages(), "ward raised");
}

#[test]
fn a_replay_after_the_end_makes_nothing_new() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    assert_eq!(house.steps(finding("k", What::Clear)), "resolved resolved high");
    assert_eq!(house.steps(raise("k", Severity::High)), "");
    assert_eq!(house.steps(finding("k", What::Clear)), "");
    // The next episode is another alert.
    assert_eq!(house.steps(of("potassium", "e9", raise("k", Severity::High))), "raised open high");
    assert_eq!(house.alerts().len(), 2);
}

#[test]
fn a_person_takes_it_and_ends_it() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    let id = house.alert().id;
    assert_eq!(house.act(&id, Act::Acknowledge { note: None }).unwrap(), "acknowledged acknowledged high");
    let alert = house.alert();
    assert_eq!((alert.owner.as_deref(), alert.acknowledged_at.is_some()), (Some("token:ada"), true));
    // The message that was not sent yet is not needed any more.
    assert_eq!(house.messages(), "");
    let again = house.act(&id, Act::Acknowledge { note: None }).unwrap_err();
    assert_eq!(again.to_string(), "the alert is acknowledged: somebody has it already");
    // Its condition holds: ending it needs a reason.
    assert_eq!(house.act(&id, Act::Resolve { reason: None }).unwrap_err(), Refusal::ReasonMissing);
    assert_eq!(house.act(&id, Act::Resolve { reason: reason(" ") }).unwrap_err(), Refusal::ReasonMissing);
    assert_eq!(
        house.act(&id, Act::Resolve { reason: reason("calcium given") }).unwrap(),
        "resolved resolved high"
    );
    for act in [
        Act::Acknowledge { note: None },
        Act::Resolve { reason: reason("x") },
        Act::Override { reason: "x".into() },
        Act::Snooze { mins: 5, reason: "x".into() },
        Act::Escalate { reason: None },
    ] {
        assert_eq!(
            house.act(&id, act).unwrap_err(),
            Refusal::State { state: State::Resolved, why: "it is over" }
        );
    }
    assert_eq!(
        house.act("nothing", Act::Escalate { reason: None }).unwrap_err(),
        Refusal::NoAlert("nothing".into())
    );
    let history = house.write(move |conn, _, _| {
        let alert = alert::get(conn, "main", &id)?.unwrap();
        alert::history(conn, &alert)
    });
    let trail: Vec<String> = history
        .iter()
        .map(|t| format!("{} {} {}", t.by, t.what.name(), t.reason.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(trail, ["rule:k raised -", "token:ada acknowledged -", "token:ada resolved calcium given"]);
}

#[test]
fn an_override_needs_a_reason_and_is_counted() {
    let house = House::new();
    house.apply(raise("k", Severity::Medium));
    let id = house.alert().id;
    assert_eq!(house.act(&id, Act::Override { reason: String::new() }).unwrap_err(), Refusal::ReasonMissing);
    assert!(matches!(
        house.act(&id, Act::Override { reason: "x".repeat(2000) }).unwrap_err(),
        Refusal::ReasonTooLong { max: 1000 }
    ));
    assert_eq!(
        house.act(&id, Act::Override { reason: "haemolysed".into() }).unwrap(),
        "overridden resolved medium"
    );
    assert!(house.alert().is_overridden);
}

#[test]
fn a_snooze_has_a_maximum_and_a_reason_and_cannot_be_made_longer() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    let id = house.alert().id;
    let snooze = |mins, why: &str| house.act(&id, Act::Snooze { mins, reason: why.into() });
    assert_eq!(snooze(16, "busy").unwrap_err(), Refusal::TooLong { asked_mins: 16, max_mins: 15 });
    assert_eq!(snooze(0, "busy").unwrap_err(), Refusal::TooLong { asked_mins: 0, max_mins: 15 });
    assert_eq!(snooze(15, "").unwrap_err(), Refusal::ReasonMissing);
    assert_eq!(snooze(15, "line is being placed").unwrap(), "snoozed snoozed critical");
    assert!(matches!(snooze(15, "busy").unwrap_err(), Refusal::State { state: State::Snoozed, .. }));
    house.messages();
    house.later(14);
    assert_eq!(house.due(), "");
    house.later(1);
    assert_eq!(house.due(), "woken open critical");
    assert_eq!(house.messages(), "ward reminded");
}

#[test]
fn what_was_looked_at_and_changed_meanwhile_is_looked_at_again() {
    let house = House::new();
    house.apply(raise("k", Severity::Medium));
    let (id, seq) = (house.alert().id, house.alert().seq);
    house.apply(raise("k", Severity::High));
    let refused = house.write(move |conn, policy, now| {
        let act = Act::Resolve { reason: Some("nothing".into()) };
        alert::act(conn, policy, ("main", &id), ("token:ada", &act), Some(seq), now)
    });
    assert!(matches!(refused, Err(Refusal::Changed { .. })));
    assert_eq!(house.alert().state, State::Open);
}

#[test]
fn what_gets_worse_is_told_again_whatever_was_done() {
    for act in [
        Act::Acknowledge { note: None },
        Act::Snooze { mins: 30, reason: "x".into() },
        Act::Resolve { reason: Some("x".into()) },
        Act::Override { reason: "x".into() },
    ] {
        let house = House::new();
        house.apply(raise("k", Severity::Medium));
        house.messages();
        let id = house.alert().id;
        house.act(&id, act.clone()).unwrap();
        assert_eq!(house.steps(raise("k", Severity::Medium)), "", "{act:?}");
        assert_eq!(house.steps(raise("k", Severity::Critical)), "worsened open critical", "{act:?}");
        assert_eq!(house.messages(), "ward worsened", "{act:?}");
        let alert = house.alert();
        assert_eq!((alert.id == id, alert.ended_at, alert.owner), (true, None, None));
        assert_eq!(alert.timer_at.unwrap().0 - alert.changed_at.0, 5 * 60_000_000);
    }
}

#[test]
fn arrest_range_is_worse_at_the_same_severity() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    let id = house.alert().id;
    house.act(&id, Act::Acknowledge { note: None }).unwrap();
    let arrest = Finding { immediate: true, ..raise("k", Severity::Critical) };
    assert_eq!(house.steps(arrest.clone()), "worsened open critical");
    assert_eq!(house.steps(arrest), "");
}

#[test]
fn what_a_rule_could_not_judge_is_kept_until_it_can() {
    let house = House::new();
    let unjudged = |house: &House| {
        let found = house.write(|conn, _, _| alert::unjudged(conn, "main", "Patient/p1"));
        found.iter().map(|one| format!("{}: {}", one.rule, one.reason)).collect::<Vec<_>>()
    };
    assert_eq!(house.steps(finding("news2", What::NotEvaluated("spo2 is missing".into()))), "");
    assert_eq!(unjudged(&house), ["news2: spo2 is missing"]);
    house.apply(raise("news2", Severity::Medium));
    assert_eq!(unjudged(&house), [] as [&str; 0]);
    assert_eq!(house.alerts().len(), 1);
}
