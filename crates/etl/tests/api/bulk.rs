//! Bulk Data exports of a server that fails in all the ways that the standard allows: every resource comes exactly once.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::harness::{Given, Read, read};

const TOKEN: &str = "secret-token";

/// What a server does beside what it should.
#[derive(Clone)]
struct Plan {
    /// Answers of the first requests to a path, before the right one: status and headers.
    first: Vec<(&'static str, u16, &'static str)>,
    /// Paths whose first answer breaks off.
    cut: Vec<&'static str>,
    manifest: Json,
    needs_token: bool,
}

#[derive(Clone, Debug)]
struct Seen {
    method: String,
    target: String,
    head: String,
    at: Instant,
}

struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    fn start(plan: Plan) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/r4", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = Server { url: url.clone(), seen: seen.clone() };
        std::thread::spawn(move || {
            let mut plan = plan;
            for connection in listener.incoming() {
                answer(connection.unwrap(), &url, &mut plan, &seen);
            }
        });
        server
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn requests(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }

    fn read(&self, more: &str, since: Option<&str>) -> Result<Read, etl::EtlError> {
        let text = format!(
            "type: fhir_bulk\nurl: {}\ntypes: [Patient]\nauth: {{bearer: '${{env:T}}'}}\ncolumns: {{family: name.family}}\n{more}",
            self.url
        );
        read(&text, Given(vec![("T", TOKEN.to_owned())]), since)
    }
}

fn answer(mut connection: TcpStream, base: &str, plan: &mut Plan, seen: &Mutex<Vec<Seen>>) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let path = target.split('?').next().unwrap().to_owned();
    seen.lock().unwrap().push(Seen {
        method: method.clone(),
        target,
        head: head.to_lowercase(),
        at: Instant::now(),
    });
    let (status, headers, body) = match plan.first.iter().position(|(at, ..)| path.ends_with(at)) {
        Some(at) => {
            let (_, status, headers) = plan.first.remove(at);
            (status, headers.to_owned(), String::new())
        }
        None => right_answer(&method, &path, &head, base, plan),
    };
    let cut = plan.cut.iter().position(|at| path.ends_with(at)).map(|at| plan.cut.remove(at)).is_some();
    let sent = if cut { &body[..body.len() / 2] } else { &body };
    let head = format!(
        "HTTP/1.1 {status} X\r\nDate: Wed, 14 Jan 2026 10:00:00 GMT\r\nConnection: close\r\n{headers}"
    );
    let _ = write!(connection, "{head}Content-Length: {}\r\n\r\n{sent}", body.len());
}

fn right_answer(method: &str, path: &str, head: &str, base: &str, plan: &Plan) -> (u16, String, String) {
    let nothing = String::new();
    let has_token = head.contains(&format!("Bearer {TOKEN}")) || head.contains(&format!("bearer {TOKEN}"));
    if path.ends_with("/files/1") || path.ends_with("/files/2") || path.ends_with("/files/gone") {
        if plan.needs_token != has_token {
            return (if plan.needs_token { 401 } else { 400 }, nothing.clone(), nothing);
        }
    } else if !has_token && !path.ends_with("/metadata") {
        return (401, nothing.clone(), nothing);
    }
    let ok = |body: String| (200, String::new(), body);
    match path.rsplit_once("/r4").unwrap().1 {
        "/metadata" => ok("{}".to_owned()),
        "/status/1" if method == "DELETE" => (202, nothing.clone(), nothing),
        "/status/1" => ok(plan.manifest.to_string().replace("BASE", base)),
        "/files/1" => ok(lines(0, 1_500)),
        "/files/2" => ok(format!("{}\n{{no JSON\n", lines(1_500, 3).replace('\n', "\r\n"))),
        "/files/gone" => ok(json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
            { "request": { "method": "DELETE", "url": "Patient/p9" } }, { "request": { "method": "DELETE", "url": "Patient/p8" } }] })
        .to_string()),
        "/files/outcomes" => ok(json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "error", "code": "processing" }] }).to_string()),
        "/files/notes" => ok(json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "information", "code": "informational" }] }).to_string()),
        path if path.ends_with("$export") => (202, format!("Content-Location: {base}/status/1\r\n"), nothing),
        _ => (404, nothing.clone(), nothing),
    }
}

fn lines(from: usize, n: usize) -> String {
    let patient = |n| {
        json!({ "resourceType": "Patient", "id": format!("p{n}"), "name": [{ "family": "å" }] }).to_string()
            + "\n"
    };
    (from..from + n).map(patient).collect()
}

fn plan() -> Plan {
    let file = |kind: &str, name: &str| json!({ "type": kind, "url": format!("BASE/files/{name}") });
    let mut counted = file("Patient", "1");
    counted["count"] = json!(1_500);
    Plan {
        first: Vec::new(),
        cut: Vec::new(),
        // A server may give more types than it was asked for.
        manifest: json!({ "transactionTime": "2026-01-14T09:59:30Z", "request": "BASE/$export", "requiresAccessToken": true,
            "output": [counted, file("Patient", "2"), file("Observation", "3")], "error": [file("OperationOutcome", "notes")] }),
        needs_token: true,
    }
}

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("p{n}")).collect()
}

#[test]
fn every_resource_comes_once_though_requests_fail() {
    let mut plan = plan();
    plan.first = vec![
        ("$export", 503, "Retry-After: 0\r\n"),
        ("$export", 502, ""),
        ("/status/1", 202, "Retry-After: 1\r\nX-Progress: 10%\r\n"),
        ("/status/1", 429, "Retry-After: 0\r\n"),
        ("/status/1", 202, "Retry-After: Wed, 14 Jan 2026 10:00:02 GMT\r\n"),
        ("/files/1", 503, "Retry-After: 0\r\n"),
        ("/files/2", 500, ""),
    ];
    plan.cut = vec!["/files/1", "/files/2"];
    let server = Server::start(plan);
    let read =
        server.read("of: Patient\ncursor: {lookback: 1h}\n", Some("2026-01-13T10:00:00.000Z")).unwrap();
    assert_eq!(read.column("resource_id"), ids(1_503));
    assert_eq!(read.column("family")[1_502], "å");
    let rejects: Vec<_> = read.rejects.iter().map(|reject| (&*reject.reason, reject.place.line)).collect();
    assert_eq!(rejects, [("bad_json", 1_504)]);
    // The server's time, not ours, is where the next export begins.
    assert_eq!(read.units[0].watermark.as_deref(), Some("2026-01-14T09:59:30.000Z"));
    let (seen, requests) = (server.seen(), server.requests());
    let kick_off = "GET /r4/Patient/$export?_type=Patient&_outputFormat=application%2Ffhir%2Bndjson&_since=2026-01-13T09%3A00%3A00.000Z";
    let at =
        requests.iter().position(|request| request == kick_off).unwrap_or_else(|| panic!("{requests:?}"));
    assert!(
        seen[at].head.contains("prefer: respond-async")
            && seen[at].head.contains("accept: application/fhir+json")
    );
    let polls: Vec<&Seen> =
        seen.iter().filter(|seen| seen.method == "GET" && seen.target == "/r4/status/1").collect();
    assert!(
        polls[1].at.duration_since(polls[0].at) >= Duration::from_secs(1),
        "Retry-After was not waited for"
    );
    assert!(
        polls[3].at.duration_since(polls[2].at) >= Duration::from_secs(2),
        "Retry-After as a date was not waited for"
    );
    assert!(polls.iter().all(|seen| seen.head.contains("accept: application/json")));
    assert!(
        seen.iter().filter(|seen| seen.target.contains("/files/")).all(|seen| !seen.head.contains("prefer:"))
    );
    assert!(!requests.iter().any(|request| request.contains("/files/3")));
    assert_eq!(requests.last().unwrap(), "DELETE /r4/status/1");
}

#[test]
fn a_token_goes_only_where_it_is_wanted() {
    let mut open = plan();
    (open.needs_token, open.manifest["requiresAccessToken"]) = (false, json!(false));
    open.manifest["error"] = json!([]);
    let server = Server::start(open);
    assert_eq!(server.read("", None).unwrap().column("resource_id").len(), 1_503);
    assert!(
        server
            .seen()
            .iter()
            .filter(|seen| seen.target.contains("/files/"))
            .all(|seen| !seen.head.contains(TOKEN))
    );
    let mut elsewhere = plan();
    elsewhere.manifest["output"] = json!([{ "type": "Patient", "url": "http://127.0.0.2:9/files/1" }]);
    let error = Server::start(elsewhere).read("", None).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("another server, which must not see the credential") && !error.contains(TOKEN),
        "{error}"
    );
}

#[test]
fn what_goes_wrong_is_an_error_or_a_reject() {
    let check = |change: &dyn Fn(&mut Plan), more: &str, said: &str| {
        let mut plan = plan();
        change(&mut plan);
        let server = Server::start(plan);
        let error = server.read(more, None).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains(TOKEN) && !error.contains('?'), "{error}");
        server
    };
    check(&|plan| plan.first = vec![("$export", 403, "")], "", "answered 403: check `auth`");
    check(&|plan| plan.first = vec![("$export", 200, "")], "", "answered 200, not 202");
    check(&|plan| plan.first = vec![("$export", 202, "")], "", "Content-Location");
    check(
        &|plan| plan.first = vec![("$export", 202, "Content-Location: http://127.0.0.2:9/s\r\n")],
        "",
        "another server",
    );
    check(&|plan| plan.first = vec![("/status/1", 404, "")], "", "the server forgot the export");
    check(&|plan| plan.manifest = json!({ "output": [] }), "", "transactionTime");
    check(
        &|plan| plan.manifest["output"][0]["count"] = json!(1_501),
        "",
        "1500 resources came, and the server says that there are 1501",
    );
    check(&|plan| plan.first = vec![("/files/2", 404, "")], "", "/r4/files/2` answered 404");
    check(&|_| {}, "records_max: 1000\n", "more than `records_max`");
    check(&|_| {}, "file_bytes_max: 64KiB\n", "more than `file_bytes_max`");
    let late = check(
        &|plan| plan.first = vec![("/status/1", 202, "Retry-After: 60\r\n")],
        "export_wait_max: 5s\n",
        "not ready within `export_wait_max`, 5 s",
    );
    assert_eq!(late.requests().last().unwrap(), "DELETE /r4/status/1");
    let outcomes = |plan: &mut Plan| plan.manifest["error"][0]["url"] = json!("BASE/files/outcomes");
    check(&outcomes, "", "could not export everything");
    let mut plan = plan();
    outcomes(&mut plan);
    plan.manifest["deleted"] = json!([{ "type": "Bundle", "url": "BASE/files/gone" }]);
    let read = Server::start(plan).read("errors: quarantine\n", None).unwrap();
    let reasons: Vec<&str> = read.rejects.iter().map(|reject| &*reject.reason).collect();
    assert_eq!(reasons, ["not_exported", "bad_json", "deleted", "deleted"]);
    assert_eq!(read.column("resource_id").len(), 1_503);
    assert!(read.units[0].watermark.is_none(), "without a cursor, everything is read each time");
}
