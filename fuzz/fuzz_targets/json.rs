//! What the JSON parser takes, it writes and takes again, the same.
#![no_main]

#[path = "../bodies/json.rs"]
mod body;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| body::run(bytes));
