//! No resource, nor any entry of a bundle, breaks validation or extraction, whatever is in it. Run by the fuzz target and, on a corpus, by `crates/gate/tests/fuzz`.

use fhir::json::Limits;
use fhir::{Instant, Resource, Value};
use search::{EquityRules, Extractor};

/// One run.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(bundle) = Resource::parse(bytes, &Limits::default()) else { return };
    let extractor = Extractor::new(vec!["http://h/fhir".into()], EquityRules::default());
    let entries = bundle.value().get("entry").map(Value::each).unwrap_or_default();
    let inside = entries.iter().filter_map(|entry| Resource::from_value(entry.get("resource")?.clone()).ok());
    for resource in inside.chain([bundle.clone()]) {
        validate::check(&resource, validate::Level::Full);
        extractor.extract(&resource, Instant(0));
    }
}
