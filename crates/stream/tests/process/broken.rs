//! What breaks inside: a rule that cannot be computed, a task that panics. It is told, others go on, and nothing hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fhir::{Clock, Instant};
use gate::Matter;
use rules::RuleFile;
use testkit::FixedClock;

use crate::house::{Ground, House, NOW, vitals};

const MEASURED: &str = "SELECT count(*) FROM measured";
const ALERTS: &str = "SELECT count(*) FROM alert WHERE topic = 'heart-rate'";

fn rule(name: &str, when: &str) -> String {
    format!(
        "  - name: own/{name}\n    source: x\n    topic: {name}\n    when: \"{when}\"\n    severity: low\n    clear: {{when: v.heart_rate < 0.0}}\n"
    )
}

fn events() -> Vec<String> {
    let rate = |n: i64| if n % 4 == 0 { 151 } else { 72 };
    (0..80)
        .map(|n| {
            let data = format!(r#"{{"heart_rate":{}}}"#, rate(n));
            vitals(&format!("b{n}"), &format!("Patient/{}", n % 8), n - 100, &data)
        })
        .collect()
}

/// Division by zero, an overflow, a place that no list has, and operations as deep as they may be: the reasons are shown with the patient, and the other rules
/// judge the same events.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_computed_is_said_and_stops_nobody() {
    let mut house = House::new().await;
    let rules = [
        rule("zero", "int(v.heart_rate) / 0 > 1"),
        rule("overflow", "mins.heart_rate + int(v.heart_rate) * 9223372036854775807 > 1"),
        rule("place", "history.heart_rate[63].value > 1.0"),
        rule("deep", &format!("v.heart_rate{} > 1.0", " + 1.0".repeat(190))),
    ];
    let text = format!("pack: own\nversion: 1.0.0\nabout: x\nrules:\n{}", rules.concat());
    house.use_rules(vec![RuleFile { path: "rules/broken.yaml".to_owned(), text }]).await;
    house.platform.start().unwrap();
    assert_eq!(house.publish(&events()).await.accepted, 80);
    house.settle().await;
    assert_eq!(house.count(MEASURED).await, 80);
    assert_eq!(house.count(ALERTS).await, 2, "the shipped rule judges all the same");
    assert_eq!(house.count("SELECT count(*) FROM alert WHERE topic = 'deep'").await, 8, "it ends");
    assert_eq!(house.count("SELECT count(*) FROM dead_letter").await, 0);
    let permit = house.permit(Matter::Alerts).await;
    for patient in 0..8 {
        let subject = format!("Patient/{patient}");
        let unjudged = house.platform.alerts().unjudged(&permit, &subject).await.unwrap();
        let ours: Vec<(&str, &str)> = unjudged
            .iter()
            .filter(|one| one.rule.starts_with("own/"))
            .map(|one| (one.rule.as_str(), one.reason.as_str()))
            .collect();
        let reason = "the expression cannot be computed of these values";
        assert_eq!(
            ours,
            [("own/overflow", reason), ("own/place", reason), ("own/zero", reason)],
            "{subject}"
        );
    }
    assert!(house.platform.is_ready());
    house.platform.stop().await;
}

/// A clock at which some tasks break: those of the runtime, and not the test's own.
#[derive(Clone)]
struct Fuse {
    clock: FixedClock,
    n_left: Arc<AtomicUsize>,
}

impl Clock for Fuse {
    fn now(&self) -> Instant {
        let is_worker = std::thread::current().name().is_some_and(|name| name.starts_with("tokio"));
        let burns = |n: usize| n.checked_sub(1);
        if is_worker && self.n_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, burns).is_ok() {
            panic!("the fuse of the test burns");
        }
        self.clock.now()
    }
}

/// Wherever the clock is looked at: in a batch, at a timer, beside them.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_is_told_and_begins_again() {
    let fuse = Fuse { clock: FixedClock::at(NOW), n_left: Arc::default() };
    let ground = Ground { clock: Some(Arc::new(fuse.clone())), ..Ground::default() };
    let house = House::on(ground, |settings| settings.batch_events_max = 10).await;
    house.publish(&events()).await;
    fuse.n_left.store(25, Ordering::Relaxed);
    house.platform.start().unwrap();
    let (mut was_unready, mut troubles) = (false, std::collections::BTreeMap::new());
    let permit = house.permit(Matter::Streams).await;
    for _ in 0..12_000 {
        was_unready |= !house.platform.is_ready();
        troubles.extend(house.platform.health(&permit).await.unwrap().troubles);
        if fuse.n_left.load(Ordering::Relaxed) == 0 && house.platform.is_ready() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(was_unready && house.platform.is_ready());
    assert!(troubles.iter().any(|(task, _)| task.starts_with("partition ")), "{troubles:?}");
    assert!(troubles.values().any(|why| why.contains("it broke, which is a bug")), "{troubles:?}");
    let restarts = house.platform.metrics();
    let restarts = restarts.lines().find(|line| line.starts_with("salus_stream_restarts_total")).unwrap();
    assert_ne!(restarts, "salus_stream_restarts_total 0");
    house.settle().await;
    assert_eq!(house.count(MEASURED).await, 80, "each event has its effects");
    assert_eq!(house.count("SELECT sum(next) FROM position").await, 80, "once");
    assert_eq!(house.count(ALERTS).await, 2);
    assert_eq!(house.count("SELECT count(*) FROM dead_letter").await, 0, "no event is at fault");
    // And what is published afterwards.
    house.publish(&[vitals("after", "Patient/1", 0, r#"{"heart_rate":151}"#)]).await;
    house.until(ALERTS, 3).await;
    house.platform.stop().await;
}
