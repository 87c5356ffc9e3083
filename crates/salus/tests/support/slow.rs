//! A REST API that gives one row after another, as slowly as a test wants, so that a run lasts until the test has seen it.

#![allow(unreachable_pub, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// An API of so many rows `{"n": …}`, one a page.
pub struct SlowApi {
    pub url: String,
    pause_millis: Arc<AtomicU64>,
    n_pages: Arc<AtomicU64>,
}

impl SlowApi {
    pub fn start(n_rows: u64) -> SlowApi {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/rows", listener.local_addr().unwrap());
        let (pause_millis, n_pages) = (Arc::new(AtomicU64::new(200)), Arc::new(AtomicU64::new(0)));
        let api = SlowApi { url: url.clone(), pause_millis: pause_millis.clone(), n_pages: n_pages.clone() };
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (pause_millis, n_pages, url) = (pause_millis.clone(), n_pages.clone(), url.clone());
                std::thread::spawn(move || {
                    let pause = Duration::from_millis(pause_millis.load(Ordering::Relaxed));
                    answer(connection.unwrap(), &url, n_rows, pause);
                    n_pages.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        api
    }

    /// From now on it answers at once.
    pub fn hurry(&self) {
        self.pause_millis.store(0, Ordering::Relaxed);
    }

    /// Pages that were given so far.
    pub fn n_pages(&self) -> u64 {
        self.n_pages.load(Ordering::Relaxed)
    }
}

fn answer(mut connection: TcpStream, url: &str, n_rows: u64, pause: Duration) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
    let number = head.split(' ').nth(1).and_then(|target| target.rsplit_once("n=")).map_or("0", |(_, n)| n);
    let n: u64 = number.parse().unwrap_or(0);
    std::thread::sleep(pause);
    let next = if n + 1 < n_rows { format!("\"{url}?n={}\"", n + 1) } else { "null".to_owned() };
    let body = format!("{{\"rows\": [{{\"n\": {n}}}], \"next\": {next}}}");
    // A run that was stopped does not wait for its answer.
    let _ = write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
}
