//! Rules that change while patients are watched: timers over a restart and over a new version, open alerts, versions that were used.

use gate::Matter;
use rules::RuleFile;
use stream::{Replay, StreamError};

use crate::house::{House, secs_of, vitals};

const MINUTE: i64 = 60_000_000;
/// When the alert of the rule under test says that it happened.
const ALERTS: &str = "SELECT count(*) FROM alert WHERE rule = 'own/rate'";
const AT: &str = "SELECT at FROM alert WHERE rule = 'own/rate'";
const OPENED: &str = "SELECT raised_at FROM alert WHERE rule = 'own/rate'";

fn own(version: &str, above: u32, minutes: u32) -> Vec<RuleFile> {
    let text = format!(
        "pack: own\nversion: {version}\nabout: x\nrules:\n  - name: own/rate\n    source: x\n    topic: own\n    measure: heart_rate\n    unit: /min\n    refractory: 30m\n    \
         limits:\n      - {{above: {above}, severity: medium, for: {minutes}m, clear: {{at_most: 90, for: 1m}}}}\n"
    );
    vec![RuleFile { path: "rules/own.yaml".to_owned(), text }]
}

fn rate(id: &str, secs: i64, rate: u32) -> String {
    vitals(id, "Patient/1", secs, &format!(r#"{{"heart_rate":{rate}}}"#))
}

async fn publish(house: &House, event: String) {
    assert_eq!(house.publish(&[event]).await.accepted, 1);
    house.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_hold_for_a_time_is_raised_at_that_second_after_a_restart() {
    let mut house = House::new().await;
    house.use_rules(own("1.0.0", 100, 10)).await;
    house.platform.start().unwrap();
    publish(&house, rate("a", 0, 105)).await;
    house.clock.advance_micros(5 * MINUTE);
    house.reopen().await;
    house.platform.start().unwrap();
    house.clock.advance_micros(5 * MINUTE - 1);
    house.pass_time().await;
    assert_eq!(house.count(ALERTS).await, 0, "a microsecond is missing");
    house.clock.advance_micros(1);
    house.until(ALERTS, 1).await;
    assert_eq!((secs_of(house.count(AT).await), secs_of(house.count(OPENED).await)), (600, 600));
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_due_while_nothing_ran_is_raised_as_of_then() {
    let mut house = House::new().await;
    house.use_rules(own("1.0.0", 100, 10)).await;
    house.platform.start().unwrap();
    publish(&house, rate("a", 0, 105)).await;
    house.platform.stop().await;
    house.clock.advance_micros(47 * MINUTE);
    house.reopen().await;
    house.platform.start().unwrap();
    house.until(ALERTS, 1).await;
    assert_eq!((secs_of(house.count(AT).await), secs_of(house.count(OPENED).await)), (600, 47 * 60));
    // A second restart makes no second alert.
    house.reopen().await;
    house.platform.start().unwrap();
    house.pass_time().await;
    assert_eq!(house.count(ALERTS).await, 1);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_has_its_own_times_and_limits_and_keeps_what_is_known() {
    let mut house = House::new().await;
    house.use_rules(own("1.0.0", 100, 10)).await;
    house.platform.start().unwrap();
    publish(&house, rate("a", 0, 105)).await;
    house.clock.advance_micros(4 * MINUTE);
    // A limit that the value does not meet: time alone raises nothing, however long.
    house.use_rules(own("1.1.0", 120, 3)).await;
    house.clock.advance_micros(20 * MINUTE);
    house.pass_time().await;
    assert_eq!(house.count(ALERTS).await, 0);
    // The new time holds from the value's own time, without another event.
    publish(&house, rate("b", 24 * 60, 125)).await;
    house.clock.advance_micros(2 * MINUTE);
    house.use_rules(own("1.2.0", 110, 1)).await;
    house.until(ALERTS, 1).await;
    assert_eq!(secs_of(house.count(AT).await), 25 * 60);
    let version = "SELECT count(*) FROM alert WHERE rule = 'own/rate' AND version = '1.2.0'";
    assert_eq!(house.count(version).await, 1);
    // It stays that alert under the next version, ends once by its clear limit, and is quiet for the time that began before the next one.
    house.use_rules(own("1.3.0", 115, 0)).await;
    publish(&house, rate("c", 26 * 60, 126)).await;
    house.use_rules(own("1.4.0", 116, 0)).await;
    publish(&house, rate("d", 26 * 60 + 1, 80)).await;
    house.clock.advance_micros(2 * MINUTE);
    house.until("SELECT count(*) FROM alert WHERE rule = 'own/rate' AND ended_at IS NOT NULL", 1).await;
    house.use_rules(own("1.5.0", 117, 0)).await;
    publish(&house, rate("e", 28 * 60, 120)).await;
    house.pass_time().await;
    assert_eq!(house.count(ALERTS).await, 1, "not worse than 126, and within half an hour");
    house.clock.advance_micros(40 * MINUTE);
    house.until(ALERTS, 2).await;
    house.platform.stop().await;
}

/// Two macros deep over all that is remembered, as often as there is room: dear, and it ends. The other rules judge the same events.
#[tokio::test(flavor = "multi_thread")]
async fn a_dear_expression_holds_up_nobody() {
    let mut house = House::new().await;
    let one = "history.heart_rate.all(x, history.heart_rate.all(y, x.value + y.value >= 0.0))";
    let text = format!(
        "pack: own\nversion: 1.0.0\nabout: x\nrules:\n  - name: own/dear\n    source: x\n    topic: dear\n    when: {}\n    severity: low\n    clear: {{when: v.heart_rate < 0.0}}\n",
        [one; 4].join(" && ")
    );
    house.use_rules(vec![RuleFile { path: "rules/dear.yaml".to_owned(), text }]).await;
    house.platform.start().unwrap();
    let events: Vec<String> = (0..200)
        .map(|n| vitals(&format!("d{n}"), &format!("Patient/{}", n % 4), n - 300, r#"{"heart_rate":151}"#))
        .collect();
    assert_eq!(house.publish(&events).await.accepted, 200);
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 200);
    for topic in ["dear", "heart-rate"] {
        let n = if topic == "dear" {
            house.count("SELECT count(*) FROM alert WHERE topic = 'dear'").await
        } else {
            house.count("SELECT count(*) FROM alert WHERE topic = 'heart-rate'").await
        };
        assert_eq!(n, 4, "{topic}");
    }
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_in_no_file_any_more_is_kept_and_replayed() {
    let mut house = House::new().await;
    house.use_rules(own("1.0.0", 100, 0)).await;
    house.platform.start().unwrap();
    publish(&house, rate("a", 0, 105)).await;
    house.use_rules(own("2.0.0", 130, 0)).await;
    house.reopen().await;
    house.platform.start().unwrap();
    let look = house.permit(Matter::Streams).await;
    let kept = house.platform.rule_versions(&look, "own/rate").await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.version.as_str()).collect::<Vec<_>>(), ["2.0.0", "1.0.0"]);
    let first = kept[1].file.clone().unwrap();
    assert!(first.text.contains("above: 100") && first.path == "rules/own.yaml", "{first:?}");

    let change = house.permit(Matter::ChangeRules).await;
    let since = fhir::Instant(0);
    for (asked, n_more) in [("own/rate@1.0.0", 1), ("own@1.0.0", 1), ("own/rate@2.0.0", 0)] {
        let rules = house.platform.rules_with(&change, Vec::new(), &[asked.to_owned()]).await.unwrap();
        let replay = Replay { rules, since, patient: None };
        let found = house.platform.replay(&change, &replay).await.unwrap();
        assert_eq!((found.difference.only_after.len(), found.n_events), (n_more, 1), "{asked}");
        assert!(found.difference.only_before.is_empty(), "{asked}: the shipped rules are in both");
    }
    for asked in ["own/rate@3.0.0", "own/other@1.0.0", "nothing@1.0.0"] {
        let error = house.platform.rules_with(&change, Vec::new(), &[asked.to_owned()]).await.unwrap_err();
        assert!(matches!(error, StreamError::NotFound(_)), "{error:?}");
    }
    // What was used under a version stays what the version is, also after a restart.
    let used = house.platform.used_rules().await.unwrap();
    let problems = rules::load_beside_shipped(&own("1.0.0", 101, 0), &used).unwrap_err();
    assert!(problems[0].message.contains("was in use as version `1.0.0`"), "{problems:?}");
    house.platform.stop().await;
}

/// The clock of the machine is set back by an hour, as when it was wrong: nothing is raised before its time, and nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn timers_wait_for_a_clock_that_was_set_back() {
    let mut house = House::new().await;
    house.use_rules(own("1.0.0", 100, 10)).await;
    house.platform.start().unwrap();
    publish(&house, rate("a", 0, 105)).await;
    // A critical value of another patient: its escalation has a timer of its own.
    publish(&house, vitals("c", "Patient/2", 0, r#"{"heart_rate":151}"#)).await;
    house.clock.advance_micros(-60 * MINUTE);
    let receipt = house.publish(&[rate("b", 60, 106)]).await;
    assert_eq!((receipt.accepted, receipt.rejected.len()), (0, 1), "it is an hour ahead of the clock now");
    publish(&house, rate("earlier", -3_600, 80)).await;
    let open = house.permit(Matter::OpenDeadLetter).await;
    let tail = house.platform.tail(&open, &[], 10).await.unwrap();
    let last = tail.iter().find(|one| one.event.as_ref().is_some_and(|event| event.id == "earlier")).unwrap();
    assert_eq!(secs_of(last.event.as_ref().unwrap().received_at.0), -3_600, "it came when the clock says");
    house.reopen().await;
    house.platform.start().unwrap();
    house.pass_time().await;
    let escalated = "SELECT count(*) FROM alert WHERE subject = 'Patient/2' AND topic = 'heart-rate' AND state = 'escalated'";
    assert_eq!((house.count(ALERTS).await, house.count(escalated).await), (0, 0));
    // An alert that is opened meanwhile is opened at the clock's time, and found by pages after it.
    publish(&house, vitals("d", "Patient/3", -3_600, r#"{"heart_rate":151}"#)).await;
    let opened = "SELECT raised_at FROM alert WHERE subject = 'Patient/3' AND topic = 'heart-rate'";
    assert_eq!(secs_of(house.count(opened).await), -3_600);
    house.clock.advance_micros(70 * MINUTE);
    house.until(ALERTS, 1).await;
    assert_eq!(secs_of(house.count(AT).await), 600);
    house.clock.advance_micros(6 * MINUTE);
    house.until(escalated, 1).await;
    house.platform.stop().await;
}
