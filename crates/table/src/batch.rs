//! A batch: typed columns of some rows, and the place of each row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, BooleanBuilder, Date32Builder, Decimal128Builder,
    Float64Builder, Int64Builder, RecordBatch, StringViewBuilder, TimestampMicrosecondBuilder, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{Field, Schema, UInt32Type, UInt64Type};

use crate::{Columns, LINE, OFFSET, Place, TableError, Text, Type, UNIT, Value, is_place, place_fields};

/// Some rows of a table. The last three columns of the record batch are the places. `Debug` shows the shape, not the content.
#[derive(Clone)]
pub struct Batch(RecordBatch);

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} rows of {} columns)", self.n_rows(), self.0.num_columns().saturating_sub(3))
    }
}

impl Batch {
    /// A batch of columns with the places of their rows. Text columns may be views or dictionaries.
    pub fn new(columns: Vec<(Arc<str>, ArrayRef)>, places: Places) -> Result<Batch, TableError> {
        let (names, mut arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let own = names
            .iter()
            .zip(&arrays)
            .map(|(name, array)| Field::new(&**name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(own.chain(place_fields()).collect::<Vec<_>>()));
        arrays.extend([places.units, places.lines, places.offsets]);
        Ok(Batch(RecordBatch::try_new(schema, arrays)?))
    }

    /// A record batch whose last three columns are the places.
    pub fn from_record(record: RecordBatch) -> Result<Batch, TableError> {
        let n = record.num_columns();
        let names = record.schema();
        let is_complete = n >= 3
            && [UNIT, LINE, OFFSET]
                .iter()
                .enumerate()
                .all(|(index, name)| names.field(n - 3 + index).name() == name)
            && record.column(n - 3).as_primitive_opt::<UInt32Type>().is_some()
            && record.column(n - 2).as_primitive_opt::<UInt64Type>().is_some()
            && record.column(n - 1).as_primitive_opt::<UInt64Type>().is_some();
        if is_complete { Ok(Batch(record)) } else { Err(TableError::NoSuchColumn(UNIT.to_owned())) }
    }

    /// Rows given cell by cell, for tests and small tables. The place of the n-th row is line n of unit 0.
    pub fn from_rows(columns: &Columns, rows: &[Vec<Value>]) -> Result<Batch, TableError> {
        let arrays = columns.iter().enumerate().map(|(index, column)| {
            let cells = rows.iter().map(|row| row.get(index).unwrap_or(&Value::Null));
            Ok((column.name.clone(), array_of(&column.name, column.kind, cells)?))
        });
        Batch::new(arrays.collect::<Result<_, TableError>>()?, Places::numbered(0, 1, rows.len()))
    }

    /// The record batch with the columns of the places.
    pub fn record(&self) -> &RecordBatch {
        &self.0
    }

    /// The record batch with the columns of the places.
    pub fn into_record(self) -> RecordBatch {
        self.0
    }

    /// The record batch without the columns of the places.
    pub fn without_places(&self) -> RecordBatch {
        let own: Vec<usize> = (0..self.0.num_columns() - 3).collect();
        self.0.project(&own).expect("the indexes are within the batch")
    }

    /// Names and types of the columns, without the places.
    pub fn columns(&self) -> Result<Columns, TableError> {
        Columns::of_schema(&self.0.schema())
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The array of a column.
    pub fn array(&self, name: &str) -> Result<&ArrayRef, TableError> {
        self.0.column_by_name(name).ok_or_else(|| TableError::NoSuchColumn(name.to_owned()))
    }

    /// A text column.
    pub fn text(&self, name: &str) -> Result<Text<'_>, TableError> {
        let array = self.array(name)?;
        Text::of(array).ok_or_else(|| TableError::WrongType {
            column: name.to_owned(),
            found: Type::of(array.data_type())
                .map_or_else(|| array.data_type().to_string(), |kind| kind.to_string()),
            wanted: "text".to_owned(),
        })
    }

    /// The batch with a column set: in its place when it is there, else as the last one.
    pub fn with(&self, name: &str, array: ArrayRef) -> Result<Batch, TableError> {
        let schema = self.0.schema();
        let own = schema.fields().len() - 3;
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
        let mut arrays = self.0.columns().to_vec();
        let field = Arc::new(Field::new(name, array.data_type().clone(), true));
        match schema.index_of(name) {
            Ok(index) if index < own => (fields[index], arrays[index]) = (field, array),
            _ if is_place(name) => return Err(TableError::ReservedName(name.to_owned())),
            _ => {
                fields.insert(own, field);
                arrays.insert(own, array);
            }
        }
        Ok(Batch(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?))
    }

    /// The same rows with other columns.
    pub fn with_columns(&self, columns: Vec<(Arc<str>, ArrayRef)>) -> Result<Batch, TableError> {
        let n = self.0.num_columns();
        let [units, lines, offsets] = [n - 3, n - 2, n - 1].map(|index| self.0.column(index).clone());
        Batch::new(columns, Places { units, lines, offsets })
    }

    /// The batch with these columns only, in this order, and the places.
    pub fn select(&self, names: &[&str]) -> Result<Batch, TableError> {
        let n = self.0.num_columns();
        let mut indexes = Vec::with_capacity(names.len() + 3);
        for name in names {
            indexes.push(
                self.0.schema().index_of(name).map_err(|_| TableError::NoSuchColumn((*name).to_owned()))?,
            );
        }
        indexes.extend([n - 3, n - 2, n - 1]);
        Ok(Batch(self.0.project(&indexes)?))
    }

    /// The rows that are marked.
    pub fn filter(&self, keep: &BooleanArray) -> Result<Batch, TableError> {
        Ok(Batch(arrow::compute::filter_record_batch(&self.0, keep)?))
    }

    /// The rows with these numbers, in this order.
    pub fn take(&self, rows: &UInt32Array) -> Result<Batch, TableError> {
        Ok(Batch(arrow::compute::take_record_batch(&self.0, rows)?))
    }

    /// Some rows in a row, without copying.
    pub fn slice(&self, start: usize, n_rows: usize) -> Batch {
        Batch(self.0.slice(start, n_rows))
    }

    /// Where a row came from.
    pub fn place(&self, row: usize) -> Place {
        let n = self.0.num_columns();
        let offsets = self.0.column(n - 1).as_primitive::<UInt64Type>();
        Place {
            unit: self.0.column(n - 3).as_primitive::<UInt32Type>().value(row),
            line: self.0.column(n - 2).as_primitive::<UInt64Type>().value(row),
            offset: (!offsets.is_null(row)).then(|| offsets.value(row)),
        }
    }

    /// One cell, for rare paths.
    pub fn value(&self, name: &str, row: usize) -> Result<Value, TableError> {
        Value::of(self.array(name)?, row)
    }
}

/// The places of the rows of a batch, as columns.
pub struct Places {
    units: ArrayRef,
    lines: ArrayRef,
    offsets: ArrayRef,
}

impl Places {
    /// Places from lines and byte offsets in one unit.
    pub fn of_file(unit: u32, lines: Vec<u64>, offsets: Vec<u64>) -> Places {
        Places {
            units: Arc::new(UInt32Array::from_value(unit, lines.len())),
            lines: Arc::new(UInt64Array::from(lines)),
            offsets: Arc::new(UInt64Array::from(offsets)),
        }
    }

    /// These places.
    pub fn of(places: &[Place]) -> Places {
        Places {
            units: Arc::new(UInt32Array::from_iter_values(places.iter().map(|place| place.unit))),
            lines: Arc::new(UInt64Array::from_iter_values(places.iter().map(|place| place.line))),
            offsets: Arc::new(places.iter().map(|place| place.offset).collect::<UInt64Array>()),
        }
    }

    /// Places of rows that are only numbered, beginning with `first`.
    pub fn numbered(unit: u32, first: u64, n_rows: usize) -> Places {
        let last = first + n_rows as u64;
        Places {
            units: Arc::new(UInt32Array::from_value(unit, n_rows)),
            lines: Arc::new(UInt64Array::from_iter_values(first..last)),
            offsets: Arc::new(UInt64Array::new_null(n_rows)),
        }
    }
}

/// An array from cells. A cell of another type is an error.
fn array_of<'a>(
    name: &str,
    kind: Type,
    cells: impl Iterator<Item = &'a Value>,
) -> Result<ArrayRef, TableError> {
    macro_rules! build {
        ($builder:expr, $pattern:pat => $value:expr) => {{
            let mut builder = $builder;
            for cell in cells {
                match cell {
                    Value::Null => builder.append_null(),
                    $pattern => builder.append_value($value),
                    other => {
                        return Err(TableError::WrongType {
                            column: name.to_owned(),
                            found: format!("{other:?}"),
                            wanted: kind.to_string(),
                        });
                    }
                }
            }
            Ok(Arc::new(builder.finish()))
        }};
    }
    match kind {
        Type::Text => build!(StringViewBuilder::new(), Value::Text(text) => text),
        Type::Integer => build!(Int64Builder::new(), Value::Integer(n) => *n),
        Type::Number => build!(Float64Builder::new(), Value::Number(n) => *n),
        Type::Date => build!(Date32Builder::new(), Value::Date(days) => *days),
        Type::Boolean => build!(BooleanBuilder::new(), Value::Boolean(yes) => *yes),
        Type::Instant => {
            build!(TimestampMicrosecondBuilder::new().with_timezone("UTC"), Value::Instant(micros) => *micros)
        }
        Type::Decimal { .. } => {
            build!(Decimal128Builder::new().with_data_type(kind.data_type()), Value::Decimal(unscaled, _) => *unscaled)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    fn two_rows() -> Batch {
        let columns = vec![
            Column::new("id", Type::Text),
            Column::new("when", Type::Date),
            Column::new("n", Type::Decimal { precision: 9, scale: 2 }),
        ];
        let rows = [
            vec![Value::from("a"), Value::Date(3), Value::Decimal(150, 2)],
            vec![Value::Null, Value::Null, Value::Null],
        ];
        Batch::from_rows(&Columns::new(columns).unwrap(), &rows).unwrap()
    }

    #[test]
    fn places_follow_the_rows() {
        let batch = two_rows();
        let second = batch.filter(&BooleanArray::from(vec![false, true])).unwrap();
        assert_eq!(second.place(0), Place { unit: 0, line: 2, offset: None });
        let turned = batch.take(&UInt32Array::from(vec![1, 0])).unwrap();
        assert_eq!((turned.place(0).line, turned.place(1).line), (2, 1));
        assert_eq!(batch.select(&["n"]).unwrap().columns().unwrap().names(), ["n"]);
    }

    #[test]
    fn columns_are_set_in_their_place_and_places_cannot_be_overwritten() {
        let batch = two_rows();
        let changed = batch.with("when", batch.array("id").unwrap().clone()).unwrap();
        assert_eq!(changed.columns().unwrap().names(), ["id", "when", "n"]);
        assert_eq!(changed.text("when").unwrap().get(0), Some("a"));
        let added = batch.with("more", batch.array("id").unwrap().clone()).unwrap();
        assert_eq!(added.columns().unwrap().names(), ["id", "when", "n", "more"]);
        assert_eq!(added.place(1).line, 2);
        assert!(batch.with(LINE, batch.array("id").unwrap().clone()).is_err());
        assert_eq!(batch.value("n", 0).unwrap().to_text().as_deref(), Some("1.50"));
        assert_eq!(format!("{batch:?}"), "Batch(2 rows of 3 columns)");
    }

    #[test]
    fn a_dictionary_is_evaluated_once_per_value() {
        let coded: arrow::array::DictionaryArray<arrow::datatypes::Int32Type> =
            vec![Some("a"), None, Some("a"), Some("b")].into_iter().collect();
        let array: ArrayRef = Arc::new(coded);
        let text = Text::of(&array).unwrap();
        let mut calls = 0;
        let lengths = text.map(|value| {
            calls += 1;
            value.map(str::len)
        });
        assert_eq!(lengths, [Some(1), None, Some(1), Some(1)]);
        assert_eq!(calls, 3);
        let upper = text.map_text(|value| Some(value.to_uppercase().into()));
        assert_eq!(Text::of(&upper).unwrap().get(3), Some("B"));
    }
}
