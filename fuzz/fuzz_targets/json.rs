//! What the JSON parser takes, it writes and takes again, the same.
#![no_main]

use fhir::json::{Limits, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = parse(bytes, &Limits::default()) else { return };
    let again = parse(value.to_text().as_bytes(), &Limits::default()).expect("what was written is JSON");
    assert!(again == value, "it came back changed");
});
