//! `in_set`: the value is one of a list.

use std::collections::HashSet;
use std::sync::Arc;

use table::{Batch, Type};

use crate::check::cells::{Cells, Scalars};
use crate::check::mask::{Memo, of_text};
use crate::check::rule::range::{Bound, Exact};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

const SHOWN_MAX: usize = 12;

#[derive(Debug)]
struct InSet {
    /// The values that are allowed.
    values: Vec<Word>,
    /// Whether upper and lower case are the same. Default: no.
    ignore_case: bool,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let ignore_case = fields.flag("ignore_case", problems).unwrap_or(false);
    fields.required("values", problems)?;
    let values = fields.texts("values", problems);
    if values.is_empty() {
        problems.add(fields.at(), "`values` of the check is empty: no row could pass");
        return None;
    }
    Some(Box::new(InSet { values, ignore_case }))
}

impl Rule for InSet {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        planned.types(|kind| !matches!(kind, Type::Boolean), "a text, a number or a date", problems);
        for column in planned.columns {
            for value in self.values.iter().filter(|_| column.kind != Type::Text) {
                Bound::parse(value, column.kind, "values", problems);
            }
        }
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        let kind = start.columns[0].kind;
        if kind == Type::Text {
            let fold = |text: &str| if self.ignore_case { text.to_lowercase() } else { text.to_owned() };
            let values = self.values.iter().map(|word| fold(word).into()).collect();
            return Ok(Test::Row(Box::new(Texts {
                values: Arc::new(values),
                ignore_case: self.ignore_case,
                memo: Memo::default(),
            })));
        }
        let mut problems = Problems::default();
        let values = self.values.iter().filter_map(|word| Bound::parse(word, kind, "values", &mut problems));
        let values: Vec<Exact> = values.filter_map(|bound| bound.exact(kind)).collect();
        Ok(Test::Row(Box::new(Numbers { values })))
    }

    fn must(&self) -> String {
        let shown: Vec<String> = self.values.iter().take(SHOWN_MAX).map(|word| format!("`{word}`")).collect();
        let more = self.values.len().saturating_sub(SHOWN_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let case = if self.ignore_case { ", in any case" } else { "" };
        format!("must be one of {}{more}{case}", shown.join(", "))
    }

    fn hint(&self) -> String {
        "look at the masked samples: map other spellings before the check (`standardize_demographics`, `sql`), or add the value to `values` when it is right".to_owned()
    }
}

struct Texts {
    values: Arc<HashSet<Box<str>>>,
    ignore_case: bool,
    memo: Memo,
}

impl RowTest for Texts {
    fn judge(&mut self, cells: &[&Cells], _batch: &Batch) -> Result<Judged, EtlError> {
        let cells = cells[0];
        let text = cells.text().expect("the column was planned as text");
        let (values, ignore_case) = (self.values.clone(), self.ignore_case);
        let passing = of_text(&text, &mut self.memo, |text| {
            if ignore_case { values.contains(&*text.to_lowercase()) } else { values.contains(text) }
        });
        Ok(Judged { assessed: cells.present.clone(), failing: !&passing })
    }
}

struct Numbers {
    values: Vec<Exact>,
}

impl RowTest for Numbers {
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let cells = cells[0];
        let n = batch.n_rows();
        let bits = |of: &dyn Fn(usize) -> bool| arrow::buffer::BooleanBuffer::collect_bool(n, of);
        let has = |wanted: Exact| self.values.contains(&wanted);
        let passing = match cells.scalars() {
            Some(Scalars::Whole(values)) => bits(&|row| has(Exact::Whole(values[row].into()))),
            Some(Scalars::Decimal(values, _)) => bits(&|row| has(Exact::Whole(values[row]))),
            Some(Scalars::Number(values)) => bits(&|row| has(Exact::Number(values[row]))),
            Some(Scalars::Days(values)) => bits(&|row| has(Exact::Whole(values[row].into()))),
            Some(Scalars::Micros(values)) => bits(&|row| has(Exact::Whole(values[row].into()))),
            None => bits(&|_| false),
        };
        Ok(Judged { assessed: cells.present.clone(), failing: !&passing })
    }
}
