//! Signing in by a link, looking at a page, choosing a purpose, signing out.

use gate::{Role, Roles, Tenant};

use crate::client::{self, Answer};
use crate::house::House;

fn ask(house: &House, method: &str, path: &str, cookie: &str, form: &str) -> Answer {
    let headers = [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")];
    client::send(house.address, &client::request(method, path, &headers, form.as_bytes()))
}

/// The cookie of a new session.
fn sign_in(house: &House) -> String {
    let roles = Roles::of(&[Role::Clinician, Role::Admin]).unwrap();
    let link = house.runtime.block_on(house.gate.create_setup_link("ada", roles, &Tenant::main())).unwrap();
    let asks = client::send(
        house.address,
        &client::request("GET", &format!("/auth/link?token={}", link.reveal()), &[], b""),
    );
    assert_eq!((asks.status, asks.header("set-cookie")), (200, None), "opening the link only asks");
    let form = format!("token={}", link.reveal());
    let opened = ask(house, "POST", "/auth/link", "", &form);
    assert_eq!((opened.status, opened.header("location")), (303, Some("/")));
    let cookie = opened.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(ask(house, "POST", "/auth/link", "", &form).status, 401, "a link works once");
    cookie.split(';').next().unwrap().to_string()
}

/// The token that the page's forms carry.
fn csrf_of(page: &str) -> &str {
    page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn a_session_looks_at_pages_and_ends() {
    let house = House::new();
    let cookie = sign_in(&house);
    let page = ask(&house, "GET", "/", &cookie, "");
    assert_eq!(page.status, 200, "{}", page.text());
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(ask(&house, "GET", "/fhir/Patient", &cookie, "").status, 200);
    let text = page.text();
    let csrf = csrf_of(&text);
    for form in ["", "csrf=wrong"] {
        assert_eq!(ask(&house, "POST", "/auth/sign-out", &cookie, form).status, 403, "{form}");
    }
    let out = ask(&house, "POST", "/auth/sign-out", &cookie, &format!("csrf={csrf}"));
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(ask(&house, "GET", "/", &cookie, "").status, 401);
    let (lines, _) = house.audit(0);
    for start in ["login done", "count done", "search done", "logout done"] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start} in {lines:#?}");
    }
}

#[test]
fn another_site_cannot_write_with_a_session() {
    let house = House::new();
    let cookie = sign_in(&house);
    let body = r#"{"resourceType":"Patient","id":"1"}"#;
    let headers = [("Cookie", cookie.as_str()), ("Content-Type", "application/fhir+json")];
    let put = client::request("PUT", "/fhir/Patient/1", &headers, body.as_bytes());
    let refused = client::send(house.address, &put);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("csrf"), "{}", refused.text());
    let page = ask(&house, "GET", "/", &cookie, "").text();
    let headers = [
        ("Cookie", cookie.as_str()),
        ("Content-Type", "application/fhir+json"),
        ("X-CSRF-Token", csrf_of(&page)),
    ];
    let put = client::request("PUT", "/fhir/Patient/1", &headers, body.as_bytes());
    assert_eq!(client::send(house.address, &put).status, 201);
}

#[test]
fn a_purpose_is_chosen_for_the_pages() {
    let house = House::new();
    let cookie = sign_in(&house);
    let page = ask(&house, "GET", "/", &cookie, "").text();
    let csrf = csrf_of(&page);
    let chosen = ask(&house, "POST", "/purpose", &cookie, &format!("csrf={csrf}&purpose=HQUALIMP"));
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    let purpose = chosen.header("set-cookie").unwrap().split(';').next().unwrap().to_string();
    let (_, before) = house.audit(0);
    ask(&house, "GET", "/", &format!("{cookie}; {purpose}"), "");
    let (lines, _) = house.audit(before);
    assert!(
        lines.iter().any(|line| line.starts_with("count done") && line.contains("for HQUALIMP")),
        "{lines:?}"
    );
    let refused = ask(&house, "POST", "/purpose", &cookie, &format!("csrf={csrf}&purpose=HRESCH"));
    assert_eq!(refused.status, 403);
}

#[test]
fn pages_are_for_people_who_signed_in_and_assets_for_everybody() {
    let house = House::new();
    let refused = client::send(house.address, &client::request("GET", "/", &[], b""));
    assert_eq!(refused.status, 401);
    let text = refused.text();
    assert!(text.contains("Sign in"), "{text}");
    let sheet =
        text.split("href=\"").map(|rest| rest.split('"').next().unwrap()).find(|href| href.ends_with(".css"));
    let asset = client::send(house.address, &client::request("GET", sheet.unwrap(), &[], b""));
    assert_eq!(asset.status, 200);
    assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
}

#[test]
fn metrics_are_shown_to_the_scope() {
    let house = House::new();
    house.ask("service", "GET", "/fhir/Patient/1", "");
    let lines = ["salus_requests_total{interaction=\"read\",status=\"4xx\"} 1", "salus_connections 1"];
    let mut text = String::new();
    // The connection before may be counted until its end is seen.
    for _ in 0..100 {
        text = house.ask("service", "GET", "/metrics", "").text();
        if lines.iter().all(|line| text.lines().any(|l| l == *line)) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for line in lines {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert_eq!(house.ask("analyst", "GET", "/metrics", "").status, 403);
}
