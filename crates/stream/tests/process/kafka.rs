//! The same processing with the log in Kafka: a real broker that goes away and comes back, a restart, events that are sent twice.

use std::time::Duration;

use stream::log::KafkaSettings;
use testkit::Kafka;

use crate::house::{Ground, House, vitals};

const MEASURED: &str = "SELECT count(*) FROM measured";
const ALERTS: &str = "SELECT count(*) FROM alert WHERE topic = 'heart-rate'";

fn events(from: i64, to: i64) -> Vec<String> {
    let rate = |n: i64| if n % 10 == 0 { 151 } else { 72 };
    (from..to)
        .map(|n| {
            vitals(
                &format!("e{n}"),
                &format!("Patient/{}", n % 10),
                n - 100,
                &format!(r#"{{"heart_rate":{}}}"#, rate(n)),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_are_once_also_when_events_come_twice_and_the_broker_goes_away() {
    let Some(broker) = Kafka::own() else { return };
    let kafka = Some(KafkaSettings::new(broker.bootstrap_servers(), 2));
    let ground = Ground { kafka, ..Ground::default() };
    let mut house = House::on(ground, |_| ()).await;
    house.platform.start().unwrap();
    let receipt = house.publish(&events(0, 20)).await;
    assert_eq!((receipt.accepted, receipt.duplicates), (20, None), "whether they are new shows later");
    house.until(MEASURED, 20).await;
    // Sent again, beside new ones: the log holds them twice, their effects are there once.
    house.publish(&events(0, 30)).await;
    house.until(MEASURED, 30).await;
    assert_eq!(house.count(ALERTS).await, 1);

    house.reopen().await;
    house.publish(&events(25, 40)).await;
    house.platform.start().unwrap();
    house.until(MEASURED, 40).await;

    broker.stop();
    let waiting = {
        let (platform, permit) = (house.platform.clone(), house.permit(gate::Matter::PublishEvents).await);
        let sent = events(40, 50).into_iter().map(Into::into).collect();
        tokio::spawn(async move { platform.publish(&permit, sent).await })
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished(), "nothing is acknowledged that the broker does not have");
    broker.start_again();
    assert_eq!(waiting.await.unwrap().unwrap().accepted, 10);
    house.until(MEASURED, 50).await;
    // An identifier with other content: found when it is processed, and set aside.
    house.publish(&[vitals("e1", "Patient/1", 0, r#"{"heart_rate":99}"#)]).await;
    house.until("SELECT count(*) FROM dead_letter", 1).await;
    assert_eq!((house.count(MEASURED).await, house.count(ALERTS).await), (50, 1));
    house.platform.stop().await;
}

/// Its events are of yesterday when they are processed, and were on time when they came.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_a_day_behind_catches_up_in_order() {
    let Some(broker) = Kafka::own() else { return };
    let kafka = Some(KafkaSettings::new(broker.bootstrap_servers(), 2));
    let house = House::on(Ground { kafka, ..Ground::default() }, |_| ()).await;
    house.publish(&events(0, 60)).await;
    // Seventy hours before the test is late, and within the bound; eighty is not.
    house.publish(&[vitals("late", "Patient/1", -70 * 3_600, r#"{"heart_rate":72}"#)]).await;
    house.publish(&[vitals("too-late", "Patient/1", -80 * 3_600, r#"{"heart_rate":72}"#)]).await;
    house.clock.advance_micros(86_400_000_000);
    house.platform.start().unwrap();
    house.until(MEASURED, 62).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM measured WHERE lateness = 'on_time'", 60),
        ("SELECT count(*) FROM measured WHERE lateness = 'late' AND event = 'late'", 1),
        ("SELECT count(*) FROM measured WHERE lateness = 'too_late' AND event = 'too-late'", 1),
    ] {
        assert_eq!(house.count(sql).await, expected, "{sql}");
    }
    assert_eq!(house.count(ALERTS).await, 1);
    house.platform.stop().await;
}
