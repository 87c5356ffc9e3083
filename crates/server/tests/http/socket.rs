//! The socket in the data folder: for the folder's owner, who needs no token.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use crate::client::{self, Answer};
use crate::house::House;

fn ask(house: &House, method: &str, path: &str, body: &[u8]) -> Answer {
    let mut stream = UnixStream::connect(house.socket()).unwrap();
    let headers = [("Content-Type", "application/json"), ("X-Request-Id", "over-socket")];
    stream.write_all(&client::request(method, path, &headers, body)).unwrap();
    client::read(&mut stream)
}

#[test]
fn the_owner_of_the_folder_acts_without_a_token() {
    let house = House::new();
    let mode = std::fs::metadata(house.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let created = ask(&house, "POST", "/api/v1/tokens", br#"{"role":"analyst","name":"n","expires":"1h"}"#);
    assert_eq!(created.status, 201, "{}", created.text());
    assert!(created.text().contains("\"token\":\"salus_"), "{}", created.text());
    assert_eq!(ask(&house, "PUT", "/fhir/Patient/1", br#"{"resourceType":"Patient","id":"1"}"#).status, 201);
    assert_eq!(ask(&house, "POST", "/api/v1/check", b"").status, 200);
    assert_eq!(ask(&house, "POST", "/api/v1/rebuild/index", b"").text(), "{\"resources\":1}");
    let (lines, _) = house.audit(0);
    for action in ["token-create done", "check done", "rebuild done"] {
        assert!(lines.iter().any(|line| line.starts_with(action)), "{action} in {lines:?}");
    }
    let (changes, _) = house.changes(0);
    assert_eq!(changes.len(), 1);
}

#[test]
fn a_token_counts_more_than_the_socket() {
    let house = House::new();
    let mut stream = UnixStream::connect(house.socket()).unwrap();
    let headers = [("Authorization", "Bearer wrong")];
    stream.write_all(&client::request("GET", "/api/v1/tokens", &headers, b"")).unwrap();
    assert_eq!(client::read(&mut stream).status, 401);
}
