//! `expression`: an expression over the row is true. Where its value is missing, the row is not assessed.

use arrow::array::{Array as _, AsArray as _};
use arrow::buffer::BooleanBuffer;
use table::{Batch, Columns, Type};

use crate::check::cells::Cells;
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::engine::{self, Expression};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

#[derive(Debug)]
struct Holds {
    /// A SQL expression over the columns of the row that is true or false.
    expression: Word,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    Some(Box::new(Holds { expression: fields.required_text("expression", problems)? }))
}

/// Reports what is wrong with a condition.
pub(in crate::check) fn plan_condition(text: &Word, columns: &Columns, problems: &mut Problems) {
    match engine::expression(text, columns) {
        Ok(expression) if expression.kind() == Type::Boolean => {}
        Ok(expression) => {
            problems.add(text.at, format!("`{text}` is {}, not true or false", expression.kind()));
        }
        Err(why) => problems.add(text.at, why),
    }
}

/// A condition at work.
pub(in crate::check) struct Condition(Expression);

impl Condition {
    pub(in crate::check) fn start(id: &str, text: &str, columns: &Columns) -> Result<Condition, EtlError> {
        engine::expression(text, columns).map(Condition).map_err(|why| crate::check::failed(id, why))
    }

    /// The rows for which it is true; neither missing nor what cannot be computed is.
    pub(in crate::check) fn select(&self, batch: &Batch) -> Result<BooleanBuffer, EtlError> {
        let (chosen, _) = self.0.select_rows(batch)?;
        Ok(match chosen.nulls() {
            Some(nulls) => chosen.values() & nulls.inner(),
            None => chosen.values().clone(),
        })
    }
}

impl Rule for Holds {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        plan_condition(&self.expression, planned.all, problems);
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        let expression = engine::expression(&self.expression, start.all)
            .map_err(|why| crate::check::failed(start.id, why))?;
        Ok(Test::Row(Box::new(Holding { expression })))
    }

    fn must(&self) -> String {
        format!("`{}` must hold", self.expression)
    }

    fn hint(&self) -> String {
        "look at the columns of the expression in the rows that fail: one of them is wrong, or the rule has exceptions (say them in `when`)".to_owned()
    }
}

struct Holding {
    expression: Expression,
}

impl RowTest for Holding {
    fn judge(&mut self, _cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let (values, bad) = self.expression.evaluate_rows(batch)?;
        let Some(values) = values.as_boolean_opt() else {
            return Err(EtlError::Limit("the expression is not true or false".to_owned()));
        };
        let known = match values.nulls() {
            Some(nulls) => nulls.inner().clone(),
            None => BooleanBuffer::new_set(batch.n_rows()),
        };
        let failing = !values.values();
        if bad.is_empty() {
            return Ok(Judged { assessed: known, failing });
        }
        // A row for which it cannot be computed does not satisfy it.
        let mut is_bad = vec![false; batch.n_rows()];
        for row in bad {
            is_bad[row.row] = true;
        }
        let is_bad = BooleanBuffer::from(is_bad);
        Ok(Judged { assessed: &known | &is_bad, failing: &failing | &is_bad })
    }
}
