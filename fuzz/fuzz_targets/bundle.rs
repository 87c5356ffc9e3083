//! No resource, nor any entry of a bundle, breaks validation or extraction, whatever is in it.
#![no_main]

#[path = "../bodies/bundle.rs"]
mod body;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| body::run(bytes));
