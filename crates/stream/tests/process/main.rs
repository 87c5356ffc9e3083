//! Processing on real files: exactly once, dead letters, late events, restarts, Observations, merges.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod away;
mod broken;
mod cluster;
mod counting;
mod dead;
mod decision;
mod documents;
mod house;
mod kafka;
mod kinds;
mod known;
mod rulebook;
mod store;
mod written;

use bytes::Bytes;
use gate::Matter;
use house::{House, vitals};
use stream::StreamError;

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_patient_has_a_place_behind_those_before() {
    let house = House::new().await;
    house.platform.start().unwrap();
    let mut before = 0;
    for (round, n) in [5, 1, 3].into_iter().enumerate() {
        let event = |n| vitals(&format!("e{round}-{n}"), &format!("Patient/{n}"), 0, r#"{"heart_rate":72}"#);
        house.publish(&(0..n).map(event).collect::<Vec<_>>()).await;
        house.settle().await;
        let newest = house.count("SELECT max(changed) FROM patient_state").await;
        assert_eq!(newest, before + n, "each has a place of its own");
        assert_eq!(house.count("SELECT count(DISTINCT changed) FROM patient_state").await, 5);
        before = newest;
    }
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_acknowledged_once_and_processed_once() {
    let mut house = House::new().await;
    let events: Vec<String> = (0..20)
        .map(|n| vitals(&format!("e{n}"), &format!("Patient/{}", n % 4), n, r#"{"heart_rate":72}"#))
        .collect();
    let receipt = house.publish(&events).await;
    assert_eq!((receipt.accepted, receipt.duplicates, receipt.rejected.len()), (20, Some(0), 0));
    let again = house.publish(&events[..5]).await;
    assert_eq!((again.accepted, again.duplicates), (0, Some(5)));
    house.platform.start().unwrap();
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 20);
    assert_eq!(house.count("SELECT count(*) FROM patient_state").await, 4);
    house.reopen().await;
    let again = house.publish(&events).await;
    assert_eq!((again.accepted, again.duplicates), (0, Some(20)), "duplicates are known after a restart");
    house.platform.start().unwrap();
    house.settle().await;
    assert_eq!(house.count("SELECT sum(next) FROM position").await, 20);
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 20);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_of_a_patient_is_one_read() {
    let house = House::new().await;
    house.platform.start().unwrap();
    let first = vitals("a", "Patient/1", 0, r#"{"heart_rate":72,"spo2":97,"temp_f":101.3}"#);
    house.publish(&[first, vitals("b", "Patient/1", 60, r#"{"heart_rate":80}"#)]).await;
    house.settle().await;
    let permit = house.permit(Matter::Alerts).await;
    let board = house.platform.latest(&permit, "Patient/1").await.unwrap().unwrap();
    assert_eq!(board.values["heart_rate"].value, "80");
    assert_eq!((board.values["spo2"].value.as_str(), board.unit.as_deref()), ("97", Some("7A")));
    let ward = house.platform.ward(&permit, Some("7A")).await.unwrap();
    assert_eq!((ward.len(), ward[0].patient.as_str()), (1, "Patient/1"));
    let start = fhir::Instant::parse(house::NOW).unwrap();
    let series = house.platform.series(&permit, "Patient/1", start, 10).await.unwrap();
    assert_eq!(series.iter().map(|one| one.event.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let open = house.permit(Matter::OpenDeadLetter).await;
    let event = house.platform.event(&open, &series[0].position).await.unwrap().unwrap();
    assert_eq!(event.id, "a", "a value leads to its event");
    assert!(matches!(house.platform.latest(&open, "Patient/1").await, Err(StreamError::Invalid(_))));
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_tells_the_sender_to_come_again() {
    let house = House::with(|settings| settings.queue_events_max = 2).await;
    let permit = house.permit(Matter::PublishEvents).await;
    let events = |n: usize| -> Vec<Bytes> {
        (0..n).map(|n| vitals(&format!("q{n}"), "Patient/1", 0, r#"{"heart_rate":72}"#).into()).collect()
    };
    let refused = house.platform.publish(&permit, events(3)).await;
    assert!(matches!(refused, Err(StreamError::Busy { retry_after_secs: 1 })), "{refused:?}");
    assert_eq!(house.platform.publish(&permit, events(2)).await.unwrap().accepted, 2);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_are_evaluated_up_to_a_bound_and_then_only_kept() {
    let house = House::new().await;
    house.platform.start().unwrap();
    let hour = 3_600;
    house
        .publish(&[
            vitals("now", "Patient/1", 0, r#"{"heart_rate":72}"#),
            vitals("late", "Patient/1", -hour, r#"{"heart_rate":72}"#),
            vitals("year", "Patient/1", -365 * 24 * hour, r#"{"heart_rate":72}"#),
        ])
        .await;
    house.settle().await;
    for (sql, expected) in [
        ("SELECT count(*) FROM measured WHERE lateness = 'on_time'", 1),
        ("SELECT count(*) FROM measured WHERE lateness = 'late'", 1),
        ("SELECT count(*) FROM measured WHERE lateness = 'too_late'", 1),
    ] {
        assert_eq!(house.count(sql).await, expected, "{sql}");
    }
    // They are counted just behind the commit.
    let wanted = ["salus_stream_events_late_total 1", "salus_stream_events_too_late_total 1"];
    let is_counted = || {
        let metrics = house.platform.metrics();
        wanted.iter().all(|line| metrics.lines().any(|l| l == *line))
    };
    for _ in 0..12_000 {
        if is_counted() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(is_counted(), "{}", house.platform.metrics());
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_stops_nothing() {
    let house = House::new().await;
    house.platform.start().unwrap();
    house.publish(&[vitals("a", "Patient/1", 0, r#"{"heart_rate":72}"#)]).await;
    house.settle().await;
    house.clock.advance_micros(-60_000_000);
    house.publish(&[vitals("b", "Patient/1", -30, r#"{"heart_rate":73}"#)]).await;
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 2);
    assert!(house.platform.is_ready());
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_a_day_behind_catches_up_in_order() {
    let house = House::new().await;
    for chunk in 0..10 {
        let events: Vec<String> = (0..100)
            .map(|n| chunk * 100 + n)
            .map(|n| vitals(&format!("d{n}"), &format!("Patient/{}", n % 7), n / 10, r#"{"heart_rate":72}"#))
            .collect();
        house.publish(&events).await;
    }
    house.clock.advance_micros(86_400_000_000);
    house.platform.start().unwrap();
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 1_000);
    assert_eq!(house.count("SELECT count(*) FROM measured WHERE lateness <> 'on_time'").await, 0);
    house.platform.stop().await;
}
