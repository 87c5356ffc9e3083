//! A case: requests against a server of its own, and looks at the ledger and the change log.
//!
//! Steps are separated by blank lines. A request is a line `GET /path`, lines `Name: value`, and the body; the header `As` picks the
//! token of a role (`service` when there is none, `nobody` for no token). `audit` and `changes` show what was recorded since the last
//! look. A body `@name number` is made by [`made`].

use std::fmt::Write;

use crate::client::{self, Answer};
use crate::house::House;

/// Headers that a case sees.
const SEEN: [&str; 9] = [
    "etag",
    "location",
    "last-modified",
    "content-type",
    "allow",
    "www-authenticate",
    "retry-after",
    "set-cookie",
    "traceparent",
];

/// The answers to a script.
pub(crate) fn run(script: &str) -> String {
    let mut house = House::new();
    let mut masks = Masks::default();
    let (mut audit, mut changes) = (house.audit(0).1, 0);
    let mut out = String::new();
    for (number, step) in (1..).zip(script.split("\n\n")) {
        if number > 1 {
            out.push('\n');
        }
        match step.trim().split_once(' ').unwrap_or((step.trim(), "")) {
            ("audit", "") => {
                let (mut lines, last) = house.audit(audit);
                audit = last;
                // The reads of a batch run side by side: their records come in any order.
                lines.sort_by_cached_key(|line| request_of(line));
                push_lines(&mut out, lines);
            }
            ("changes", "") => {
                let (lines, last) = house.changes(changes);
                changes = last;
                push_lines(&mut out, lines);
            }
            ("token", words) => token(&mut house, words),
            ("wait", secs) => house.clock.advance_micros(secs.parse::<i64>().unwrap() * 1_000_000),
            _ => show(&mut out, &perform(&house, &mut masks, step, number)),
        }
    }
    // Whatever was sent, the server is still there.
    let alive = client::send(house.address, &client::request("GET", "/healthz", &[], b""));
    assert_eq!(alive.status, 200, "after\n{script}");
    masks.hide(&out, &house)
}

/// The request of a line of the ledger, and the line: what happened in one request is sorted.
fn request_of(line: &str) -> (u32, String) {
    let request = line.split(" in r").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    (request.unwrap_or(0), line.to_string())
}

fn push_lines(out: &mut String, lines: Vec<String>) {
    if lines.is_empty() {
        out.push_str("none\n");
    }
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
}

/// `token NAME ROLE SCOPES [PATIENT]`: a further token.
fn token(house: &mut House, words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    let role = gate::Role::parse(words[1]).unwrap();
    house.add_token(words[0], role, Some(&words[2].replace(',', " ")), words.get(3).copied());
}

fn perform(house: &House, masks: &mut Masks, step: &str, number: usize) -> Answer {
    let mut lines = step.trim().lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let mut headers: Vec<(String, String)> = vec![("X-Request-Id".into(), format!("r{number}"))];
    let (mut who, mut body) = ("service".to_string(), String::new());
    for line in lines {
        match line.split_once(": ") {
            Some(("As", name)) if body.is_empty() => who = name.to_string(),
            Some((name, value)) if body.is_empty() && is_header(name) => {
                headers.push((name.to_string(), masks.reveal(value)));
            }
            _ => {
                body.push_str(line);
                body.push('\n');
            }
        }
    }
    if who != "nobody" {
        headers.push(("Authorization".into(), format!("Bearer {}", house.token(&who))));
    }
    let body = made(masks.reveal(body.trim_end()));
    let typed = headers.iter().any(|(name, _)| name == "Content-Type");
    if !body.is_empty() && !typed {
        headers.push(("Content-Type".into(), "application/fhir+json".into()));
    }
    let path = made(masks.reveal(path));
    let path = String::from_utf8(path).unwrap();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = client::send(house.address, &client::request(method, &path, &headers, &body));
    masks.learn(&answer);
    answer
}

fn is_header(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
}

/// Bodies and paths that are too large or too wrong to write down.
fn made(text: String) -> Vec<u8> {
    let mut words = text.split(' ');
    let (name, number) = (words.next().unwrap_or(""), words.next().and_then(|n| n.parse::<usize>().ok()));
    let Some(n) = number else { return text.into_bytes() };
    match name {
        // A resource of n bytes.
        "@bytes" => format!(r#"{{"resourceType":"Patient","id":"{}"}}"#, "x".repeat(n)).into_bytes(),
        "@deep" => {
            let (open, close) = (r#"{"extension":["#.repeat(n), "]}".repeat(n));
            format!(r#"{{"resourceType":"Patient","contact":[{open}{close}]}}"#).into_bytes()
        }
        "@parameters" => vec!["_id=a"; n].join("&").into_bytes(),
        "@entries" => {
            let entry = r#"{"request":{"method":"GET","url":"Patient/1"}}"#;
            format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{}]}}"#, vec![entry; n].join(","))
                .into_bytes()
        }
        "@path" => format!("/fhir/Patient?_id={}", "a".repeat(n)).into_bytes(),
        "@invalid-utf8" => b"{\"resourceType\":\"Patient\",\"id\":\"\xff\"}".to_vec(),
        _ => text.into_bytes(),
    }
}

fn show(out: &mut String, answer: &Answer) {
    let _ = writeln!(out, "{}", answer.status);
    for name in SEEN {
        match answer.header(name) {
            None | Some("application/fhir+json; charset=utf-8") => {}
            Some(value) => {
                let _ = writeln!(out, "{name}: {value}");
            }
        }
    }
    let text = answer.text();
    match text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")) {
        // Pages have tests of their own.
        Some((title, _)) => {
            let _ = writeln!(out, "a page: {title}");
        }
        None if text.is_empty() => {}
        None => {
            let _ = writeln!(out, "{}", text.trim_end());
        }
    }
}

/// What differs from run to run, by the name under which cases know it.
#[derive(Default)]
struct Masks {
    /// Ids that the server gave, in the order in which they were seen: `<id-1>`.
    ids: Vec<String>,
}

impl Masks {
    fn learn(&mut self, answer: &Answer) {
        let headers = answer.header("location").unwrap_or("").to_string();
        let text = format!("{headers}\n{}", String::from_utf8_lossy(&answer.body));
        for at in 0..text.len() {
            let Some(word) = text.get(at..at + 36) else { continue };
            if is_uuid(word) && !self.ids.iter().any(|id| id == word) {
                self.ids.push(word.to_string());
            }
        }
    }

    /// `<id-1>` in a script is the first id that the server gave.
    fn reveal(&self, text: &str) -> String {
        let mut text = text.to_string();
        for (number, id) in (1..).zip(&self.ids) {
            text = text.replace(&format!("<id-{number}>"), id);
        }
        text
    }

    fn hide(&self, text: &str, house: &House) -> String {
        let mut text = text.replace(&house.address.to_string(), "server");
        for (number, id) in (1..).zip(&self.ids) {
            text = text.replace(id, &format!("<id-{number}>"));
        }
        for (start, end) in [("salus_", "\""), ("_cursor=", "\""), ("salus=", ";")] {
            text = masked(&text, start, end);
        }
        text
    }
}

/// Replaces what stands between `start` and `end`.
fn masked(text: &str, start: &str, end: &str) -> String {
    let mut parts = text.split(start);
    let mut out = parts.next().unwrap_or("").to_string();
    for part in parts {
        out.push_str(start);
        match part.find(end) {
            Some(at) if at > 20 => {
                out.push('~');
                out.push_str(&part[at..]);
            }
            _ => out.push_str(part),
        }
    }
    out
}

fn is_uuid(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        })
}
