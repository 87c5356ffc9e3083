//! What the definitions cost: `cargo run --release -p salus-fhir --example definitions` prints time and memory of each file.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for developers")]

use std::time::Instant;

use fhir::Kind;
use fhir::definitions::{self, TypeId};

/// Resident memory in KiB (Linux).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let patient = TypeId::of_kind(Kind::PATIENT);
    let steps: [(&str, &dyn Fn()); 6] = [
        ("types", &|| assert!(!definitions::elements(patient).is_empty())),
        ("search parameters", &|| assert!(!definitions::search_params(Kind::PATIENT).is_empty())),
        ("compartments", &|| assert!(definitions::compartment(Kind::PATIENT, Kind::PATIENT).len() == 1)),
        ("bindings", &|| {
            assert!(
                definitions::value_set_codes("http://hl7.org/fhir/ValueSet/administrative-gender").is_some()
            );
        }),
        ("other value sets", &|| assert!(definitions::value_set_codes("http://example.org").is_none())),
        ("invariants", &|| assert!(!definitions::invariants("Observation").is_empty())),
    ];
    for (name, step) in steps {
        let (before, started) = (resident(), Instant::now());
        step();
        println!("{name}: {:?}, {} KiB", started.elapsed(), resident() - before);
    }
}
