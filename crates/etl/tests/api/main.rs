//! Sources over HTTP against servers that fail: every row comes exactly once, whatever the way of paging.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod bulk;
mod harness;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use harness::{Given, read};
use serde_json::{Value as Json, json};
use testkit::{ApiFault, IdentityProvider, PagedApi, PagedApiOptions};

fn rows(n_rows: usize) -> Vec<Json> {
    let row = |n| json!({ "n": n, "zip": format!("0{n:04}"), "at": format!("2026-01-{:02}T12:00:00Z", 1 + n % 28) });
    (0..n_rows).map(row).collect()
}

fn numbers(n_rows: usize) -> Vec<String> {
    (0..n_rows).map(|n| n.to_string()).collect()
}

const STYLES: [&str; 4] = [
    "url: URL/by-page\npaging: {style: page, size: 50}\nrecords: rows\n",
    "url: URL/by-offset\npaging: {style: offset, size: 50}\nrecords: rows\ntotal: total\n",
    "url: URL/by-cursor\npaging: {style: cursor, size: 50}\nrecords: rows\n",
    "url: URL/by-link?limit=50\npaging: link\n",
];
const COLUMNS: &str = "columns: {n: integer, zip: text, at: instant}\n";

#[test]
fn every_way_of_paging_gives_every_row_once_though_requests_fail() {
    for style in STYLES {
        for n_rows in [0, 1, 7, 21, 24] {
            let faults = vec![
                (1, ApiFault::Unavailable { retry_after_secs: 0 }),
                (3, ApiFault::CutBody),
                (5, ApiFault::TooManyRequests { retry_after_secs: 0 }),
                (6, ApiFault::CutBody),
            ];
            // The server gives fewer rows than are asked for: a short page is not the end.
            let options = PagedApiOptions { page_rows_max: 7, faults, ..PagedApiOptions::default() };
            let api = PagedApi::start(rows(n_rows), options);
            let text = format!("type: rest\n{}{COLUMNS}", style.replace("URL", &api.url()));
            let read = read(&text, Given(Vec::new()), None).unwrap();
            assert_eq!(read.column("n"), numbers(n_rows), "{style}");
            assert!(read.rejects.is_empty() && read.units.len() == 1);
            if n_rows > 0 {
                assert_eq!(read.column("zip")[0], "00000");
            }
        }
    }
}

#[test]
fn a_retry_after_is_waited_for() {
    let faults = vec![(3, ApiFault::TooManyRequests { retry_after_secs: 1 })];
    let options = PagedApiOptions { page_rows_max: 5, faults, ..PagedApiOptions::default() };
    let api = PagedApi::start(rows(12), options);
    let text = format!("type: rest\n{}{COLUMNS}", STYLES[3].replace("URL", &api.url()));
    assert_eq!(read(&text, Given(Vec::new()), None).unwrap().column("n"), numbers(12));
    let requests = api.requests();
    assert_eq!(requests[2].status, 429);
    assert_eq!(requests[3].target, requests[2].target);
    assert!(requests[3].at.duration_since(requests[2].at).as_millis() >= 1_000);
}

#[test]
fn a_token_that_expires_in_the_middle_is_renewed_and_reading_goes_on() {
    let Some(identity) = IdentityProvider::shared() else { return };
    for (style, client_auth) in STYLES.into_iter().zip(["basic", "form", "basic", "form"]) {
        let options = PagedApiOptions {
            page_rows_max: 5,
            identity: Some(identity),
            faults: vec![(3, ApiFault::ExpireToken), (6, ApiFault::ExpireToken)],
        };
        let api = PagedApi::start(rows(23), options);
        let auth = format!(
            "auth: {{oauth2: {{token_url: '{}', client_id: {}, client_secret: '${{env:S}}', scope: api, client_auth: {client_auth}}}}}\n",
            identity.token_url(),
            identity.client_id()
        );
        let text = format!("type: rest\n{}{auth}{COLUMNS}", style.replace("URL", &api.url()));
        let secrets = Given(vec![("S", identity.client_secret().to_owned())]);
        assert_eq!(read(&text, secrets, None).unwrap().column("n"), numbers(23), "{style}");
        let tokens: std::collections::HashSet<_> =
            api.requests().into_iter().map(|request| request.token.unwrap()).collect();
        assert_eq!(tokens.len(), 3);
    }
}

#[test]
fn errors_name_the_url_without_its_query_and_credentials() {
    let Some(identity) = IdentityProvider::shared() else { return };
    let options = PagedApiOptions { identity: Some(identity), ..PagedApiOptions::default() };
    let api = PagedApi::start(rows(3), options);
    let text = format!(
        "type: rest\nurl: {}/by-page?patient=secret-name\nauth: {{bearer: '${{env:T}}'}}\npaging: page\nrecords: rows\n",
        api.url()
    );
    let secrets = || Given(vec![("T", "secret-token".to_owned())]);
    let error = read(&text, secrets(), None).map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, format!("source `x`: `{}/by-page` answered 401: check `auth`", api.url()));
    let open = PagedApi::start(rows(3), PagedApiOptions::default());
    let check = |change: &str, expected: &str| {
        let text = format!("type: rest\nurl: {}/by-page?q=secret\n{change}", open.url());
        let error = read(&text, secrets(), None).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, format!("source `x`: {}", expected.replace("URL", &open.url())));
    };
    check(
        "paging: none\nrecords: data\n",
        "`URL/by-page`: `records: data` leads nowhere: there is no `data`",
    );
    check(
        "paging: {style: page, parameter: side}\nrecords: rows\n",
        "`URL/by-page`: the server gives the same page again and again: check the parameters of `paging`",
    );
    check("paging: {style: page, size: 1}\nrecords: rows\npages_max: 2\n", "more than `pages_max`, 2 pages");
    check(
        "paging: {style: page, size: 1, first: 2}\nrecords: rows\ntotal: total\n",
        "`URL/by-page`: 2 records came, and the server says that there are 3: they changed while they were read, or `paging` is not what the server means",
    );
}

#[test]
fn a_window_takes_what_changed_and_stops_at_now() {
    let api = PagedApi::start(rows(28), PagedApiOptions { page_rows_max: 5, ..PagedApiOptions::default() });
    let text = format!(
        "type: rest\n{}{COLUMNS}cursor: {{column: at, parameter: since}}\n",
        STYLES[0].replace("URL", &api.url())
    );
    // The server ignores `since`, and has rows of the future: both ends are cut here.
    let first = read(&text, Given(Vec::new()), None).unwrap();
    assert_eq!(first.column("n"), numbers(14));
    assert_eq!(first.units[0].watermark.as_deref(), Some("2026-01-15T00:00:00.000Z"));
    let next = read(&text, Given(Vec::new()), Some("2026-01-10T12:00:00.000Z")).unwrap();
    assert_eq!(next.column("n"), ["9", "10", "11", "12", "13"]);
    assert!(api.requests().last().unwrap().target.contains("since=2026-01-10T12%3A00%3A00.000Z"));
    let nothing = read(&text, Given(Vec::new()), first.units[0].watermark.as_deref()).unwrap();
    assert!(nothing.units.is_empty());
}

/// A FHIR server of two pages of patients; gives the targets that were asked for.
fn fhir_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/r4", listener.local_addr().unwrap());
    let (base, targets) = (url.clone(), Arc::new(Mutex::new(Vec::new())));
    let asked = targets.clone();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let target = line.split(' ').nth(1).unwrap().to_owned();
            while line.trim() != "" {
                line.clear();
                reader.read_line(&mut line).unwrap();
            }
            let body = bundle(&base, &target).to_string();
            asked.lock().unwrap().push(target);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nDate: Wed, 14 Jan 2026 10:00:00 GMT\r\nConnection: close\r\n";
            write!(connection, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    (url, targets)
}

fn bundle(base: &str, target: &str) -> Json {
    let patient = |id: &str, given: &[&str]| {
        json!({ "search": { "mode": "match" }, "resource": { "resourceType": "Patient", "id": id, "birthDate": "1976-07-04",
            "active": true, "name": [{ "family": "å", "given": given }] } })
    };
    if target.contains("page=2") {
        return json!({ "resourceType": "Bundle", "type": "searchset", "entry": [patient("c", &["X", "Y"]), { "search": { "mode": "match" } }] });
    }
    json!({ "resourceType": "Bundle", "type": "searchset",
        "link": [{ "relation": "self", "url": format!("{base}/Patient") }, { "relation": "next", "url": format!("{base}/Patient?page=2") }],
        "entry": [patient("a", &["A"]), patient("b", &[]),
            { "search": { "mode": "outcome" }, "resource": { "resourceType": "OperationOutcome", "id": "o" } }] })
}

#[test]
fn resources_of_a_search_become_rows() {
    let (url, targets) = fhir_server();
    let text = format!(
        "type: fhir\nurl: {url}\nsearch: 'Patient?_count=2'\ncursor: {{lookback: 1h}}\ncolumns:\n  family: name.family\n  given: {{path: name.given, join: ' '}}\n  born: {{path: birthDate, type: date}}\n  n: {{path: name.given.count(), type: integer}}\n  active: {{path: active, type: boolean}}\n"
    );
    let read = read(&text, Given(Vec::new()), Some("2026-01-13T10:00:00.000Z")).unwrap();
    assert_eq!(read.column("resource_id"), ["a", "b", "c"]);
    assert_eq!(read.column("given"), ["A", "-", "X Y"]);
    assert_eq!(read.column("n"), ["1", "0", "2"]);
    assert_eq!(read.column("born"), ["1976-07-04"; 3]);
    assert_eq!(read.column("active"), ["true"; 3]);
    assert_eq!(read.column("family"), ["å"; 3]);
    let reasons: Vec<_> = read.rejects.iter().map(|reject| (&*reject.reason, reject.place.line)).collect();
    assert_eq!(reasons, [("not_a_resource", 4)]);
    // The server's clock, not ours, ends the window.
    assert_eq!(read.units[0].watermark.as_deref(), Some("2026-01-14T10:00:00.000Z"));
    let targets = targets.lock().unwrap();
    assert_eq!(
        targets[1..],
        [
            "/r4/Patient?_count=2&_lastUpdated=ge2026-01-13T09%3A00%3A00.000Z&_lastUpdated=lt2026-01-14T10%3A00%3A00.000Z",
            "/r4/Patient?page=2"
        ]
    );
}
