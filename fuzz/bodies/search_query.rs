//! No query text breaks the parser, and one that is understood means the same when it is written out. The first byte chooses the type. Run by the fuzz target and, on a corpus, by `crates/gate/tests/fuzz`.

use fhir::{Instant, Kind};
use search::{Options, parse};

/// One run.
pub(crate) fn run(at: u8, strict: bool, text: &str) {
    let kind = Kind::at_index(usize::from(at));
    let options = Options::new(strict, vec!["http://h/fhir".into()], Instant(1_718_452_800_000_000));
    let Ok(parsed) = parse(kind, text, &options) else { return };
    let again = parse(kind, &parsed.query.canonical, &options).expect("what was written is understood");
    let expected = search::Query { count: None, cursor: None, ..parsed.query };
    assert_eq!(again.query, expected);
}
