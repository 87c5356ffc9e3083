//! Events per second through the doors on one core: `cargo bench -p salus-event --bench door`.

use std::time::Instant as Clock;

use event::{Event, Sources};
use fhir::Instant;

const PLAIN: &str = r#"{"id":"0190f0a2-7c33-7d2e-8000-000000000001","kind":"vital_signs","patient":"Patient/1","at":"2026-06-15T12:00:00Z","source":"monitor","unit":"W3","data":{"heart_rate":72,"respiratory_rate":16,"spo2":97,"systolic":121,"diastolic":75}}"#;
const ROUNDS: usize = 200;
const EVENTS: u32 = 2_000;

/// The best of many short rounds: other work on the machine makes rounds slower, never faster.
#[allow(clippy::print_stdout)]
fn measure(what: &str, n_bytes: usize, one: impl Fn() -> usize) {
    let (mut best, mut sum) = (0.0_f64, 0);
    for _ in 0..ROUNDS {
        let start = Clock::now();
        for _ in 0..EVENTS {
            sum += one();
        }
        best = best.max(f64::from(EVENTS) / start.elapsed().as_secs_f64());
    }
    println!("{what}: {best:.0} events/s of {n_bytes} bytes ({sum} in all)");
}

fn main() {
    let (sources, now) = (Sources::default(), Instant::parse("2026-06-15T12:00:01Z").expect("an instant"));
    let event = Event::parse(PLAIN.as_bytes(), &sources, now).expect("an event");
    let kept = event.to_bytes();
    measure("parse (door)", PLAIN.len(), || {
        Event::parse(PLAIN.as_bytes(), &sources, now).expect("an event").measurements().len()
    });
    measure("of_bytes (log)", kept.len(), || Event::of_bytes(&kept).expect("an event").measurements().len());
    measure("to_bytes (log)", kept.len(), || event.to_bytes().len());
    measure("content_hash", kept.len(), || usize::from(event.content_hash()[0]));
}
