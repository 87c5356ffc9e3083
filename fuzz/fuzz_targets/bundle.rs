//! No resource, nor any entry of a bundle, breaks validation or extraction, whatever is in it.
#![no_main]

use fhir::json::Limits;
use fhir::{Instant, Resource, Value};
use libfuzzer_sys::fuzz_target;
use search::{EquityRules, Extractor};

fuzz_target!(|bytes: &[u8]| {
    let Ok(bundle) = Resource::parse(bytes, &Limits::default()) else { return };
    let extractor = Extractor::new(vec!["http://h/fhir".into()], EquityRules::default());
    let entries = bundle.value().get("entry").map(Value::each).unwrap_or_default();
    let inside = entries.iter().filter_map(|entry| Resource::from_value(entry.get("resource")?.clone()).ok());
    for resource in inside.chain([bundle.clone()]) {
        validate::check(&resource, validate::Level::Full);
        extractor.extract(&resource, Instant(0));
    }
});
