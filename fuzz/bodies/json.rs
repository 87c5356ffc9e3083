//! What the JSON parser takes, it writes and takes again, the same. Run by the fuzz target and, on a corpus, by `crates/gate/tests/fuzz`.

use fhir::json::{Limits, parse};

/// One run.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(value) = parse(bytes, &Limits::default()) else { return };
    let again = parse(value.to_text().as_bytes(), &Limits::default()).expect("what was written is JSON");
    assert!(again == value, "it came back changed");
}
