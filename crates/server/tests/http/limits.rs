//! Slow and greedy callers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use server::{ServeError, ServerConfig, Services};

use crate::client;
use crate::house::House;

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let house = House::with(|config| config.limits.header_read_timeout_secs = 3);
    let mut stream = TcpStream::connect(house.address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: s").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let started = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(started.elapsed() < Duration::from_secs(60), "the connection was kept");
}

#[test]
fn a_head_that_cannot_be_read_is_answered() {
    let house = House::with(|_| ());
    let long = "a".repeat(70_000);
    let many = (0..200).fold(String::new(), |all, n| all + &format!("X-{n}: 1\r\n"));
    for (head, status) in [
        ("this is no HTTP\r\n\r\n".to_string(), 400),
        (format!("GET /healthz?{long} HTTP/1.1\r\nHost: s\r\n\r\n"), 414),
        (format!("GET /healthz HTTP/1.1\r\nHost: s\r\n{many}\r\n"), 431),
    ] {
        let mut stream = TcpStream::connect(house.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(client::read(&mut stream).status, status);
    }
}

#[test]
fn an_idle_connection_gives_its_place_back() {
    let house = House::with(|config| config.limits.header_read_timeout_secs = 3);
    let mut stream = TcpStream::connect(house.address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: s\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let started = Instant::now();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 200 OK"), "{all}");
    assert!(started.elapsed() < Duration::from_secs(60), "the idle connection was kept");
}

#[test]
fn a_body_that_does_not_come_is_a_408() {
    let house = House::with(|config| config.limits.body_read_timeout_secs = 3);
    let mut stream = TcpStream::connect(house.address).unwrap();
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: s\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Length: 100\r\n\r\n{{",
        house.token("service")
    );
    stream.write_all(head.as_bytes()).unwrap();
    let answer = client::read(&mut stream);
    assert_eq!(answer.status, 408);
    assert!(answer.text().contains("body-timeout"), "{}", answer.text());
}

#[test]
fn a_body_of_unknown_length_is_limited() {
    let house = House::with(|config| config.limits.body_bytes_max = 1_000);
    let mut stream = TcpStream::connect(house.address).unwrap();
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: s\r\nConnection: close\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        house.token("service")
    );
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..20 {
        let _ = stream.write_all(format!("64\r\n{}\r\n", " ".repeat(100)).as_bytes());
    }
    let _ = stream.write_all(b"0\r\n\r\n");
    assert_eq!(client::read(&mut stream).status, 413);
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let house = House::with(|config| config.limits.connections_max = 2);
    let idle: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(house.address).unwrap()).collect();
    // Both places are taken once the server has accepted them.
    std::thread::sleep(Duration::from_millis(200));
    let mut third = TcpStream::connect(house.address).unwrap();
    third.write_all(&client::request("GET", "/healthz", &[], b"")).unwrap();
    third.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(third.read(&mut [0; 16]).is_err(), "a third connection was answered");
    drop(idle);
    third.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    assert_eq!(client::read(&mut third).status, 200);
}

#[test]
fn a_public_address_without_tls_is_refused() {
    let house = House::new();
    for address in ["0.0.0.0:0", "[::]:0", "10.0.0.1:80", "[::ffff:10.0.0.1]:80"] {
        let config = ServerConfig::new(address.parse::<SocketAddr>().unwrap());
        let refused =
            house.runtime.block_on(server::bind(config, house.gate.clone(), Services::default())).err();
        let error = refused.unwrap_or_else(|| panic!("{address} was bound"));
        assert!(matches!(error, ServeError::PublicWithoutTls { .. }), "{error}");
        assert!(error.to_string().contains("set `tls: {cert: FILE, key: FILE}`"), "{error}");
    }
    let taken = ServerConfig::new(house.address);
    let error =
        house.runtime.block_on(server::bind(taken, house.gate.clone(), Services::default())).err().unwrap();
    assert!(matches!(error, ServeError::Address { .. }), "{error}");
}

#[test]
fn several_requests_share_a_connection() {
    let house = House::new();
    let mut stream = TcpStream::connect(house.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let one = "GET /healthz HTTP/1.1\r\nHost: s\r\n\r\n";
    let last = "GET /readyz HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{one}{one}{last}").as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 3, "{all}");
}
