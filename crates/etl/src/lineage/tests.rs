//! Events in the shape of the specification, and sinks that fail without harm.

use std::sync::{Arc, Mutex};

use fhir::Instant;
use serde_json::{Value as Json, json};
use table::Columns;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::check::testing::{NOW, columns, run};
use crate::lineage::{About, Event, FileSink, HttpSink, Input, Job, Made, MadeFrom, Output, Parent, Sink};
use crate::report::SourceQuality;
use crate::source::Dataset;

fn ehr() -> Dataset {
    Dataset { namespace: "postgres://db:5432".to_owned(), name: "ehr.public.patients".to_owned() }
}

fn about<'a>(columns: &'a Columns, quality: Option<&'a SourceQuality>) -> About<'a> {
    let from = MadeFrom { dataset: ehr(), column: "id".to_owned(), is_same: false, is_masked: true };
    About {
        at: Instant::parse(NOW).unwrap(),
        run: Uuid::from_u128(7),
        job: Job { namespace: "salus".to_owned(), name: "analytics.ehr".to_owned() },
        parent: Some(Parent {
            run: Uuid::from_u128(1),
            job: Job { namespace: "salus".to_owned(), name: "analytics".to_owned() },
        }),
        inputs: vec![Input { dataset: ehr(), columns: Some(columns), quality }],
        outputs: vec![Output {
            dataset: Dataset { namespace: "file".to_owned(), name: "out/patients".to_owned() },
            columns: Some(columns),
            made_from: vec![Made { column: "pseudonym".to_owned(), from: vec![from] }],
            n_rows: Some(2),
            n_bytes: None,
        }],
    }
}

fn complete() -> Event {
    let yaml = "
- {id: once, column: id, rule: unique}
- {id: sex, column: sex, rule: in_set, values: [M, F], on_fail: fail}
- {id: some, rule: row_count, min: 1}
- {id: fresh, column: seen, rule: freshness, max_age: 1d}
";
    let quality =
        run(yaml, "id text, sex text, seen date", &["a | M | -", "b | Ana Abel | -", "- | F | -"]).quality;
    let columns = columns("id text, sex text, seen date");
    Event::complete(&about(&columns, Some(&quality)))
}

#[test]
fn an_event_has_the_shape_of_the_specification() {
    let event = complete();
    let at = |pointer: &str| event.json().pointer(pointer).cloned().unwrap_or(Json::Null);
    assert_eq!(at("/eventType"), "COMPLETE");
    assert_eq!(at("/eventTime"), "2026-11-25T12:00:00.000Z");
    assert_eq!(at("/schemaURL"), "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    assert_eq!(at("/run/runId"), "00000000-0000-0000-0000-000000000007");
    assert_eq!(at("/run/facets/parent/job/name"), "analytics");
    assert_eq!(
        at("/job"),
        json!({
            "namespace": "salus", "name": "analytics.ehr", "facets": { "jobType": at("/job/facets/jobType") },
        })
    );
    assert_eq!(
        at("/inputs/0/facets/schema/fields/2"),
        json!({ "name": "seen", "type": "date", "ordinal_position": 3 })
    );
    assert_eq!(at("/inputs/0/inputFacets/dataQualityMetrics/rowCount"), 3);
    assert_eq!(
        at("/inputs/0/inputFacets/dataQualityMetrics/columnMetrics/id"),
        json!({ "nullCount": 1, "count": 2 })
    );
    let assertions = at("/inputs/0/inputFacets/dataQualityAssertions/assertions");
    assert_eq!(assertions.as_array().unwrap().len(), 3, "what was not assessed asserts nothing");
    assert_eq!(
        assertions[1],
        json!({
            "assertion": "in_set", "name": "sex", "success": false, "column": "sex", "severity": "error",
            "expected": "must be one of `M`, `F`", "actual": "1 of 3 fail",
        })
    );
    assert_eq!(at("/outputs/0/outputFacets/outputStatistics/rowCount"), 2);
    assert_eq!(
        at("/outputs/0/facets/columnLineage/fields/pseudonym/inputFields/0"),
        json!({
            "namespace": "postgres://db:5432", "name": "ehr.public.patients", "field": "id",
            "transformations": [{ "type": "DIRECT", "subtype": "TRANSFORMATION", "masking": true }],
        })
    );
}

#[test]
fn every_facet_names_its_schema_and_no_value_gets_out() {
    let event = complete();
    for pointer in [
        "/run/facets/parent",
        "/run/facets/processing_engine",
        "/job/facets/jobType",
        "/inputs/0/facets/schema",
        "/inputs/0/inputFacets/dataQualityAssertions",
        "/inputs/0/inputFacets/dataQualityMetrics",
        "/outputs/0/facets/columnLineage",
        "/outputs/0/outputFacets/outputStatistics",
    ] {
        let facet = event.json().pointer(pointer).unwrap();
        assert!(facet["_producer"].is_string(), "{pointer}");
        assert!(
            facet["_schemaURL"].as_str().unwrap().starts_with("https://openlineage.io/spec/facets/"),
            "{pointer}"
        );
    }
    assert!(!event.to_line().contains("Ana") && !event.to_line().contains('\n'));
}

#[test]
fn a_failure_says_why() {
    let columns = columns("id text");
    let event = Event::fail(&about(&columns, None), "target `warehouse`: it does not answer");
    assert_eq!(event.json()["eventType"], "FAIL");
    assert_eq!(
        event.json()["run"]["facets"]["errorMessage"]["message"],
        "target `warehouse`: it does not answer"
    );
    assert_eq!(Event::start(&about(&columns, None)).json()["eventType"], "START");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn lines_are_appended_also_after_a_torn_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lineage.ndjson");
    std::fs::write(&path, "{\"torn\":").unwrap();
    let sink = Sink { file: Some(FileSink::new(&path)), http: None };
    let event = complete();
    runtime().block_on(async {
        assert!(sink.send(&event).await.is_empty());
        assert!(sink.send(&event).await.is_empty());
    });
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(serde_json::from_str::<Json>(lines[2]).unwrap(), *event.json());
    let nowhere = Sink { file: Some(FileSink::new(&folder.path().join("no/such/folder"))), http: None };
    let warnings = runtime().block_on(nowhere.send(&event));
    assert!(warnings[0].contains("lineage was not written to its file"), "{warnings:?}");
}

/// A server that gives these answers, one a connection, and remembers the requests.
async fn server(answers: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/lineage", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = seen.clone();
    tokio::spawn(async move {
        for status in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !is_complete(&request) {
                match socket.read(&mut part).await.unwrap() {
                    0 => break,
                    n => request.extend_from_slice(&part[..n]),
                }
            }
            requests.lock().unwrap().push(String::from_utf8(request).unwrap());
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, seen)
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[test]
fn a_busy_server_is_asked_again_and_a_refusing_one_is_a_warning() {
    let event = complete();
    runtime().block_on(async {
        let (url, seen) = server(&[503, 201]).await;
        let sink = Sink { file: None, http: Some(HttpSink::new(&url, Some("secret")).unwrap()) };
        assert_eq!(sink.send(&event).await, Vec::<String>::new());
        let seen = seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 2);
        assert!(seen[1].starts_with("POST /api/v1/lineage ") && seen[1].contains("Bearer secret"));
        assert!(seen[1].ends_with(&event.to_line()));

        let (url, _) = server(&[500]).await;
        let sink = Sink { file: None, http: Some(HttpSink::new(&url, None).unwrap()) };
        assert_eq!(sink.send(&event).await, ["lineage was not sent: the lineage server answered 500"]);
    });
    assert!(HttpSink::new("not a url", None).is_err());
}
