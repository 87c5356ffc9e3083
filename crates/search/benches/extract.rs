//! How many resources a second one core extracts: `cargo bench -p salus-search -- FOLDER` with a folder of FHIR bundles.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use fhir::json::Limits;
use fhir::{Resource, Value};

fn main() {
    let folder = std::env::args().nth(1).filter(|arg| !arg.starts_with('-'));
    let Some(folder) = folder else {
        println!("not measured: name a folder of FHIR bundles");
        return;
    };
    let resources = load(&folder);
    let extractor = search::Extractor::new(Vec::new(), search::EquityRules::default());
    let at = fhir::Instant(0);
    for round in 1..=3 {
        let start = Instant::now();
        let n_rows: usize = resources.iter().map(|resource| extractor.extract(resource, at).len()).sum();
        let secs = start.elapsed().as_secs_f64();
        let n = resources.len();
        println!(
            "round {round}: {n} resources, {:.1} rows each, {:.0} resources/s",
            n_rows as f64 / n as f64,
            n as f64 / secs
        );
    }
}

fn load(folder: &str) -> Vec<Resource> {
    let mut resources = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("the file can be read");
        let bundle = fhir::json::parse(&bytes, &Limits::default()).expect("the file is JSON");
        for entry in bundle.get("entry").map(Value::items).unwrap_or_default() {
            let resource = entry.get("resource").cloned().map(Resource::from_value);
            resources.extend(resource.and_then(Result::ok));
        }
    }
    resources
}
