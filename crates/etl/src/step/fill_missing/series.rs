//! One column of ordered rows: the last value that was measured, the rows that wait for the next, and what fills them.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, BooleanBufferBuilder, Decimal128Array, Float64Array,
};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use serde_json::json;
use table::Batch;

use super::ordered::{At, Rows};
use super::{Fill, NAME, Strategy};
use crate::EtlError;
use crate::step::Output;
use crate::step::cells::Tally;

/// A value that is put into a missing cell.
#[derive(Clone)]
pub(super) enum Made {
    /// That of another row.
    Carried(ArrayRef, usize),
    /// The unscaled number of a decimal.
    Exact(i128),
    Real(f64),
}

/// A value that was measured.
#[derive(Clone)]
struct Measured {
    array: ArrayRef,
    row: usize,
    micros: i64,
}

/// A column at work.
pub(super) struct Series {
    column: String,
    flag: String,
    is_interpolated: bool,
    max_gap_micros: i64,
    last: Option<Measured>,
    waiting: Vec<At>,
    n_missing: u64,
    n_filled: u64,
    not_filled: Tally,
}

impl Series {
    pub(super) fn of(fill: &Fill) -> Option<Series> {
        let (is_interpolated, max_gap_micros) = match fill.strategy {
            Strategy::ClinicalDefault { .. } => return None,
            Strategy::ForwardFill { max_gap_micros } => (false, max_gap_micros),
            Strategy::Interpolate { max_gap_micros } => (true, max_gap_micros),
        };
        Some(Series {
            column: fill.column.text.clone(),
            flag: fill.flag(),
            is_interpolated,
            max_gap_micros,
            last: None,
            waiting: Vec::new(),
            n_missing: 0,
            n_filled: 0,
            not_filled: Tally::default(),
        })
    }

    pub(super) fn column(&self) -> &str {
        &self.column
    }

    /// The number of the batch with the first row that waits.
    pub(super) fn first_waiting(&self) -> Option<usize> {
        self.waiting.first().map(|at| at.batch)
    }

    /// Reads the next rows; `fill` is called for every row that gets a value, of this batch or of one before.
    pub(super) fn read(&mut self, rows: &Rows<'_>, fill: &mut dyn FnMut(At, Made)) {
        for part in rows.parts {
            if !part.continues {
                self.end_partition();
            }
            for row in part.rows.clone() {
                let is_missing = rows.missing[row];
                self.n_missing += u64::from(is_missing);
                match (rows.times[row], part.is_complete) {
                    (Some(micros), true) if is_missing => {
                        self.lack(At { batch: rows.batch, row, micros }, fill);
                    }
                    (Some(micros), true) => {
                        self.measure(Measured { array: rows.array.clone(), row, micros }, fill);
                    }
                    (None, true) if is_missing => self.not_filled.add("no time"),
                    (_, false) if is_missing => self.not_filled.add("no partition"),
                    _ => {}
                }
            }
        }
    }

    /// A row without a value.
    fn lack(&mut self, at: At, fill: &mut dyn FnMut(At, Made)) {
        let Some(last) = &self.last else {
            self.not_filled.add("no earlier value");
            return;
        };
        if at.micros - last.micros > self.max_gap_micros {
            self.not_filled.add("gap too long");
            self.give_up("gap too long");
        } else if self.is_interpolated {
            self.waiting.push(at);
        } else {
            self.n_filled += 1;
            fill(at, Made::Carried(last.array.clone(), last.row));
        }
    }

    /// A row with a value, which decides about those that wait.
    fn measure(&mut self, next: Measured, fill: &mut dyn FnMut(At, Made)) {
        if let Some(last) = self.last.as_ref().filter(|_| !self.waiting.is_empty()) {
            if next.micros - last.micros > self.max_gap_micros {
                self.give_up("gap too long");
            } else {
                for at in self.waiting.drain(..) {
                    match between(last, &next, at.micros) {
                        Some(made) => {
                            self.n_filled += 1;
                            fill(at, made);
                        }
                        None => self.not_filled.add("the values are no numbers that can be weighted"),
                    }
                }
            }
        }
        self.last = Some(next);
    }

    fn give_up(&mut self, why: &str) {
        self.not_filled.add_many(why, self.waiting.len() as u64);
        self.waiting.clear();
    }

    /// What comes is of another patient or test.
    pub(super) fn end_partition(&mut self) {
        self.give_up("no later value");
        self.last = None;
    }

    /// The batch with the values that were made, and their flag.
    pub(super) fn fill(&self, mut batch: Batch, made: Vec<(usize, Made)>) -> Result<Batch, EtlError> {
        let mut flags = BooleanBufferBuilder::new(batch.n_rows());
        flags.append_n(batch.n_rows(), false);
        made.iter().for_each(|(row, _)| flags.set_bit(*row, true));
        if !made.is_empty() {
            let filled = filled(batch.array(&self.column)?, made)?;
            batch = batch.with(&self.column, filled)?;
        }
        Ok(batch.with(&self.flag, Arc::new(BooleanArray::new(flags.finish(), None)))?)
    }

    pub(super) fn report(&self, out: &mut dyn Output) {
        let fact = json!({
            "strategy": if self.is_interpolated { "interpolate" } else { "forward_fill" },
            "missing": self.n_missing,
            "filled": self.n_filled,
            "not_filled": self.not_filled.to_json(),
        });
        out.fact(&format!("{NAME}.{}", self.column), fact);
    }
}

/// The value at a moment between two measured ones, weighted by time.
fn between(last: &Measured, next: &Measured, micros: i64) -> Option<Made> {
    let (span, since) = (next.micros - last.micros, micros - last.micros);
    match (last.array.data_type(), next.array.data_type()) {
        (DataType::Float64, DataType::Float64) => {
            let of = |measured: &Measured| measured.array.as_primitive::<Float64Type>().value(measured.row);
            let share = if span == 0 { 0.0 } else { since as f64 / span as f64 };
            let value = of(last) + (of(next) - of(last)) * share;
            value.is_finite().then_some(Made::Real(value))
        }
        (DataType::Decimal128(_, scale), DataType::Decimal128(_, other)) if scale == other => {
            let of =
                |measured: &Measured| measured.array.as_primitive::<Decimal128Type>().value(measured.row);
            if span == 0 {
                return Some(Made::Exact(of(last)));
            }
            let (span, since) = (i128::from(span), i128::from(since));
            let change = of(next).checked_sub(of(last))?.checked_mul(since)?;
            // To the nearest; a half goes up.
            let change = change.checked_mul(2)?.checked_add(span)?.div_euclid(span * 2);
            of(last).checked_add(change).map(Made::Exact)
        }
        _ => None,
    }
}

/// A column with some of its cells made.
fn filled(array: &ArrayRef, made: Vec<(usize, Made)>) -> Result<ArrayRef, EtlError> {
    let mut sources = vec![array.clone()];
    let mut from: Vec<(usize, usize)> = (0..array.len()).map(|row| (0, row)).collect();
    let (mut exact, mut real) = (Vec::new(), Vec::new());
    for (row, made) in made {
        match made {
            Made::Carried(source, at) => {
                let known = sources.iter().position(|known| Arc::ptr_eq(known, &source));
                let number = known.unwrap_or_else(|| {
                    sources.push(source);
                    sources.len() - 1
                });
                from[row] = (number, at);
            }
            Made::Exact(value) => exact.push((row, value)),
            Made::Real(value) => real.push((row, value)),
        }
    }
    let made: Option<ArrayRef> = match (exact.is_empty(), real.is_empty()) {
        (false, _) => {
            Some(Arc::new(Decimal128Array::from_iter_values(exact.iter().map(|(_, value)| *value))))
        }
        (true, false) => Some(Arc::new(Float64Array::from_iter_values(real.iter().map(|(_, value)| *value)))),
        (true, true) => None,
    };
    if let Some(made) = made {
        let number = sources.len();
        sources.push(retyped(made, array.data_type())?);
        let rows = exact.iter().map(|(row, _)| *row).chain(real.iter().map(|(row, _)| *row));
        rows.enumerate().for_each(|(at, row)| from[row] = (number, at));
    }
    let sources: Vec<ArrayRef> =
        sources.into_iter().map(|source| retyped(source, array.data_type())).collect::<Result<_, _>>()?;
    let sources: Vec<&dyn arrow::array::Array> = sources.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&sources, &from)?)
}

/// The array in the type of the column: text may be a dictionary in one batch and views in another, decimals get their scale.
fn retyped(array: ArrayRef, to: &DataType) -> Result<ArrayRef, EtlError> {
    match (array.data_type(), to) {
        (found, wanted) if found == wanted => Ok(array),
        (DataType::Decimal128(..), DataType::Decimal128(precision, scale)) => {
            let decimals = array.as_primitive::<Decimal128Type>().clone();
            Ok(Arc::new(decimals.with_precision_and_scale(*precision, *scale)?))
        }
        (_, wanted) => Ok(cast(&array, wanted)?),
    }
}
