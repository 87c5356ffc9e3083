//! An HTTP gateway that remembers what it was sent and answers as it is told: for SMS, push and webhooks. Knows none of them.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// A gateway on a loopback port. It ends when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<Vec<GatewayRequest>>,
    answers: Mutex<VecDeque<GatewayAnswer>>,
    is_over: AtomicBool,
}

/// What a [`Gateway`] was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRequest {
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in small letters, values as they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl GatewayRequest {
    /// The value of a header; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }
}

/// What a [`Gateway`] answers once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayAnswer {
    /// The status; 0 closes the connection without an answer.
    pub status: u16,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// How long it waits before it answers.
    pub delay: Duration,
}

impl GatewayAnswer {
    /// A status and nothing more.
    pub fn status(status: u16) -> GatewayAnswer {
        GatewayAnswer { status, headers: Vec::new(), body: "{}".to_owned(), delay: Duration::ZERO }
    }
}

impl Gateway {
    /// A new one, which answers 200 with `{}` unless it is told otherwise.
    pub fn start() -> Gateway {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if served.is_over.load(Ordering::Relaxed) {
                    break;
                }
                let (Ok(connection), served) = (connection, Arc::clone(&served)) else { continue };
                // A client that goes away in the middle is the client's matter.
                thread::spawn(move || drop(serve(connection, &served)));
            }
        });
        Gateway { port, shared }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it answers next, after what it was told before.
    pub fn answer_next(&self, answer: GatewayAnswer) {
        lock(&self.shared.answers).push_back(answer);
    }

    /// What it was sent, in order.
    pub fn requests(&self) -> Vec<GatewayRequest> {
        lock(&self.shared.requests).clone()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut connection: TcpStream, shared: &Shared) -> io::Result<()> {
    connection.set_read_timeout(Some(TIMEOUT))?;
    let request = read(&mut connection)?;
    lock(&shared.requests).push(request);
    let answer = lock(&shared.answers).pop_front().unwrap_or_else(|| GatewayAnswer::status(200));
    thread::sleep(answer.delay);
    if answer.status == 0 {
        return connection.shutdown(Shutdown::Both);
    }
    let mut head = format!("HTTP/1.1 {} Said\r\nContent-Type: application/json\r\n", answer.status);
    head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n", answer.body.len()));
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{head}\r\n{}", answer.body).as_bytes())?;
    connection.shutdown(Shutdown::Write)
}

fn read(connection: &mut TcpStream) -> io::Result<GatewayRequest> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        if let Some(request) = parse(&bytes) {
            return Ok(request);
        }
        let n_bytes = connection.read(&mut part)?;
        if n_bytes == 0 || bytes.len() > REQUEST_BYTES_MAX {
            return Err(invalid());
        }
        bytes.extend(&part[..n_bytes]);
    }
}

/// The request, when it is complete.
fn parse(bytes: &[u8]) -> Option<GatewayRequest> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Some(0), |(_, value)| value.parse::<usize>().ok())?;
    let body = bytes.get(end + 4..end + 4 + length)?;
    Some(GatewayRequest { method, target, headers, body: String::from_utf8_lossy(body).into_owned() })
}
