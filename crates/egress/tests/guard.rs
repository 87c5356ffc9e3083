//! The guard against a real server on this machine: what may be reached, where redirects lead, what is repeated, how much is read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use egress::{Backoff, Client, EgressError, FhirClient, Method, Options, Reach, Request, Url};

#[derive(Clone, Default)]
struct Seen {
    busy: Arc<AtomicU32>,
    broken: Arc<AtomicU32>,
}

async fn start() -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = router().with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

fn router() -> Router<Seen> {
    Router::new()
        .route("/hello", any(|| async { "hello" }))
        .route("/credentials", get(credentials))
        .route("/to/{*target}", any(|Path(target): Path<String>| async move { redirect(&target) }))
        .route("/loop", get(|| async { redirect("/loop") }))
        .route("/nowhere", get(|| async { StatusCode::FOUND }))
        .route("/long", get(|| async { "x".repeat(2_000) }))
        .route("/chunks", get(|| async { Body::from_stream(futures_util::stream::iter((0..200).map(|_| Ok::<_, std::io::Error>("0123456789")))) }))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_secs(30)).await }))
        .route("/busy", any(busy))
        .route("/broken", any(broken))
        .route("/fhir", any(|body: Bytes| async move { fhir_json(StatusCode::OK, &format!("{{\"got\":{}}}", body.len())) }))
        .route("/fhir/{*path}", any(fhir))
}

fn redirect(target: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, target.to_owned())]).into_response()
}

async fn credentials(headers: HeaderMap) -> String {
    format!("{}", headers.contains_key(header::AUTHORIZATION))
}

async fn busy(State(seen): State<Seen>) -> Response {
    if seen.busy.fetch_add(1, Ordering::SeqCst) < 2 {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else {
        "done".into_response()
    }
}

/// Promises ten bytes and ends the connection after three.
async fn broken(State(seen): State<Seen>) -> Response {
    seen.broken.fetch_add(1, Ordering::SeqCst);
    let pieces: [Result<&str, std::io::Error>; 2] = [Ok("abc"), Err(std::io::Error::other("cut"))];
    ([(header::CONTENT_LENGTH, "10")], Body::from_stream(futures_util::stream::iter(pieces))).into_response()
}

async fn fhir(Path(path): Path<String>) -> Response {
    let next =
        |url: &str| format!(r#"{{"resourceType":"Bundle","link":[{{"relation":"next","url":"{url}"}}]}}"#);
    match path.as_str() {
        "Patient/1" => fhir_json(StatusCode::OK, r#"{"resourceType":"Patient","id":"1"}"#),
        "Pages" => fhir_json(StatusCode::OK, &next("Last")),
        "Last" => fhir_json(StatusCode::OK, r#"{"resourceType":"Bundle"}"#),
        "Astray" => fhir_json(StatusCode::OK, &next("http://elsewhere.example.org/fhir/Last")),
        "Html" => fhir_json(StatusCode::OK, "<html>"),
        "Refused" => {
            let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"code":"invalid","details":{"coding":[{"code":"unknown-element"}]}}]}"#;
            fhir_json(StatusCode::UNPROCESSABLE_ENTITY, outcome)
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn fhir_json(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/fhir+json")], text.to_owned()).into_response()
}

fn options(reach: Reach) -> Options {
    Options { request_timeout_secs: 120, ..hasty(reach) }
}

/// Waits a second for an answer.
fn hasty(reach: Reach) -> Options {
    let backoff =
        Backoff { attempts_max: 3, first: Duration::from_millis(5), max: Duration::from_millis(50) };
    Options {
        reach,
        connect_timeout_secs: 60,
        request_timeout_secs: 1,
        response_bytes_max: 1_000,
        redirects_max: 2,
        backoff,
    }
}

fn named(host: &str) -> Client {
    Client::new(options(Reach::Configured { host: host.to_owned() })).unwrap()
}

fn request(method: Method, url: &str) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, "Bearer x".parse().unwrap());
    let idempotent = method != Method::POST;
    Request { method, url: Url::parse(url).unwrap(), headers, body: None, idempotent }
}

/// The answer as text: its body, or the error.
async fn ask(client: &Client, method: Method, url: &str) -> String {
    match client.send(request(method, url)).await {
        Ok(response) => String::from_utf8(response.body.to_vec()).unwrap(),
        Err(error) => format!("error: {error}"),
    }
}

#[tokio::test]
async fn a_public_client_reaches_nothing_on_this_machine() {
    let (address, _) = start().await;
    let client = Client::new(options(Reach::Public)).unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
        let url = format!("http://{host}:{}/hello", address.port());
        let error = client.send(request(Method::GET, &url)).await.err();
        assert!(matches!(error, Some(EgressError::RefusedAddress { .. })), "{host}: {error:?}");
    }
    for url in ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://[fd00::1]/", "http://0.0.0.0/"] {
        let error = client.send(request(Method::GET, url)).await.err();
        assert!(matches!(error, Some(EgressError::RefusedAddress { .. })), "{url}: {error:?}");
    }
    let error = client.send(request(Method::GET, "http://user:pass@example.org/")).await.err();
    assert!(matches!(error, Some(EgressError::BadUrl(_))), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_checked_like_a_first_request() {
    let (address, _) = start().await;
    let port = address.port();
    let client = named("localhost");
    let base = format!("http://localhost:{port}");
    assert_eq!(ask(&client, Method::GET, &format!("{base}/hello")).await, "hello");
    assert_eq!(ask(&client, Method::GET, &format!("{base}/to/../hello")).await, "hello");
    // Any host but the configured one is reached as from a public-only client.
    for target in [
        format!("http://127.0.0.1:{port}/hello"),
        "http://169.254.169.254/latest".into(),
        "http://10.0.0.1/".into(),
    ] {
        let answer = ask(&client, Method::GET, &format!("{base}/to/{target}")).await;
        assert!(answer.contains("may not be reached"), "{target}: {answer}");
    }
    let answer = ask(&client, Method::GET, &format!("{base}/to/file:///etc/passwd")).await;
    assert!(answer.contains("absolute `http://` or `https://` URL"), "{answer}");
    assert!(ask(&client, Method::GET, &format!("{base}/loop")).await.contains("too many redirects"));
    assert!(ask(&client, Method::GET, &format!("{base}/nowhere")).await.contains("it names no target"));
    assert!(
        ask(&client, Method::POST, &format!("{base}/to/{base}/hello"))
            .await
            .contains("only reads are redirected")
    );
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let ((address, _), (other, _)) = (start().await, start().await);
    let client = named("localhost");
    let base = format!("http://localhost:{}", address.port());
    assert_eq!(ask(&client, Method::GET, &format!("{base}/to/{base}/credentials")).await, "true");
    let target = format!("http://localhost:{}/credentials", other.port());
    assert_eq!(ask(&client, Method::GET, &format!("{base}/to/{target}")).await, "false");
}

#[tokio::test]
async fn answers_are_limited_in_size_and_time() {
    let (address, _) = start().await;
    let client = named("127.0.0.1");
    for path in ["long", "chunks"] {
        let answer = ask(&client, Method::GET, &format!("http://{address}/{path}")).await;
        assert_eq!(answer, "error: the answer of `127.0.0.1` is larger than 1000 bytes", "{path}");
    }
    let client = Client::new(hasty(Reach::Configured { host: "127.0.0.1".to_owned() })).unwrap();
    let answer = ask(&client, Method::GET, &format!("http://{address}/slow?name=secret")).await;
    assert_eq!(answer, "error: `127.0.0.1` did not answer within 1 s");
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    let (address, seen) = start().await;
    let client = named("127.0.0.1");
    // Busy is an answer before anything was done: also a POST is sent again.
    assert_eq!(ask(&client, Method::POST, &format!("http://{address}/busy")).await, "done");
    assert_eq!(seen.busy.load(Ordering::SeqCst), 3);
    for (method, times) in [(Method::POST, 1), (Method::PUT, 3)] {
        seen.broken.store(0, Ordering::SeqCst);
        let answer = ask(&client, method.clone(), &format!("http://{address}/broken")).await;
        assert_eq!(answer, "error: the connection to `127.0.0.1` broke before the answer was complete");
        assert_eq!(seen.broken.load(Ordering::SeqCst), times, "{method}");
    }
}

#[tokio::test]
async fn a_fhir_server_is_asked_over_tcp_and_over_its_socket() {
    let (address, _) = start().await;
    let tcp = FhirClient::new(&format!("http://{address}/fhir"), Some("x"), options(Reach::Public)).unwrap();
    check_fhir(&tcp).await;
    let astray = tcp.search("Astray").unwrap().next().await.err().map(|e| e.to_string());
    assert_eq!(astray.as_deref(), Some("cannot use the URL: the next link leads to another server"));
    let dir = std::env::temp_dir().join(format!("salus-egress-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("s.sock");
    drop(std::fs::remove_file(&path));
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move { axum::serve(listener, router().with_state(Seen::default())).await });
    // The socket has no address to check, whatever the host.
    let socket = FhirClient::over_socket(&path, "http://localhost/fhir", options(Reach::Public)).unwrap();
    check_fhir(&socket).await;
    // The server behind the socket links to its public address: the next page comes over the socket all the same.
    let mut pages = socket.search("Astray").unwrap();
    for _ in 0..2 {
        assert!(pages.next().await.unwrap().is_some());
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn check_fhir(client: &FhirClient) {
    assert_eq!(client.read("Patient", "1").await.unwrap().unwrap().text("id"), Some("1"));
    assert!(client.read("Patient", "2").await.unwrap().is_none());
    let answer = client.bundle(Bytes::from_static(b"{}"), true).await.unwrap();
    assert_eq!(answer.to_text(), r#"{"got":2}"#);
    let mut pages = client.search("Pages?a=b").unwrap();
    assert!(pages.next().await.unwrap().is_some());
    assert!(pages.next().await.unwrap().is_some());
    assert!(pages.next().await.unwrap().is_none());
    let error = client.search("Html").unwrap().next().await.err().map(|e| e.to_string()).unwrap();
    assert!(error.ends_with("is not a searchset bundle"), "{error}");
    match client.search("Refused?name=secret").unwrap().next().await {
        Err(error @ EgressError::Status { status: 422, .. }) => {
            assert!(error.to_string().ends_with("answered 422 (unknown-element)"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    for astray in ["http://elsewhere.example.org/", "//elsewhere.example.org/x"] {
        let error = client.request(Method::GET, astray, None).await.err().map(|e| e.to_string());
        assert_eq!(error.as_deref(), Some("cannot use the URL: the path leads to another server"));
    }
}
