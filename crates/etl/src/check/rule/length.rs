//! `length`: the text has so many characters.

use table::{Batch, Type};

use crate::check::cells::Cells;
use crate::check::mask::{Memo, of_text};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems};

#[derive(Clone, Debug)]
struct Length {
    /// Fewest characters.
    min: Option<u64>,
    /// Most characters.
    max: Option<u64>,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let (min, max) = (fields.whole("min", problems), fields.whole("max", problems));
    let exact = fields.whole("exact", problems);
    let length = match (exact, min, max) {
        (Some(n), None, None) => Length { min: Some(n), max: Some(n) },
        (None, None, None) | (Some(_), _, _) => {
            problems.add(fields.at(), "the rule `length` needs `min`, `max`, or `exact` alone");
            return None;
        }
        (None, min, max) => Length { min, max },
    };
    if length.min.zip(length.max).is_some_and(|(min, max)| min > max) {
        problems.add(fields.at(), "`min` of the check is more than `max`: no row could pass");
        return None;
    }
    Some(Box::new(length))
}

impl Rule for Length {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        planned.types(|kind| kind == Type::Text, "a text", problems);
    }

    fn start(&self, _start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Row(Box::new(Measuring { length: self.clone(), memo: Memo::default() })))
    }

    fn must(&self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) if min == max => format!("must have {min} characters"),
            (Some(min), Some(max)) => format!("must have {min} to {max} characters"),
            (Some(min), None) => format!("must have at least {min} characters"),
            (None, Some(max)) => format!("must have at most {max} characters"),
            (None, None) => "may have any length".to_owned(),
        }
    }

    fn hint(&self) -> String {
        "texts that are too short may have lost zeros to a spreadsheet, texts that are too long may hold two values".to_owned()
    }
}

struct Measuring {
    length: Length,
    memo: Memo,
}

impl RowTest for Measuring {
    fn judge(&mut self, cells: &[&Cells], _batch: &Batch) -> Result<Judged, EtlError> {
        let text = cells[0].text().expect("the column was planned as text");
        let (min, max) = (self.length.min.unwrap_or(0), self.length.max.unwrap_or(u64::MAX));
        let passing = of_text(&text, &mut self.memo, |text| {
            let n = text.chars().count() as u64;
            (min..=max).contains(&n)
        });
        Ok(Judged { assessed: cells[0].present.clone(), failing: !&passing })
    }
}
