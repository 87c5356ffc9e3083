//! The paged API, asked over real connections.

use serde_json::{Value, json};

use super::super::http::{Answer, request};
use super::*;

fn api(n_rows: usize, faults: &[(usize, ApiFault)]) -> PagedApi {
    let rows = (0..n_rows).map(|n| json!({ "n": n })).collect();
    PagedApi::start(
        rows,
        PagedApiOptions { page_rows_max: 3, faults: faults.to_vec(), ..PagedApiOptions::default() },
    )
}

fn get(api: &PagedApi, target: &str) -> Answer {
    request(api.port, "GET", target, &[], "").unwrap()
}

fn numbers(rows: &Value) -> Vec<u64> {
    rows.as_array().unwrap().iter().map(|row| row["n"].as_u64().unwrap()).collect()
}

/// Follows pages until there is no next one, and compares with all rows.
fn check(n_rows: usize, first: &str, next: impl Fn(&Answer, &Value) -> Option<String>) {
    let api = api(n_rows, &[]);
    let (mut target, mut all) = (Some(first.to_owned()), Vec::new());
    while let Some(asked) = target {
        let answer = get(&api, &asked);
        assert_eq!(answer.status, 200, "{asked}: {}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        all.extend(numbers(if body.is_array() { &body } else { &body["rows"] }));
        target = next(&answer, &body);
    }
    assert_eq!(all, (0..n_rows as u64).collect::<Vec<_>>());
    assert_eq!(api.requests().len(), n_rows.div_ceil(3).max(1));
}

#[test]
fn each_way_of_paging_gives_every_row_once() {
    for n_rows in [0, 1, 3, 7, 9] {
        check(n_rows, "/by-page", |_, body| {
            let page = body["page"].as_u64().unwrap();
            (page < body["pages"].as_u64().unwrap()).then(|| format!("/by-page?size=50&page={}", page + 1))
        });
        check(n_rows, "/by-offset?offset=0&limit=3", |_, body| {
            let end = body["offset"].as_u64().unwrap() + 3;
            (end < body["total"].as_u64().unwrap()).then(|| format!("/by-offset?limit=3&offset={end}"))
        });
        check(n_rows, "/by-cursor", |_, body| {
            let cursor = body["next"].as_str()?.replace('+', "%2B").replace('=', "%3d");
            Some(format!("/by-cursor?cursor={cursor}"))
        });
        check(n_rows, "/by-link", |answer, _| {
            let link = answer.head.lines().find_map(|line| line.strip_prefix("Link: ")).unwrap();
            let next = link.split(", ").find(|part| part.ends_with("rel=\"next\""))?;
            let url = next.split_once('<').unwrap().1.split_once('>').unwrap().0;
            Some(url[url.find("/by-link").unwrap()..].to_owned())
        });
    }
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let api = api(7, &[]);
    for (target, status) in [
        ("/by-page?page=0", 400),
        ("/by-page?page=99", 200),
        ("/by-offset?limit=0", 400),
        ("/by-offset?offset=-1", 400),
        ("/by-cursor?cursor=k+3=", 400),
        ("/by-cursor?cursor=k%2B3=", 200),
        ("/elsewhere", 404),
    ] {
        assert_eq!(get(&api, target).status, status, "{target}");
    }
    assert_eq!(request(api.port, "POST", "/by-page", &[], "").unwrap().status, 405);
}

#[test]
fn it_fails_when_told_to() {
    let faults = [
        (1, ApiFault::TooManyRequests { retry_after_secs: 2 }),
        (2, ApiFault::Unavailable { retry_after_secs: 0 }),
        (3, ApiFault::CutBody),
    ];
    let api = api(7, &faults);
    let answers: Vec<Answer> = (0..4).map(|_| get(&api, "/by-page")).collect();
    assert!(answers[0].head.contains("429") && answers[0].head.contains("Retry-After: 2"));
    assert!(answers[1].head.contains("503") && answers[1].head.contains("Retry-After: 0"));
    let promised = format!("Content-Length: {}", answers[3].body.len());
    assert!(answers[2].head.contains(&promised) && answers[2].body.len() == answers[3].body.len() / 2);
    let statuses: Vec<u16> = api.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [429, 503, 200, 200]);
}

#[test]
fn only_tokens_that_the_provider_knows_open_it() {
    let Some(identity) = IdentityProvider::shared() else { return };
    let options = PagedApiOptions {
        identity: Some(identity),
        faults: vec![(4, ApiFault::ExpireToken)],
        ..PagedApiOptions::default()
    };
    let api = PagedApi::start(vec![json!({ "n": 0 })], options);
    let ask = |token: &str| {
        let header = format!("Bearer {token}");
        request(api.port, "GET", "/by-page", &[("Authorization", &header)], "").unwrap().status
    };
    assert_eq!(get(&api, "/by-page").status, 401);
    assert_eq!(ask("invented"), 401);
    let token = identity.token();
    // The third request is served; the fourth finds the token expired, and so does the fifth.
    assert_eq!([ask(&token), ask(&token), ask(&token)], [200, 401, 401]);
    assert_eq!(ask(&identity.token()), 200);
    assert_eq!(api.requests()[2].token.as_deref(), Some(token.as_str()));
}

#[test]
fn it_stops_when_it_is_dropped() {
    let api = api(1, &[]);
    let port = api.port;
    assert_eq!(get(&api, "/by-page").status, 200);
    drop(api);
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
}
