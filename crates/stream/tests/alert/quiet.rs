//! Silences and inhibition: they survive a restart, they end, and they never touch critical or high.

use rules::{Severity, What};
use serde_json::json;
use stream::alert::{self, Refusal, SilenceRequest, State};

use crate::house::{House, finding, of, raise, words};

fn request(mins: u32) -> SilenceRequest {
    SilenceRequest {
        topic: Some("potassium".into()),
        mins,
        reason: "dialysis".into(),
        ..SilenceRequest::default()
    }
}

#[test]
fn a_silence_covers_what_comes_and_ends_after_a_restart() {
    let mut house = House::new();
    house.silence(request(60)).unwrap();
    house.reopen();
    assert_eq!(house.steps(raise("k", Severity::Medium)), "raised open medium, silenced silenced medium");
    assert_eq!(house.messages(), "");
    house.reopen();
    house.later(59);
    assert_eq!(house.due(), "");
    house.later(1);
    house.reopen();
    assert_eq!(house.due(), "unsilenced open medium");
    assert_eq!(house.messages(), "ward reminded");
}

#[test]
fn a_silence_covers_what_is_there_and_can_be_lifted() {
    let house = House::new();
    house.apply(raise("k", Severity::Medium));
    house.apply(of("sodium", "e2", raise("na", Severity::Medium)));
    let (id, done) = house.silence(request(60)).unwrap();
    assert_eq!(done, "silenced silenced medium");
    assert_eq!(house.messages(), "ward raised");
    assert_eq!(house.write(|conn, _, now| alert::silences(conn, "main", now)).len(), 1);
    let lift = |id: String| {
        house.write(move |conn, policy, now| alert::lift(conn, policy, "main", &id, "token:bob", now))
    };
    assert_eq!(words(&lift(id.clone()).unwrap()), "unsilenced open medium");
    assert_eq!(house.messages(), "ward reminded");
    assert_eq!(lift(id).unwrap_err(), Refusal::NoSilence);
    assert_eq!(house.write(|conn, _, now| alert::silences(conn, "main", now)).len(), 0);
}

#[test]
fn critical_and_high_are_never_silent() {
    for severity in [Severity::Critical, Severity::High] {
        let house = House::new();
        house.silence(request(60)).unwrap();
        house.apply(raise("k", severity));
        assert_eq!((house.alert().state, house.messages().as_str()), (State::Open, "ward raised"));
        let (_, done) = house.silence(request(60)).unwrap();
        assert_eq!(done, "");
    }
    // A silenced one that gets worse is told.
    let house = House::new();
    house.silence(request(60)).unwrap();
    house.apply(raise("k", Severity::Low));
    assert_eq!(house.steps(raise("k", Severity::Medium)), "worsened open medium, silenced silenced medium");
    assert_eq!(house.messages(), "");
    assert_eq!(house.steps(raise("k", Severity::High)), "worsened open high");
    assert_eq!(house.messages(), "ward worsened");
    // Arrest-range, whatever its severity.
    let house = House::new();
    house.silence(request(60)).unwrap();
    house.apply(rules::Finding { immediate: true, ..raise("k", Severity::Medium) });
    assert_eq!(house.alert().state, State::Open);
}

#[test]
fn a_silence_says_what_how_long_and_why() {
    let house = House::with(json!({"silence_max_mins": 120}));
    let refused = |request: SilenceRequest| house.silence(request).unwrap_err();
    assert_eq!(refused(request(121)), Refusal::TooLong { asked_mins: 121, max_mins: 120 });
    assert_eq!(refused(request(0)), Refusal::TooLong { asked_mins: 0, max_mins: 120 });
    assert_eq!(refused(SilenceRequest { reason: " ".into(), ..request(5) }), Refusal::ReasonMissing);
    assert_eq!(refused(SilenceRequest { topic: None, ..request(5) }), Refusal::SilenceOfEverything);
    assert_eq!(
        refused(SilenceRequest { topic: Some(String::new()), ..request(5) }),
        Refusal::SilenceOfEverything
    );
}

fn covered() -> House {
    House::with(json!({"inhibit": [{"while_topic": "no-signal", "topics": ["potassium"]}]}))
}

#[test]
fn a_covered_alert_tells_nobody_until_the_other_is_over() {
    let mut house = covered();
    house.apply(of("no-signal", "s1", raise("signal", Severity::Low)));
    house.messages();
    assert_eq!(house.steps(raise("k", Severity::Medium)), "raised open medium, inhibited open medium");
    assert_eq!(house.messages(), "");
    house.reopen();
    // It does not escalate while it is covered.
    house.later(100);
    assert_eq!(house.due(), "");
    let over = of("no-signal", "s1", finding("signal", What::Clear));
    assert_eq!(house.steps(over), "resolved resolved low, uninhibited open medium");
    assert_eq!(house.messages(), "ward raised");
    house.later(60);
    assert_eq!(house.due(), "escalated escalated medium");
}

#[test]
fn what_waits_is_covered_when_the_other_begins() {
    let house = covered();
    house.apply(raise("k", Severity::Medium));
    assert_eq!(
        house.steps(of("no-signal", "s1", raise("signal", Severity::Low))),
        "raised open low, inhibited open medium"
    );
    // Only the other's message is left.
    assert_eq!(house.messages(), "ward raised");
}

#[test]
fn critical_and_high_are_never_covered() {
    let house = covered();
    house.apply(of("no-signal", "s1", raise("signal", Severity::Low)));
    house.messages();
    assert_eq!(house.steps(raise("k", Severity::High)), "raised open high");
    assert_eq!(house.messages(), "ward raised");
    let house = covered();
    house.apply(raise("k", Severity::Medium));
    house.apply(of("no-signal", "s1", raise("signal", Severity::Low)));
    house.messages();
    assert_eq!(house.steps(raise("k", Severity::Critical)), "worsened open critical");
    assert_eq!(house.messages(), "ward worsened");
    // One that was there before what covers others.
    let house = covered();
    house.apply(raise("k", Severity::High));
    assert_eq!(house.steps(of("no-signal", "s1", raise("signal", Severity::Low))), "raised open low");
    assert_eq!(house.alerts().iter().filter(|alert| alert.inhibited_by.is_some()).count(), 0);
}
