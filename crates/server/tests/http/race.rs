//! Many callers at once.

use std::sync::Arc;
use std::thread;

use crate::client;
use crate::house::House;

/// Sends the same request from many threads at once.
fn at_once(house: &Arc<House>, n: usize, bytes: &Arc<Vec<u8>>) -> Vec<u16> {
    let threads: Vec<_> = (0..n)
        .map(|_| {
            let (house, bytes) = (Arc::clone(house), Arc::clone(bytes));
            thread::spawn(move || client::send(house.address, &bytes).status)
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn concurrent_conditional_creates_leave_one_resource() {
    let house = Arc::new(House::new());
    let token = format!("Bearer {}", house.token("service"));
    let body = br#"{"resourceType":"Patient","identifier":[{"system":"urn:s","value":"1"}]}"#;
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "application/fhir+json"),
        ("If-None-Exist", "identifier=urn:s|1"),
    ];
    let bytes = Arc::new(client::request("POST", "/fhir/Patient", &headers, body));
    let mut statuses = at_once(&house, 24, &bytes);
    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 201)), "{statuses:?}");
    let found = house.ask("service", "GET", "/fhir/Patient?identifier=urn:s%7C1&_total=accurate", "");
    assert!(found.text().contains("\"total\":1"), "{}", found.text());
}

#[test]
fn concurrent_updates_of_one_version_leave_one_winner() {
    let house = Arc::new(House::new());
    house.ask("service", "PUT", "/fhir/Patient/1", r#"{"resourceType":"Patient","id":"1"}"#);
    let token = format!("Bearer {}", house.token("service"));
    let body = br#"{"resourceType":"Patient","id":"1","active":true}"#;
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "application/fhir+json"),
        ("If-Match", "W/\"1\""),
    ];
    let bytes = Arc::new(client::request("PUT", "/fhir/Patient/1", &headers, body));
    let statuses = at_once(&house, 16, &bytes);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 412)), "{statuses:?}");
    let history = house.ask("service", "GET", "/fhir/Patient/1/_history", "");
    assert!(history.text().contains("\"total\":2"), "{}", history.text());
}
