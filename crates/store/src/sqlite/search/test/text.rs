//! String search: from the start, anywhere, exact; texts of tokens.

use compact_str::CompactString;
use search::query::StringMode;

use super::super::arm::{Arm, Arms};
use super::super::sql::Sql;
use crate::sqlite::index::pack::exact_of;

/// What a text must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum TextTest {
    /// The folded text begins with this.
    Start(CompactString),
    /// The folded text contains this.
    Contains(CompactString),
    /// Folded text, and what is kept beside it when it was written in another way.
    Exact(CompactString, CompactString),
}

pub(in super::super) fn compile(mode: StringMode, any_of: &[CompactString]) -> Vec<TextTest> {
    let test = |text: &CompactString| match mode {
        StringMode::StartsWith => TextTest::Start(text.clone()),
        StringMode::Contains => TextTest::Contains(text.clone()),
        StringMode::Exact => {
            let folded = search::fold(text);
            let exact = exact_of(&folded, text);
            TextTest::Exact(folded, exact)
        }
    };
    any_of.iter().map(test).collect()
}

impl TextTest {
    pub(in super::super) fn passes(&self, text: &str, exact: &str) -> bool {
        match self {
            TextTest::Start(start) => text.starts_with(start.as_str()),
            TextTest::Contains(part) => text.contains(part.as_str()),
            TextTest::Exact(folded, wanted) => text == folded && exact == wanted,
        }
    }
}

pub(in super::super) fn arms(p: u32, tests: &[TextTest]) -> Arms {
    let arm = |test: &TextTest| {
        let of_param = Sql::with("p = ?", [p]);
        match test {
            TextTest::Start(start) => {
                // No text goes on with a byte above 0xF4, so everything that begins so is below.
                let above = format!("{start}\u{10FFFF}");
                let range = Sql::with("text >= ? AND text <= ?", [start.to_string(), above]);
                Arm::new("string", of_param.and(range), false)
            }
            TextTest::Contains(part) => {
                Arm::new("string", of_param.and(Sql::with("instr(text, ?) > 0", [part.to_string()])), false)
            }
            TextTest::Exact(folded, exact) => {
                let same = Sql::with("text = ? AND exact = ?", [folded.to_string(), exact.to_string()]);
                Arm::new("string", of_param.and(same), true)
            }
        }
    };
    Arms::exact(tests.iter().map(arm).collect())
}
