//! How many resources a second one core validates: `cargo run --release -p salus-validate --example speed -- FILE...` (JSON bundles).
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for developers")]

use std::time::Instant;

use fhir::{Resource, json::Limits};
use validate::{Level, check};

fn main() {
    let started = Instant::now();
    let _ = fhir::definitions::elements(fhir::definitions::TypeId::of_kind(fhir::Kind::PATIENT));
    println!("definitions of types read in {:?}", started.elapsed());
    let mut resources = Vec::new();
    for path in std::env::args().skip(1) {
        let bundle = Resource::parse(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
        for entry in bundle.object().get("entry").map_or(&[][..], fhir::Value::items) {
            resources.push(Resource::from_value(entry.get("resource").unwrap().clone()).unwrap());
        }
    }
    for level in [Level::Basic, Level::Full] {
        check(&resources[0], level);
        let (started, mut n_issues, mut n_checked) = (Instant::now(), 0, 0usize);
        while started.elapsed().as_secs() < 2 {
            for resource in &resources {
                n_issues += check(resource, level).len();
            }
            n_checked += resources.len();
        }
        let rate = n_checked as f64 / started.elapsed().as_secs_f64();
        println!(
            "{level:?}: {rate:.0} resources a second ({} resources, {n_issues} issues)",
            resources.len()
        );
    }
}
