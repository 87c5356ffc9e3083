//! Stopping: requests at hand are answered, new ones are not taken, the socket is gone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client;
use crate::house::House;

#[test]
fn a_request_at_hand_is_answered_when_the_server_stops() {
    let mut house = House::new();
    let body = br#"{"resourceType":"Patient","id":"1"}"#;
    let mut stream = TcpStream::connect(house.address).unwrap();
    let head = format!(
        "PUT /fhir/Patient/1 HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        house.token("service"),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server has the head and says that it waits for the body.
    let mut told = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, *b"HTTP/1.1 100 Continue\r\n\r\n");
    let running = house.stop();
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(body).unwrap();
    assert_eq!(client::read(&mut stream).status, 201);
    house.runtime.block_on(running).unwrap().unwrap();
    assert!(TcpStream::connect(house.address).is_err(), "the port is still open");
    assert!(!house.socket().exists());
}

#[test]
fn an_idle_connection_does_not_hold_the_server() {
    let mut house = House::with(|config| config.limits.header_read_timeout_secs = 3_600);
    let _idle = TcpStream::connect(house.address).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let running = house.stop();
    let ended =
        house.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), running).await });
    ended.expect("the server waits for an idle connection").unwrap().unwrap();
}
