//! Typed values under construction: texts in, one Arrow array out. Rows can be taken out again until it is finished.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};

use crate::typing::{Fault, Format, OnError, Reading, date, format, number};
use crate::{TableError, Type};

/// Texts that mean a missing value; most texts are told apart by their length alone.
#[derive(Clone, Debug)]
pub(crate) struct Nulls {
    /// Bit n: some token has n bytes (63: or more).
    lengths: u64,
    tokens: Vec<Box<[u8]>>,
}

impl Nulls {
    pub(crate) fn new(tokens: &[String]) -> Nulls {
        let lengths = tokens.iter().fold(0, |bits, token| bits | 1 << token.len().min(63));
        Nulls { lengths, tokens: tokens.iter().map(|token| token.as_bytes().into()).collect() }
    }

    /// Whether a text means a missing value.
    #[inline]
    pub(crate) fn has(&self, text: &[u8]) -> bool {
        self.lengths >> text.len().min(63) & 1 != 0 && (text.is_empty() || self.has_token(text))
    }

    #[inline(never)]
    fn has_token(&self, text: &[u8]) -> bool {
        self.tokens.iter().any(|token| **token == *text)
    }
}

/// A fault in a row of the cells that were given.
pub(crate) type RowFault = (usize, Fault);

enum Data {
    Integer(Vec<i64>),
    Decimal(Vec<i128>),
    Number(Vec<f64>),
    Date(Vec<i32>),
    Instant(Vec<i64>),
    Boolean(Vec<bool>),
}

/// Typed values under construction.
pub(crate) struct Values {
    reading: Reading,
    /// Of instants: the declared forms, else those of RFC 3339.
    formats: Vec<Format>,
    nulls: Nulls,
    data: Data,
    is_there: Vec<bool>,
    n_missing: usize,
    /// Values that became missing because they could not be read, per fault.
    nulled: [u64; 6],
}

impl Values {
    /// For a type that is not text.
    pub(crate) fn new(reading: &Reading) -> Values {
        let data = match reading.kind {
            Type::Integer => Data::Integer(Vec::new()),
            Type::Decimal { .. } => Data::Decimal(Vec::new()),
            Type::Number => Data::Number(Vec::new()),
            Type::Date => Data::Date(Vec::new()),
            Type::Instant => Data::Instant(Vec::new()),
            // Text never comes here: its columns are built without a conversion.
            Type::Boolean | Type::Text => Data::Boolean(Vec::new()),
        };
        let is_default = reading.kind == Type::Instant && reading.formats.is_empty();
        Values {
            reading: reading.clone(),
            formats: if is_default { format::rfc3339() } else { reading.formats.clone() },
            nulls: Nulls::new(&reading.null_values),
            data,
            is_there: Vec::new(),
            n_missing: 0,
            nulled: [0; 6],
        }
    }

    /// Reads cells (`None`: missing). The faults of rows that must be rejected are added with the number of their cell; a value stands
    /// in their place until [`Values::take_out`].
    pub(crate) fn extend<'a>(
        &mut self,
        cells: impl Iterator<Item = Option<&'a [u8]>>,
        faults: &mut Vec<RowFault>,
    ) {
        let Reading { decimal_comma: comma, kind, zone_minutes, .. } = self.reading;
        let formats = &self.formats;
        let mut sink = Sink {
            nulls: &self.nulls,
            is_there: &mut self.is_there,
            n_missing: &mut self.n_missing,
            is_quarantine: self.reading.on_error == OnError::Quarantine,
            nulled: &mut self.nulled,
            faults,
        };
        match &mut self.data {
            Data::Integer(values) => sink.fill(values, cells, |text| number::integer(text, comma)),
            Data::Decimal(values) => {
                let Type::Decimal { precision, scale } = kind else { return };
                sink.fill(values, cells, |text| number::decimal(text, precision, scale, comma));
            }
            Data::Number(values) => sink.fill(values, cells, |text| number::number(text, comma)),
            Data::Boolean(values) => sink.fill(values, cells, number::boolean),
            Data::Date(values) if formats.is_empty() => {
                sink.fill(values, cells, |text| date::iso_day(text).unwrap_or(Err(Fault::Form)));
            }
            Data::Date(values) => sink.fill(values, cells, |text| first(formats, |form| form.day(text))),
            Data::Instant(values) => {
                sink.fill(values, cells, |text| first(formats, |form| form.moment(text, zone_minutes)));
            }
        }
    }

    /// Takes out rows: numbers in ascending order, counted from `start`.
    pub(crate) fn take_out(&mut self, start: usize, rows: &[usize]) {
        match &mut self.data {
            Data::Integer(values) | Data::Instant(values) => take_out(values, start, rows),
            Data::Decimal(values) => take_out(values, start, rows),
            Data::Number(values) => take_out(values, start, rows),
            Data::Date(values) => take_out(values, start, rows),
            Data::Boolean(values) => take_out(values, start, rows),
        }
        self.n_missing -= rows.iter().filter(|row| !self.is_there[start + **row]).count();
        take_out(&mut self.is_there, start, rows);
    }

    /// The values as an array; begins anew.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, TableError> {
        let is_there = std::mem::take(&mut self.is_there);
        let n_missing = std::mem::take(&mut self.n_missing);
        let nulls = (n_missing > 0).then(|| NullBuffer::from(is_there));
        Ok(match &mut self.data {
            Data::Integer(values) => Arc::new(Int64Array::try_new(std::mem::take(values).into(), nulls)?),
            Data::Number(values) => Arc::new(Float64Array::try_new(std::mem::take(values).into(), nulls)?),
            Data::Date(values) => Arc::new(Date32Array::try_new(std::mem::take(values).into(), nulls)?),
            Data::Boolean(values) => {
                Arc::new(BooleanArray::new(BooleanBuffer::from(std::mem::take(values)), nulls))
            }
            Data::Decimal(values) => {
                let array = Decimal128Array::try_new(std::mem::take(values).into(), nulls)?;
                Arc::new(array.with_data_type(self.reading.kind.data_type()))
            }
            Data::Instant(values) => {
                let array = TimestampMicrosecondArray::try_new(std::mem::take(values).into(), nulls)?;
                Arc::new(array.with_timezone("UTC"))
            }
        })
    }

    /// How many values became missing because they could not be read, by the fault, since the last call.
    pub(crate) fn take_nulled(&mut self) -> impl Iterator<Item = (Fault, u64)> + use<> {
        let counts = std::mem::take(&mut self.nulled);
        Fault::ALL.into_iter().zip(counts).filter(|(_, n)| *n > 0)
    }
}

/// The first form that the text has; a text that has a form but names no real day is not tried in the next one's stead.
fn first<T>(formats: &[Format], read: impl Fn(&Format) -> Result<T, Fault>) -> Result<T, Fault> {
    let mut fault = Fault::Form;
    for format in formats {
        match read(format) {
            Ok(value) => return Ok(value),
            Err(Fault::Form) => {}
            Err(other) => fault = other,
        }
    }
    Err(fault)
}

fn take_out<T: Copy>(values: &mut Vec<T>, start: usize, rows: &[usize]) {
    let Some(first) = rows.first() else { return };
    let mut leaving = rows.iter().map(|row| start + row).peekable();
    let mut kept = start + first;
    for index in start + first..values.len() {
        if leaving.next_if_eq(&index).is_none() {
            values[kept] = values[index];
            kept += 1;
        }
    }
    values.truncate(kept);
}

/// Where the values of one call go.
struct Sink<'a> {
    nulls: &'a Nulls,
    is_there: &'a mut Vec<bool>,
    n_missing: &'a mut usize,
    is_quarantine: bool,
    nulled: &'a mut [u64; 6],
    faults: &'a mut Vec<RowFault>,
}

impl Sink<'_> {
    fn fill<'c, T: Default>(
        &mut self,
        values: &mut Vec<T>,
        cells: impl Iterator<Item = Option<&'c [u8]>>,
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) {
        let n_cells = cells.size_hint().0;
        values.reserve(n_cells);
        self.is_there.reserve(n_cells);
        for (row, cell) in cells.enumerate() {
            let text = number::trimmed(cell.unwrap_or_default());
            let value = if cell.is_none() || self.nulls.has(text) {
                None
            } else {
                read(text).map_or_else(|fault| self.fault(row, fault), Some)
            };
            self.is_there.push(value.is_some());
            *self.n_missing += usize::from(value.is_none());
            values.push(value.unwrap_or_default());
        }
    }

    #[cold]
    fn fault<T>(&mut self, row: usize, fault: Fault) -> Option<T> {
        if self.is_quarantine {
            self.faults.push((row, fault));
        } else {
            self.nulled[fault as usize] += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_out_and_values_that_are_nulled_are_counted() {
        let mut values = Values::new(&Reading {
            null_values: vec!["".into(), "NA".into()],
            ..Reading::new(Type::Integer)
        });
        let mut faults = Vec::new();
        values.extend(
            [Some(&b"1"[..]), Some(b" NA "), Some(b"x"), None, Some(b" 4 ")].into_iter(),
            &mut faults,
        );
        assert_eq!(faults, [(2, Fault::Form)]);
        values.take_out(0, &[2]);
        let array = values.finish().unwrap();
        assert_eq!(*array, Int64Array::from(vec![Some(1), None, None, Some(4)]));

        let mut lenient = Values::new(&Reading { on_error: OnError::Null, ..Reading::new(Type::Date) });
        lenient.extend([Some(&b"2026-02-30"[..]), Some(b"2026-02-28"), Some(b"")].into_iter(), &mut faults);
        assert_eq!(faults.len(), 1);
        assert_eq!(lenient.take_nulled().collect::<Vec<_>>(), [(Fault::Calendar, 1)]);
        assert_eq!(lenient.finish().unwrap().null_count(), 2);
    }

    #[test]
    fn an_empty_text_is_a_value_only_where_it_is_no_token() {
        let nulls = Nulls::new(&["NULL".to_owned()]);
        assert!(nulls.has(b"NULL") && !nulls.has(b"") && !nulls.has(b"null"));
        let long = "x".repeat(80);
        assert!(Nulls::new(std::slice::from_ref(&long)).has(long.as_bytes()));
    }
}
