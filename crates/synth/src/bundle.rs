//! A transaction bundle that puts each resource at its own id, so that sending it twice changes nothing.

use compact_str::{CompactString, format_compact};
use fhir::Value;
use uuid::Uuid;

use crate::make::{object, word};

/// The name space of `fullUrl`s: made from the type and id of the resource, so that they are the same every time.
const FULL_URL_SPACE: Uuid = Uuid::from_u128(0x5a1a_5000_0000_4000_8000_7379_6e74_6821);

/// A transaction bundle of resources with ids. Each entry is a `PUT` to `Type/id`; its `fullUrl` is a UUID derived from that.
/// References stay as they are (`Patient/…`).
///
/// # Panics
/// When a resource has no type or no id.
pub fn bundle_of(resources: Vec<Value>) -> Value {
    let entries: Vec<Value> = resources.into_iter().map(entry).collect();
    object([("resourceType", word("Bundle")), ("type", word("transaction")), ("entry", entries.into())])
}

fn entry(resource: Value) -> Value {
    let kind = resource.text("resourceType").expect("a resource has a type");
    let id = resource.text("id").expect("a synthetic resource has an id");
    let url: CompactString = format_compact!("{kind}/{id}");
    let uuid = Uuid::new_v5(&FULL_URL_SPACE, url.as_bytes());
    object([
        ("fullUrl", format_compact!("urn:uuid:{uuid}").into()),
        ("resource", resource),
        ("request", object([("method", word("PUT")), ("url", url.into())])),
    ])
}
