//! What happens by itself: escalation, forgotten acknowledgements, messages that were not delivered; across restarts.

use rules::{Finding, Severity, What};
use stream::alert::{self, Act};

use crate::house::{House, finding, raise};

#[test]
fn nobody_answers_and_more_people_are_told_step_by_step() {
    let mut house = House::new();
    house.apply(raise("k", Severity::Critical));
    assert_eq!(house.messages(), "ward raised");
    house.later(4);
    assert_eq!(house.due(), "");
    house.later(1);
    // The process ends in the middle.
    house.reopen();
    assert_eq!(house.due(), "escalated escalated critical");
    assert_eq!(house.due(), "");
    assert_eq!(house.messages(), "ward escalated, first escalated");
    house.reopen();
    house.later(5);
    assert_eq!(house.due(), "escalated escalated critical");
    assert_eq!(house.messages(), "ward escalated, second escalated");
    let id = house.alert().id;
    assert_eq!(
        house.act(&id, Act::Acknowledge { note: None }).unwrap(),
        "acknowledged acknowledged critical"
    );
    house.later(10);
    assert_eq!(house.due(), "");
}

#[test]
fn the_last_step_is_repeated_for_critical_and_high_with_a_limit() {
    let repeats = |severity: Severity, step: i64| {
        let house = House::new();
        house.apply(raise("k", severity));
        let mut n = 0;
        for _ in 0..100 {
            house.later(step);
            n += house.due().matches("escalated escalated").count();
        }
        n
    };
    // Two steps, and twelve repeats of the second.
    assert_eq!(repeats(Severity::Critical, 5), 14);
    assert_eq!(repeats(Severity::High, 15), 14);
    assert_eq!(repeats(Severity::Medium, 60), 2);
    assert_eq!(repeats(Severity::Info, 600), 0);
}

#[test]
fn a_rule_may_ask_for_an_answer_sooner() {
    let house = House::new();
    house.apply(Finding { respond_within_mins: Some(2), ..raise("k", Severity::Medium) });
    assert_eq!(
        house.write(|conn, _, _| alert::next_due(conn)).unwrap().0,
        house.alert().raised_at.0 + 120_000_000
    );
    house.later(2);
    assert_eq!(house.due(), "escalated escalated medium");
}

#[test]
fn an_acknowledgement_that_is_forgotten_is_told_again() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    let id = house.alert().id;
    house.act(&id, Act::Acknowledge { note: None }).unwrap();
    house.messages();
    house.later(59);
    assert_eq!(house.due(), "");
    house.later(1);
    assert_eq!(house.due(), "forgotten open critical");
    assert_eq!(house.messages(), "ward reminded");
    house.later(5);
    assert_eq!(house.due(), "escalated escalated critical");
}

#[test]
fn what_is_over_has_no_timer() {
    let house = House::new();
    house.apply(raise("k", Severity::Critical));
    house.apply(finding("k", What::Clear));
    assert_eq!(house.write(|conn, _, _| alert::next_due(conn)), None);
    house.later(1000);
    assert_eq!(house.due(), "");
    assert_eq!(house.messages(), "");
}

#[test]
fn a_message_that_was_not_delivered_escalates_at_once_and_makes_no_loop() {
    let mut house = House::new();
    house.apply(raise("k", Severity::High));
    house.give_up();
    house.reopen();
    assert_eq!(house.write(|conn, _, _| alert::next_due(conn)).unwrap().0, 0);
    assert_eq!(house.due(), "undelivered open high, escalated escalated high");
    let alert = house.alert();
    let history = house.write(move |conn, _, _| alert::history(conn, &alert));
    assert_eq!(history[1].reason.as_deref(), Some("webhook to receiver `ward` was not delivered"));
    house.give_up();
    // Both messages of the first step failed: one more step, not two.
    assert_eq!(
        house.due(),
        "undelivered escalated high, escalated escalated high, undelivered escalated high"
    );
    house.give_up();
    assert_eq!(house.due(), "undelivered escalated high, undelivered escalated high");
    assert_eq!(house.due(), "");
    // The timer of the last step goes on.
    house.later(15);
    assert_eq!(house.due(), "escalated escalated high");
}

#[test]
fn a_message_that_fails_after_somebody_answered_is_recorded_only() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    house.give_up();
    let id = house.alert().id;
    house.act(&id, Act::Acknowledge { note: None }).unwrap();
    assert_eq!(house.due(), "undelivered acknowledged high");
}

#[test]
fn a_person_can_ask_for_more_help() {
    let house = House::new();
    house.apply(raise("k", Severity::High));
    house.messages();
    let id = house.alert().id;
    house.act(&id, Act::Acknowledge { note: None }).unwrap();
    assert_eq!(
        house.act(&id, Act::Escalate { reason: Some("need a hand".into()) }).unwrap(),
        "escalated escalated high"
    );
    assert_eq!(house.messages(), "ward escalated, first escalated");
}
