//! `regex`: the whole text matches a pattern.

use regex::{Regex, RegexBuilder};
use table::{Batch, Type};

use crate::check::cells::Cells;
use crate::check::mask::{Memo, of_text};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems};

const COMPILED_BYTES_MAX: usize = 1 << 20;

#[derive(Debug)]
struct Matches {
    /// The pattern as it was written; it must match the whole text.
    pattern: String,
    regex: Regex,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let pattern = fields.required_text("pattern", problems)?;
    match RegexBuilder::new(&format!("^(?:{})$", pattern.text)).size_limit(COMPILED_BYTES_MAX).build() {
        Ok(regex) => Some(Box::new(Matches { pattern: pattern.text, regex })),
        Err(_) => {
            problems.add(pattern.at, "`pattern` of the check is no regular expression, or a too big one");
            None
        }
    }
}

impl Rule for Matches {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        planned.types(|kind| kind == Type::Text, "a text", problems);
    }

    fn start(&self, _start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Row(Box::new(Matching { regex: self.regex.clone(), memo: Memo::default() })))
    }

    fn must(&self) -> String {
        format!("must match `{}`", self.pattern)
    }

    fn hint(&self) -> String {
        "compare the shapes of the masked samples with the pattern: another format of the source system, or a pattern that is too strict".to_owned()
    }
}

struct Matching {
    regex: Regex,
    memo: Memo,
}

impl RowTest for Matching {
    fn judge(&mut self, cells: &[&Cells], _batch: &Batch) -> Result<Judged, EtlError> {
        let text = cells[0].text().expect("the column was planned as text");
        let passing = of_text(&text, &mut self.memo, |text| self.regex.is_match(text));
        Ok(Judged { assessed: cells[0].present.clone(), failing: !&passing })
    }
}
