//! The server as its callers see it: a real one on a free port for every case.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod client;
mod decision;
mod disk;
mod house;
mod limits;
mod race;
mod script;
mod session;
mod socket;
mod stop;
mod streams;
mod tls;

#[test]
fn cases_over_http() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/http");
    let n_cases = testkit::cases(folder, script::run);
    assert!(n_cases >= 40, "{n_cases}");
}
