//! A column of an expression in SQL, checked when the file is loaded.

use arrow::array::Array as _;
use serde_json::json;
use table::{Batch, Columns, Type};

use super::NAME;
use crate::engine::{Expression, expression};
use crate::step::Output;
use crate::step::cells::{Refused, Tally, choice_or_null};
use crate::yaml::Fields;
use crate::{EtlError, Point, Problems, Word};

/// `{sql: "weight_kg * 2.2", into: weight_lb}`.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    sql: Word,
    into: Word,
    is_quarantined: bool,
}

impl Written {
    pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Written> {
        let sql = fields.required_text("sql", problems);
        let into = fields.required_text("into", problems);
        let choices = [("null", false), ("quarantine", true)];
        let is_quarantined = choice_or_null(fields, "on_error", &choices, problems).unwrap_or(false);
        Some(Written { sql: sql?, into: into?, is_quarantined })
    }

    pub(super) fn plan(&self, columns: &Columns, problems: &mut Problems) -> Vec<(String, Type, Point)> {
        match expression(&self.sql, columns) {
            Ok(found) => vec![(self.into.text.clone(), found.kind(), self.into.at)],
            Err(why) => {
                problems.add(self.sql.at, why);
                Vec::new()
            }
        }
    }

    pub(super) fn made_from(&self, columns: &Columns) -> Vec<(String, Vec<String>)> {
        let found = expression(&self.sql, columns).ok();
        found.map(|found| (self.into.text.clone(), found.columns().to_vec())).into_iter().collect()
    }

    pub(super) fn start(&self, columns: &Columns) -> Result<Computing, EtlError> {
        let expression =
            expression(&self.sql, columns).map_err(|why| EtlError::Step { step: NAME.to_owned(), why })?;
        let not_computed = Tally::default();
        Ok(Computing { written: self.clone(), expression, n_computed: 0, not_computed })
    }
}

/// An expression at work.
pub(super) struct Computing {
    written: Written,
    expression: Expression,
    n_computed: u64,
    not_computed: Tally,
}

impl Computing {
    pub(super) fn compute(&mut self, batch: &Batch, refused: &mut Refused) -> Result<Batch, EtlError> {
        let (values, bad) = self.expression.evaluate_rows(batch)?;
        let n_null = values.logical_null_count();
        self.n_computed += (values.len() - n_null) as u64;
        self.not_computed.add_many("missing", n_null.saturating_sub(bad.len()) as u64);
        for bad in bad {
            self.not_computed.add(bad.error.reason);
            if self.written.is_quarantined {
                refused.add(bad.row, &self.written.into, bad.error.reason, bad.error.message);
            }
        }
        Ok(batch.with(&self.written.into, values)?)
    }

    pub(super) fn report(&self, out: &mut dyn Output) {
        let fact = json!({"computed": self.n_computed, "not_computed": self.not_computed.to_json()});
        out.fact(&format!("{NAME}.{}", self.written.into), fact);
    }
}
