//! How long a score takes: `cargo run --release -p salus-quality --example speed -- FILE...` (JSON bundles).
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for developers")]

use fhir::{Instant, Resource, json::Limits};

fn main() {
    let now = Instant::parse("2026-01-01T00:00:00Z").unwrap();
    let mut resources = Vec::new();
    for path in std::env::args().skip(1) {
        let bundle = Resource::parse(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
        for entry in bundle.object().get("entry").map_or(&[][..], fhir::Value::items) {
            resources.push(Resource::from_value(entry.get("resource").unwrap().clone()).unwrap());
        }
    }
    let (started, mut n_scored, mut n_failures) = (std::time::Instant::now(), 0usize, 0);
    while started.elapsed().as_secs() < 2 {
        for resource in &resources {
            n_failures += quality::score(resource, now).failures.len();
        }
        n_scored += resources.len();
    }
    let micros = started.elapsed().as_secs_f64() * 1e6 / n_scored as f64;
    println!("{micros:.2} µs a resource, {:.2} failures each", n_failures as f64 / n_scored as f64);
}
