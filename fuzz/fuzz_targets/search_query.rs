//! No query text breaks the parser, and one that is understood means the same when it is written out. The first byte chooses the type.
#![no_main]

use fhir::{Instant, Kind};
use libfuzzer_sys::fuzz_target;
use search::{Options, parse};

fuzz_target!(|input: (u8, bool, &str)| {
    let (at, strict, text) = input;
    let kind = Kind::at_index(usize::from(at));
    let options = Options::new(strict, vec!["http://h/fhir".into()], Instant(1_718_452_800_000_000));
    let Ok(parsed) = parse(kind, text, &options) else { return };
    let again = parse(kind, &parsed.query.canonical, &options).expect("what was written is understood");
    let expected = search::Query { count: None, cursor: None, ..parsed.query };
    assert_eq!(again.query, expected);
});
