//! No query text breaks the parser, and one that is understood means the same when it is written out. The first byte chooses the type.
#![no_main]

#[path = "../bodies/search_query.rs"]
mod body;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, bool, &str)| body::run(input.0, input.1, input.2));
