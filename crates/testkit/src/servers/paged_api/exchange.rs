//! One HTTP/1.1 request and its answer on a connection that is closed afterwards. Knows nothing of rows.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 16 << 10;

/// The head of a request; a body is not read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) host: String,
    pub(super) token: Option<String>,
}

/// An answer with JSON in it.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

impl Request {
    pub(super) fn read(connection: &mut TcpStream) -> io::Result<Request> {
        connection.set_read_timeout(Some(TIMEOUT))?;
        connection.set_write_timeout(Some(TIMEOUT))?;
        let mut head = Vec::new();
        let mut part = [0; 4096];
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            let n_bytes = connection.read(&mut part)?;
            if n_bytes == 0 || head.len() > HEAD_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            head.extend(&part[..n_bytes]);
        }
        Request::parse(&String::from_utf8_lossy(&head)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(head: &str) -> Option<Request> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let headers: Vec<(&str, &str)> = lines.map_while(|line| line.split_once(':')).collect();
        let header = |wanted: &str| {
            headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let token =
            header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        Some(Request { method, target, host: header("host")?.to_owned(), token })
    }
}

impl Response {
    pub(super) fn ok(body: Value) -> Response {
        Response { status: 200, headers: Vec::new(), body }
    }

    pub(super) fn error(status: u16, why: &str) -> Response {
        Response { status, headers: Vec::new(), body: json!({ "error": why }) }
    }

    pub(super) fn busy(status: u16, retry_after_secs: u64) -> Response {
        Response::error(status, "ask again later").with("Retry-After", &retry_after_secs.to_string())
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Response {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Writes it and closes the connection; half of the body is missing when it is `cut`.
    pub(super) fn write(&self, connection: &mut TcpStream, cut: bool) -> io::Result<()> {
        let body = self.body.to_string();
        let mut head =
            format!("HTTP/1.1 {} {}\r\nContent-Type: application/json\r\n", self.status, reason(self.status));
        head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n", body.len()));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let sent = if cut { &body.as_bytes()[..body.len() / 2] } else { body.as_bytes() };
        connection.write_all(head.as_bytes())?;
        connection.write_all(b"\r\n")?;
        connection.write_all(sent)?;
        connection.shutdown(Shutdown::Write)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        _ => "Service Unavailable",
    }
}
