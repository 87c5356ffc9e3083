//! A whole server on a real Kafka whose broker is away for a minute under load.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "support/senders.rs"]
mod senders;
mod support;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use senders::{Acknowledged, Stop, load};
use support::{Client, Server, token};
use testkit::Kafka;

const AWAY: Duration = Duration::from_secs(60);

fn until(what: &str, secs: u64, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(secs), "not within {secs} s: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_broker_that_is_away_for_a_minute_loses_and_doubles_nothing() {
    let Some(broker) = Kafka::own() else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = format!(
        "data_dir: data\nstream: {{partitions: 4, kafka: {{brokers: [\"{}\"]}}}}\n",
        broker.bootstrap_servers()
    );
    std::fs::write(dir.path().join("salus.yaml"), config).unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let server = Server::start(dir.path(), &["serve", "--config", "salus.yaml", "--listen", "127.0.0.1:0"]);
    let mut client = Client::new(&server.url, Some(&secret));
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(Acknowledged::default()));
    let n = || acknowledged.lock().unwrap().ids.len();
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for lane in 0..4 {
            let (url, secret, acknowledged, stop) = (server.url.clone(), &secret, &acknowledged, &stop);
            scope.spawn(move || load(&url, secret, lane, acknowledged, stop));
        }
        until("events are acknowledged", 180, || n() > 60);
        broker.stop();
        // What was on its way when it went may still have been acknowledged.
        until("readiness says no", 180, || client.get("readyz").status == 503);
        std::thread::sleep(Duration::from_secs(2));
        let n_before = n();
        std::thread::sleep(AWAY);
        assert_eq!(n(), n_before, "nothing is acknowledged that the broker does not have");
        broker.start_again();
        until("it is ready again", 180, || client.get("readyz").status == 200);
        until("events are acknowledged again", 180, || n() > n_before + 60);
    });
    until("everything is processed", 180, || {
        client.get("api/v1/streams").expect(200).text.contains(r#""lag":0,"#)
    });
    let conn =
        Connection::open_with_flags(dir.path().join("data/stream.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let conn = conn.unwrap();
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let mut rows = conn.prepare("SELECT event FROM measured").unwrap();
    let kept: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let distinct: BTreeSet<&String> = kept.iter().collect();
    assert_eq!(kept.len(), distinct.len(), "each has its effects once, however often it was sent");
    let ids = acknowledged.into_inner().unwrap().ids;
    let lost: Vec<&String> = ids.iter().filter(|id| !distinct.contains(id)).take(10).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(
        number("SELECT count(*) FROM alert WHERE topic = 'heart-rate'"),
        number("SELECT count(DISTINCT patient) FROM measured"),
        "one alert for each patient"
    );
    assert_eq!(number("SELECT count(*) FROM dead_letter"), 0);
}
