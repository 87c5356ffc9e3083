//! A value of the file in the place of missing ones.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::{cast, interleave};
use clinical::Number;
use clinical::age::parse_day;
use serde_json::json;
use table::{Batch, Column, Columns, Type, Value};

use super::{Fill, NAME, Strategy, missing_in};
use crate::EtlError;
use crate::step::Output;

/// The value that a text of the file is in a column of this type.
pub(super) fn value_of(text: &str, kind: Type) -> Option<Value> {
    Some(match kind {
        Type::Text => Value::from(text),
        Type::Integer => Value::Integer(text.parse().ok()?),
        Type::Number => Value::Number(text.parse().ok().filter(|n: &f64| n.is_finite())?),
        Type::Boolean => Value::Boolean(text.parse().ok()?),
        Type::Date => Value::Date(parse_day(text)?.epoch_days()),
        Type::Instant => Value::Instant(fhir::Instant::parse(text)?.0),
        Type::Decimal { precision, scale } => {
            let (digits, places) = Number::parse(text)?.parts();
            let finer = scale.checked_sub(places)?;
            let digits = i128::from(digits).checked_mul(10_i128.checked_pow(finer.into())?)?;
            (digits.unsigned_abs() < 10_u128.checked_pow(precision.into())?)
                .then_some(Value::Decimal(digits, scale))?
        }
    })
}

/// A column that is filled with one value.
pub(super) struct Constant {
    column: String,
    flag: String,
    /// One row.
    value: ArrayRef,
    n_rows: u64,
    n_filled: u64,
}

impl Constant {
    pub(super) fn of(fill: &Fill, input: &Columns) -> Result<Constant, EtlError> {
        let wrong = || EtlError::Step {
            step: NAME.to_owned(),
            why: format!("the value for `{}` does not fit", fill.column),
        };
        let Strategy::ClinicalDefault { value } = &fill.strategy else { return Err(wrong()) };
        let kind = input.get(&fill.column).ok_or_else(wrong)?.kind;
        let value = value_of(value, kind).ok_or_else(wrong)?;
        let columns = Columns::new(vec![Column::new("value", kind)])?;
        let value = Batch::from_rows(&columns, &[vec![value]])?.array("value")?.clone();
        Ok(Constant { column: fill.column.text.clone(), flag: fill.flag(), value, n_rows: 0, n_filled: 0 })
    }

    /// Fills the column and adds its flag.
    pub(super) fn fill(&mut self, mut batch: Batch) -> Result<Batch, EtlError> {
        let missing = missing_in(&batch, &self.column)?;
        let n_filled = missing.iter().filter(|is_missing| **is_missing).count();
        self.n_rows += missing.len() as u64;
        self.n_filled += n_filled as u64;
        if n_filled > 0 {
            let array = batch.array(&self.column)?;
            let value = cast(&self.value, array.data_type())?;
            let from: Vec<(usize, usize)> = missing
                .iter()
                .enumerate()
                .map(|(row, is_missing)| if *is_missing { (1, 0) } else { (0, row) })
                .collect();
            let filled = interleave(&[array, &value], &from)?;
            batch = batch.with(&self.column, filled)?;
        }
        Ok(batch.with(&self.flag, Arc::new(BooleanArray::from(missing)))?)
    }

    pub(super) fn report(&self, out: &mut dyn Output) {
        let fact = json!({"strategy": "clinical_default", "rows": self.n_rows, "filled": self.n_filled});
        out.fact(&format!("{NAME}.{}", self.column), fact);
    }
}
