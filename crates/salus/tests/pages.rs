//! The dashboard without a browser: who gets in, who sees what, and what no form may do.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use support::{Server, salus};

const SERVE: [&str; 5] = ["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"];

/// An answer to a browser.
struct Page {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    fn expect(self, status: u16) -> Page {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.body);
        self
    }

    /// What its forms carry.
    fn csrf(&self) -> &str {
        let rest = self.body.split("name=\"csrf\" value=\"").nth(1).expect("pages have forms");
        rest.split('"').next().expect("a value ends")
    }
}

/// A browser of one person: it keeps the session's cookie.
struct Browser {
    host: String,
    cookie: String,
}

impl Browser {
    /// Opens a new link for a role and signs in.
    fn of(server: &Server, dir: &Path, role: &str) -> Browser {
        let made =
            salus(dir, &["token", "link", "--role", role, "--name", role, "--data-dir", "data"]).expect(0);
        let link = made.stdout.trim();
        let token = link.split("token=").nth(1).expect("a link carries its secret");
        let mut browser =
            Browser { host: server.url.trim_start_matches("http://").to_owned(), cookie: String::new() };
        // Opening it any number of times does not use it up.
        for _ in 0..2 {
            browser.get(&format!("/auth/link?token={token}")).expect(200);
        }
        let opened = browser.send("POST", "/auth/link", &format!("token={token}"), "").expect(303);
        let cookie = opened.header("set-cookie").expect("a session was opened");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        browser.cookie = cookie.split(';').next().expect("a cookie has a value").to_owned();
        browser.send("POST", "/auth/link", &format!("token={token}"), "").expect(401);
        browser
    }

    fn get(&self, path: &str) -> Page {
        self.send("GET", path, "", "")
    }

    /// Sends a form with the token of a page.
    fn post(&self, path: &str, form: &str) -> Page {
        let csrf = self.get("/settings").expect(200).csrf().to_owned();
        self.send("POST", path, &format!("{form}&csrf={csrf}"), "")
    }

    fn send(&self, method: &str, path: &str, form: &str, headers: &str) -> Page {
        let mut stream = TcpStream::connect(&self.host).expect("the server listens");
        let length = form.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n{headers}\r\n{form}",
            self.host, self.cookie
        )
        .expect("the server reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("pages are text");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status =
            head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
        Page { status, head: head.to_owned(), body: body.to_owned() }
    }
}

fn loaded(dir: &Path) {
    let bundle = r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"Patient","id":"a","gender":"female","birthDate":"1980","name":[{"family":"Zabriskie","given":["Ida"]}]}},
        {"resource":{"resourceType":"Patient","id":"b","gender":"male","birthDate":"2001-05-06","name":[{"family":"Quackenbush"}]}},
        {"resource":{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/a"},"code":{"text":"Asthma"},"onsetDateTime":"2020-03",
            "clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}}]}"#;
    std::fs::write(dir.join("bundle.json"), bundle).expect("the folder takes files");
    salus(dir, &["import", "bundle.json", "--data-dir", "data"]).expect(0);
}

#[test]
fn each_role_sees_what_is_open_to_it() {
    let dir = tempfile::tempdir().unwrap();
    loaded(dir.path());
    let server = Server::start(dir.path(), &SERVE);
    let clinician = Browser::of(&server, dir.path(), "clinician");
    let overview = clinician.get("/").expect(200);
    assert!(overview.body.contains("2 people") && !overview.body.contains(">Audit<"), "{}", overview.body);
    assert!(clinician.get("/patients/a").expect(200).body.contains("Zabriskie, Ida"));
    assert!(clinician.get("/patients/a").body.contains("Asthma"));
    assert!(clinician.get("/resources/Condition/c?view=versions").expect(200).body.contains("local:"));
    clinician.get("/patients/nobody").expect(404);
    clinician.get("/audit").expect(403);
    clinician.post("/settings/tokens", "name=x&role=service&expires=30d").expect(403);
    let admin = Browser::of(&server, dir.path(), "admin");
    let overview = admin.get("/").expect(200);
    assert!(
        overview.body.contains("not open to your role") && !overview.body.contains("/patients"),
        "{}",
        overview.body
    );
    admin.get("/patients").expect(403);
    admin.get("/patients/a").expect(403);
    let made = admin.post("/settings/tokens", "name=script&role=service&expires=30d").expect(200);
    assert!(made.body.contains("value=\"salus_"), "{}", made.body);
    let auditor = Browser::of(&server, dir.path(), "auditor");
    let ledger = auditor.get("/audit").expect(200).body;
    assert!(
        ledger.contains("denied") && ledger.contains("login") && ledger.contains("token-create"),
        "{ledger}"
    );
    let log = server.log();
    assert!(!log.contains("Zabriskie") && !log.contains("Quackenbush"), "a name is in the log");
}

#[test]
fn a_filter_stays_with_its_maker_and_out_of_addresses() {
    let dir = tempfile::tempdir().unwrap();
    loaded(dir.path());
    let server = Server::start(dir.path(), &SERVE);
    let ada = Browser::of(&server, dir.path(), "clinician");
    let found = ada.post("/patients", "name=zabr&born=&sex=").expect(303);
    let address = found.header("location").unwrap().to_owned();
    assert!(address.starts_with("/patients?h=") && !address.contains("zabr"), "{address}");
    let list = ada.get(&address).expect(200).body;
    assert!(
        list.contains("Zabriskie") && !list.contains("Quackenbush") && list.contains("1 of 1 patient"),
        "{list}"
    );
    let bea = Browser::of(&server, dir.path(), "clinician");
    let theirs = bea.get(&address).expect(200).body;
    assert!(theirs.contains("no longer kept") && !theirs.contains("zabr\""), "{theirs}");
    // By codes alone an address can be shared; by what may identify it cannot.
    let shared = ada.post("/search", "type=Patient&name=gender&value=male").expect(303);
    assert_eq!(shared.header("location"), Some("/search?type=Patient&q=gender%3Dmale"));
    assert!(bea.get("/search?type=Patient&q=gender%3Dmale").expect(200).body.contains("Quackenbush"));
    let kept = ada.post("/search", "type=Condition&name=patient.name&value=zabriskie").expect(303);
    let address = kept.header("location").unwrap().to_owned();
    assert!(!address.contains("zabriskie"), "{address}");
    assert!(ada.get(&address).expect(200).body.contains("Asthma"));
    let wrong = ada.get("/search?type=Patient&q=color%3Dred").expect(400).body;
    assert!(wrong.contains("Nothing was searched") && wrong.contains("color"), "{wrong}");
}

#[test]
fn no_form_of_another_site_does_anything() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &SERVE);
    let admin = Browser::of(&server, dir.path(), "admin");
    for path in ["/find", "/purpose", "/settings/tokens", "/settings/links", "/audit", "/auth/sign-out"] {
        admin.send("POST", path, "name=x&role=service&expires=30d&purpose=HSYSADMIN", "").expect(403);
        admin.send("POST", path, "csrf=wrong&name=x&role=service&expires=30d", "").expect(403);
    }
    assert!(admin.get("/settings").expect(200).body.contains("No tokens yet"));
    admin.send("POST", "/auth/link", "token=x", "sec-fetch-site: cross-site\r\n").expect(403);
    admin.post("/purpose", "purpose=TREAT").expect(403);
    let page = admin.get("/settings").expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(
        (page.header("cache-control"), page.header("referrer-policy")),
        (Some("no-store"), Some("no-referrer"))
    );
    admin.post("/auth/sign-out", "").expect(303);
    admin.get("/settings").expect(401);
}

#[test]
fn a_timeline_in_pages_shows_everything_once() {
    let dir = tempfile::tempdir().unwrap();
    // Every five hours, on clocks around the world: local days and instants disagree. And what is known by month or year alone.
    let mut entries =
        vec![r#"{"resource":{"resourceType":"Patient","id":"a","birthDate":"1980"}}"#.to_owned()];
    for n in 0..150 {
        let (day, hour, offset) = (1 + n * 5 / 24, n * 5 % 24, ["-11:00", "+00:00", "+13:00"][n % 3]);
        let when = if n % 50 == 49 {
            "2024-01".to_owned()
        } else {
            format!("2024-01-{day:02}T{hour:02}:00:00{offset}")
        };
        entries.push(format!(
            r#"{{"resource":{{"resourceType":"Observation","id":"o{n}","status":"final","code":{{"text":"Pulse"}},"subject":{{"reference":"Patient/a"}},
            "effectiveDateTime":"{when}","valueInteger":{n}}}}}"#
        ));
    }
    let bundle =
        format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","));
    std::fs::write(dir.path().join("bundle.json"), bundle).unwrap();
    salus(dir.path(), &["import", "bundle.json", "--data-dir", "data"]).expect(0);
    let server = Server::start(dir.path(), &SERVE);
    let browser = Browser::of(&server, dir.path(), "clinician");
    let (mut seen, mut n_pages, mut address) = (Vec::new(), 0, "/patients/a".to_owned());
    loop {
        let page = browser.get(&address).expect(200).body;
        n_pages += 1;
        let timeline =
            page.split("class=\"timeline\"").nth(1).and_then(|rest| rest.split("</ol>").next()).unwrap_or("");
        let links = timeline.split("href=\"/resources/Observation/").skip(1);
        seen.extend(links.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        let Some(older) =
            page.split("\" rel=\"next\">Older").next().filter(|before| before.len() < page.len())
        else {
            break;
        };
        address = older.rsplit("href=\"").next().expect("a link has an address").replace("&amp;", "&");
    }
    let n_shown = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((n_shown, seen.len()), (150, 150), "on {n_pages} pages");
    assert!(n_pages > 3, "{n_pages}");
}
