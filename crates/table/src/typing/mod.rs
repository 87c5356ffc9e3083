//! From text to declared types, and from other types to wider ones, without rounding, guessing or losing anything.

mod date;
mod format;
mod number;
mod reading;
pub(crate) mod values;
mod widen;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;

pub use format::{Format, parse_zone};
pub use reading::{Fault, OnError, Reading};
use values::{Nulls, RowFault, Values};
pub use widen::check_widening;

use crate::{Batch, Reject, TableError, Text, Type};

/// A column as it is found and as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedColumn {
    /// Its name in the result.
    pub name: Arc<str>,
    /// Its name where it is found.
    pub from: Arc<str>,
    /// How its text is read.
    pub reading: Reading,
}

/// Turns the columns of a batch into their declared types.
#[derive(Clone, Debug, Default)]
pub struct Typing {
    columns: Vec<TypedColumn>,
}

/// What came of a batch.
#[derive(Debug)]
pub struct Typed {
    /// The columns in the order of the declaration.
    pub batch: Batch,
    /// Rows with a value that is not of its type: one reject per row, for the first such column. `raw` is empty.
    pub rejects: Vec<Reject>,
    /// Values that were set to missing because their column says `on_error: null`.
    pub nulled: Vec<Nulled>,
}

/// Values of a column that could not be read and are missing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nulled {
    /// The column.
    pub column: Arc<str>,
    /// A word for machines: `bad_date`.
    pub reason: &'static str,
    /// How many.
    pub n_values: u64,
}

impl Typing {
    /// Gives these columns, in this order.
    pub fn new(columns: Vec<TypedColumn>) -> Typing {
        Typing { columns }
    }

    /// The columns it gives.
    pub fn columns(&self) -> &[TypedColumn] {
        &self.columns
    }

    /// Turns the columns into their types. Text is read; numbers and dates are widened where that loses nothing (see
    /// [`check_widening`]); anything else is an error.
    pub fn apply(&self, batch: &Batch) -> Result<Typed, TableError> {
        let (mut arrays, mut nulled) = (Vec::with_capacity(self.columns.len()), Vec::new());
        let mut first_faults: Vec<(usize, usize, Fault)> = Vec::new();
        let mut faults: Vec<RowFault> = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let array = column.typed(batch.array(&column.from)?, &mut faults, &mut nulled)?;
            first_faults.extend(faults.drain(..).map(|(row, fault)| (row, index, fault)));
            arrays.push((column.name.clone(), array));
        }
        first_faults.sort_unstable_by_key(|(row, column, _)| (*row, *column));
        first_faults.dedup_by_key(|(row, ..)| *row);
        let rejects = first_faults.iter().map(|(row, column, fault)| {
            let column = &self.columns[*column];
            column.reject(*fault, batch.place(*row))
        });
        let rejects = rejects.collect();
        let typed = batch.with_columns(arrays)?;
        let batch = if first_faults.is_empty() {
            typed
        } else {
            let mut keep = vec![true; batch.n_rows()];
            first_faults.iter().for_each(|(row, ..)| keep[*row] = false);
            typed.filter(&BooleanArray::from(keep))?
        };
        Ok(Typed { batch, rejects, nulled })
    }
}

impl TypedColumn {
    /// The reject of a row in which this column has a fault.
    pub(crate) fn reject(&self, fault: Fault, place: crate::Place) -> Reject {
        Reject {
            place,
            rule: "record".into(),
            column: Some(self.name.to_string()),
            reason: fault.reason(self.reading.kind).into(),
            message: fault.message(&self.name, &self.reading),
            raw: Vec::new(),
        }
    }

    fn typed(
        &self,
        array: &ArrayRef,
        faults: &mut Vec<RowFault>,
        nulled: &mut Vec<Nulled>,
    ) -> Result<ArrayRef, TableError> {
        let array = match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => &arrow::compute::cast(array, &DataType::Utf8View)?,
            _ => array,
        };
        let Some(text) = Text::of(array) else {
            return widen::widen(&self.name, array, self.reading.kind, faults);
        };
        if self.reading.kind == Type::Text {
            return with_nulls(array, text, &Nulls::new(&self.reading.null_values));
        }
        let mut values = Values::new(&self.reading);
        let typed = match text {
            Text::Plain(views) => {
                values.extend(views.iter().map(|text| text.map(str::as_bytes)), faults);
                values.finish()?
            }
            Text::Coded(coded, distinct) => {
                // Each distinct value is read once; its fault belongs to every row that has it.
                let mut of_values = Vec::new();
                values.extend(distinct.iter().map(|text| text.map(str::as_bytes)), &mut of_values);
                let typed = values.finish()?;
                let keys = coded.keys();
                for (key, fault) in of_values {
                    let rows = keys.iter().enumerate().filter(|(_, other)| *other == i32::try_from(key).ok());
                    faults.extend(rows.map(|(row, _)| (row, fault)));
                }
                // Counts of values that became missing are per row, too.
                return self.gathered(&typed, text, nulled);
            }
        };
        nulled.extend(values.take_nulled().map(|(fault, n_values)| self.nulled(fault, n_values)));
        Ok(typed)
    }

    fn gathered(
        &self,
        typed: &ArrayRef,
        text: Text<'_>,
        nulled: &mut Vec<Nulled>,
    ) -> Result<ArrayRef, TableError> {
        let Text::Coded(coded, distinct) = text else { return Ok(typed.clone()) };
        if self.reading.on_error == OnError::Null {
            for (key, value) in distinct.iter().enumerate() {
                let mut one = Values::new(&self.reading);
                one.extend(std::iter::once(value.map(str::as_bytes)), &mut Vec::new());
                for (fault, _) in one.take_nulled() {
                    let rows = coded.keys().iter().filter(|other| *other == i32::try_from(key).ok());
                    nulled.push(self.nulled(fault, rows.count() as u64));
                }
            }
        }
        Ok(arrow::compute::take(typed, coded.keys(), None)?)
    }

    /// The count of values that became missing.
    pub(crate) fn nulled(&self, fault: Fault, n_values: u64) -> Nulled {
        Nulled { column: self.name.clone(), reason: fault.reason(self.reading.kind), n_values }
    }
}

/// The array with nulls where a text means a missing value.
fn with_nulls(array: &ArrayRef, text: Text<'_>, nulls: &Nulls) -> Result<ArrayRef, TableError> {
    let is_token = |value: Option<&str>| Some(value.is_some_and(|value| nulls.has(value.as_bytes())));
    match text {
        Text::Plain(views) => {
            let tokens: BooleanArray = views.iter().map(is_token).collect();
            if tokens.true_count() == 0 {
                return Ok(array.clone());
            }
            Ok(arrow::compute::nullif(array, &tokens)?)
        }
        Text::Coded(coded, values) => {
            let tokens: BooleanArray = values.iter().map(is_token).collect();
            if tokens.true_count() == 0 {
                return Ok(array.clone());
            }
            Ok(Arc::new(coded.with_values(arrow::compute::nullif(values, &tokens)?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Columns, Value};
    use arrow::array::{DictionaryArray, Int32Array, StringArray};
    use arrow::datatypes::Int32Type;

    fn column(name: &str, reading: Reading) -> TypedColumn {
        TypedColumn { name: name.into(), from: name.into(), reading }
    }

    fn batch(rows: &[[Option<&str>; 2]]) -> Batch {
        let columns =
            Columns::new(vec![Column::new("born", Type::Text), Column::new("n", Type::Text)]).unwrap();
        let cell = |cell: &Option<&str>| cell.map_or(Value::Null, Value::from);
        let rows: Vec<Vec<Value>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        Batch::from_rows(&columns, &rows).unwrap()
    }

    fn forms(forms: &[&str]) -> Reading {
        let formats = forms.iter().map(|form| Format::parse(form, Type::Date).unwrap()).collect();
        Reading { formats, ..Reading::new(Type::Date) }
    }

    #[test]
    fn dates_in_three_forms_are_read_and_a_fourth_is_a_reject_with_its_place() {
        let batch = batch(&[
            [Some("1976-07-04"), Some("1")],
            [Some("07/04/1976"), Some("x")],
            [Some("4.7.1976"), Some("9999999999")],
            [Some("1976/07/04"), Some("y")],
            [None, None],
        ]);
        let typing = Typing::new(vec![
            column("born", forms(&["%Y-%m-%d", "%m/%d/%Y", "%-d.%-m.%Y"])),
            column(
                "n",
                Reading { on_error: OnError::Null, ..Reading::new(Type::Decimal { precision: 5, scale: 1 }) },
            ),
        ]);
        let typed = typing.apply(&batch).unwrap();
        assert_eq!(typed.batch.n_rows(), 4);
        assert_eq!(typed.batch.value("born", 2).unwrap().to_text().as_deref(), Some("1976-07-04"));
        assert_eq!(typed.batch.value("n", 0).unwrap(), Value::Decimal(10, 1));
        assert_eq!(typed.rejects.len(), 1);
        assert_eq!((typed.rejects[0].place.line, &*typed.rejects[0].reason), (4, "bad_date"));
        assert_eq!(
            typed.rejects[0].message,
            "`born` is not date in the form `%Y-%m-%d` or `%m/%d/%Y` or `%-d.%-m.%Y`"
        );
        let counts: Vec<_> = typed.nulled.iter().map(|nulled| (nulled.reason, nulled.n_values)).collect();
        assert_eq!(counts, [("bad_decimal", 2), ("out_of_range", 1)]);
    }

    #[test]
    fn a_dictionary_is_read_like_the_rows_it_stands_for() {
        let keys = Int32Array::from(vec![Some(0), Some(1), None, Some(2), Some(1), Some(3)]);
        let values = StringArray::from(vec!["2026-01-31", "31.01.2026", "", "2026-02-01"]);
        let coded: ArrayRef =
            Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values)).unwrap());
        let plain = arrow::compute::cast(&coded, &DataType::Utf8View).unwrap();
        let places = || crate::Places::numbered(3, 10, 6);
        let read = |array: &ArrayRef, on_error| {
            let batch = Batch::new(vec![("born".into(), array.clone())], places()).unwrap();
            let typing = Typing::new(vec![column("born", Reading { on_error, ..Reading::new(Type::Date) })]);
            let typed = typing.apply(&batch).unwrap();
            (typed.batch.into_record(), typed.rejects, typed.nulled)
        };
        for on_error in [OnError::Quarantine, OnError::Null] {
            assert!(read(&coded, on_error) == read(&plain, on_error));
        }
        assert_eq!(read(&coded, OnError::Quarantine).1.len(), 2);
        assert_eq!(read(&coded, OnError::Null).2[0].n_values, 2);
    }

    #[test]
    fn null_tokens_of_text_are_exact() {
        let reading = Reading { null_values: vec!["".into(), "NA".into()], ..Reading::new(Type::Text) };
        let batch =
            batch(&[[Some("NA"), None], [Some(" NA"), None], [Some(""), None], [Some("00501"), None]]);
        let typed = Typing::new(vec![column("born", reading)]).apply(&batch).unwrap();
        let text = typed.batch.text("born").unwrap();
        let cells: Vec<_> = (0..4).map(|row| text.get(row)).collect();
        assert_eq!(cells, [None, Some(" NA"), None, Some("00501")]);
    }
}
