//! What a server of streams stands on goes away for a while and comes back: the log, `stream.db`, the store, the audit ledger, the space on its disk.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends where something is not as it should be"
)]

#[path = "support/senders.rs"]
mod senders;
mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use senders::{Acknowledged, Stop, event, load};
use support::{Client, Server, token};

const SERVE: [&str; 5] = ["serve", "--config", "salus.yaml", "--listen", "127.0.0.1:0"];
/// Something is always on its way into the store.
const CONFIG: &str = "data_dir: data\nstream: {observations: all}\n";
const EVENTS: &str = "api/v1/events";

fn number(dir: &Path, sql: &str) -> i64 {
    let path = dir.join("data/stream.db");
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn until(what: &str, secs: u64, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(secs), "not within {secs} s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Everything that was acknowledged is there once, and so are its alerts.
fn check(dir: &Path, client: &mut Client, acknowledged: &Acknowledged) {
    until("everything is processed", 180, || {
        client.get("api/v1/streams").expect(200).text.contains(r#""lag":0,"#)
    });
    let conn =
        Connection::open_with_flags(dir.join("data/stream.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows = conn.prepare("SELECT event FROM measured").unwrap();
    let kept: std::collections::BTreeSet<String> =
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let lost: Vec<&String> = acknowledged.ids.difference(&kept).take(10).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let n = |sql: &str| number(dir, sql);
    assert_eq!(n("SELECT count(*) FROM measured"), n("SELECT sum(next) FROM position"), "each once");
    assert_eq!(
        n("SELECT count(*) FROM alert WHERE topic = 'heart-rate'"),
        n("SELECT count(DISTINCT patient) FROM measured"),
        "one alert for each patient"
    );
    assert_eq!(n("SELECT count(*) FROM dead_letter"), 0);
}

/// What a client of the door and of readiness sees while `away` lasts.
fn look(client: &mut Client, n: &mut u32) -> (u16, String, u16) {
    *n += 1;
    let answer = client.send("POST", EVENTS, Some(&event(&format!("look-{n}"), "Patient/look")));
    let again = answer.header("retry-after").to_owned();
    (answer.status, again, client.get("readyz").status)
}

#[test]
fn another_process_that_holds_a_file_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("salus.yaml"), CONFIG).unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let server = Server::start(dir.path(), &SERVE);
    let mut client = Client::new(&server.url, Some(&secret));
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(Acknowledged::default()));
    let mut n_looks = 0;
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for lane in 0..2 {
            let (url, secret, acknowledged, stop) = (server.url.clone(), &secret, &acknowledged, &stop);
            scope.spawn(move || load(&url, secret, lane, acknowledged, stop));
        }
        for (name, takes_events) in [
            ("log.db", Some(false)),
            ("stream.db", Some(true)),
            ("salus.db", Some(true)),
            ("govern.db", None),
        ] {
            std::thread::sleep(Duration::from_secs(1));
            let held = Connection::open(dir.path().join("data").join(name)).unwrap();
            held.busy_timeout(Duration::from_secs(120)).unwrap();
            held.execute_batch("BEGIN IMMEDIATE").unwrap();
            let began = Instant::now();
            // Longer than any statement waits for a lock.
            let mut seen = Vec::new();
            while began.elapsed() < Duration::from_secs(13) {
                seen.push(look(&mut client, &mut n_looks));
                std::thread::sleep(Duration::from_millis(200));
            }
            held.execute_batch("ROLLBACK").unwrap();
            drop(held);
            for (status, again, _) in &seen {
                assert!(*status == 200 || (*status == 503 && again == "1"), "{name}: {seen:?}");
            }
            let n_taken = seen.iter().filter(|(status, ..)| *status == 200).count();
            match takes_events {
                Some(takes_events) => assert_eq!(n_taken == seen.len(), takes_events, "{name}: {seen:?}"),
                // What a sender may is recorded once a minute, before it is answered: that one is told to come again.
                None => assert!(n_taken > 0, "{name}: {seen:?}"),
            }
            if name != "govern.db" {
                assert!(seen.iter().any(|(.., ready)| *ready == 503), "{name}: readiness never said no");
            }
            until("it is ready again", 120, || client.get("readyz").status == 200);
            client.send("POST", EVENTS, Some(&event(&format!("after-{name}"), "Patient/look"))).expect(200);
        }
    });
    check(dir.path(), &mut client, &acknowledged.into_inner().unwrap());
    // What waited for the store is in it.
    until("Observations are written", 120, || {
        client.get("fhir/Observation?_summary=count").text.contains(r#""total":"#)
            && number(dir.path(), "SELECT count(*) FROM observation") == 0
    });
}

/// A server in a mount namespace of its own, whose data stands on a small disk. `None` where that is not allowed.
fn on_small_disk(dir: &Path) -> Option<Server> {
    let allowed = Command::new("unshare")
        .args(["-m", "sh", "-c", "mkdir -p data && mount -t tmpfs -o size=200m tmpfs data"])
        .current_dir(dir)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        println!("not checked: a full disk under a whole server, as no file system can be mounted here");
        return None;
    }
    // The folder is filled before the server starts, so that tokens exist.
    let script =
        "cp -a data before && mount -t tmpfs -o size=200m tmpfs data && cp -a before/. data/ && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.current_dir(dir).args(["-m", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_salus")]).args(SERVE);
    Some(Server::of(command))
}

#[test]
fn a_disk_without_space_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("salus.yaml"), CONFIG).unwrap();
    let secret = token(dir.path(), "data", &["--role", "service"]);
    let Some(server) = on_small_disk(dir.path()) else { return };
    let mut client = Client::new(&server.url, Some(&secret));
    // As the server sees it.
    let root = format!("/proc/{}/root{}", server.pid(), dir.path().canonicalize().unwrap().display());
    let root = Path::new(&root).to_path_buf();
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(Acknowledged::default()));
    let mut n_looks = 0;
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for lane in 0..2 {
            let (url, secret, acknowledged, stop) = (server.url.clone(), &secret, &acknowledged, &stop);
            scope.spawn(move || load(&url, secret, lane, acknowledged, stop));
        }
        std::thread::sleep(Duration::from_secs(1));
        let filler = root.join("data/filler");
        let fill = || {
            // Until there is no room, also for what is still growing.
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&filler).unwrap();
            while std::io::Write::write_all(&mut file, &[7; 4096]).is_ok() {}
        };
        let mut seen = Vec::new();
        until("senders are told to come again", 120, || {
            fill();
            seen.push(look(&mut client, &mut n_looks));
            seen.iter()
                .filter(|(status, again, ready)| (*status, again.as_str(), *ready) == (503, "1", 503))
                .count()
                > 3
        });
        std::fs::remove_file(&filler).unwrap();
        until("it is ready again", 120, || client.get("readyz").status == 200);
        client.send("POST", EVENTS, Some(&event("after", "Patient/look"))).expect(200);
        std::thread::sleep(Duration::from_secs(1));
    });
    until("everything is processed", 180, || {
        client.get("api/v1/streams").expect(200).text.contains(r#""lag":0,"#)
    });
    // SQLite would look for the file outside of the server's namespace.
    let seen = dir.path().join("seen");
    std::fs::create_dir_all(seen.join("data")).unwrap();
    for name in ["data/stream.db", "data/stream.db-wal"] {
        std::fs::copy(root.join(name), seen.join(name)).unwrap();
    }
    check(&seen, &mut client, &acknowledged.into_inner().unwrap());
}
