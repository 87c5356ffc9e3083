//! Rows of a database on their way into batches: one builder per column, and the cells that no builder can hold.

use std::sync::Arc;

use arrow::array::AsArray as _;
use arrow::array::{
    ArrayRef, BooleanArray, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
    StringArray, StringDictionaryBuilder, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::Int32Type;
use table::{Batch, Columns, Place, Places, Reject, Type, Value};

use crate::EtlError;

/// The cells of one column.
pub(crate) enum Cells {
    /// Text.
    Text(Box<TextCells>),
    /// Integers.
    Integer(Int64Builder),
    /// Decimals: unscaled numbers of the column's own scale.
    Decimal(Decimal128Builder),
    /// Floating point numbers.
    Number(Float64Builder),
    /// Days since 1970.
    Date(Date32Builder),
    /// Microseconds since 1970 UTC.
    Instant(TimestampMicrosecondBuilder),
    /// Truth values.
    Boolean(BooleanBuilder),
}

impl Cells {
    fn new(kind: Type) -> Cells {
        match kind {
            Type::Text => Cells::Text(Box::new(TextCells::new())),
            Type::Integer => Cells::Integer(Int64Builder::new()),
            Type::Decimal { .. } => Cells::Decimal(Decimal128Builder::new().with_data_type(kind.data_type())),
            Type::Number => Cells::Number(Float64Builder::new()),
            Type::Date => Cells::Date(Date32Builder::new()),
            Type::Instant => Cells::Instant(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Type::Boolean => Cells::Boolean(BooleanBuilder::new()),
        }
    }

    /// Adds a missing value.
    #[inline]
    pub(crate) fn null(&mut self) {
        match self {
            Cells::Text(cells) => cells.null(),
            Cells::Integer(cells) => cells.append_null(),
            Cells::Decimal(cells) => cells.append_null(),
            Cells::Number(cells) => cells.append_null(),
            Cells::Date(cells) => cells.append_null(),
            Cells::Instant(cells) => cells.append_null(),
            Cells::Boolean(cells) => cells.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Cells::Text(cells) => cells.finish(),
            Cells::Integer(cells) => Arc::new(cells.finish()),
            Cells::Decimal(cells) => Arc::new(cells.finish()),
            Cells::Number(cells) => Arc::new(cells.finish()),
            Cells::Date(cells) => Arc::new(cells.finish()),
            Cells::Instant(cells) => Arc::new(cells.finish()),
            Cells::Boolean(cells) => Arc::new(cells.finish()),
        }
    }
}

/// Text: a dictionary while values repeat, so that what follows evaluates each value once; views when they do not.
pub(crate) struct TextCells {
    coded: Option<StringDictionaryBuilder<Int32Type>>,
    plain: StringViewBuilder,
    n_rows: usize,
    n_values: usize,
}

/// A dictionary is given up when it has more than one value per so many rows,
const ROWS_PER_VALUE_MIN: usize = 8;
/// counting at least so many rows.
const PROBE_ROWS: usize = 512;

impl TextCells {
    fn new() -> TextCells {
        let coded = Some(StringDictionaryBuilder::new());
        TextCells { coded, plain: StringViewBuilder::new(), n_rows: 0, n_values: 0 }
    }

    /// Adds a text.
    #[inline]
    pub(crate) fn push(&mut self, text: &str) {
        let Some(coded) = &mut self.coded else {
            self.plain.append_value(text);
            return;
        };
        let key = coded.append(text).expect("a batch has fewer than 2^31 rows");
        self.n_rows += 1;
        if key as usize >= self.n_values {
            self.n_values += 1;
            if self.n_values * ROWS_PER_VALUE_MIN > self.n_rows.max(PROBE_ROWS) {
                self.give_up();
            }
        }
    }

    #[inline]
    fn null(&mut self) {
        match &mut self.coded {
            None => self.plain.append_null(),
            Some(coded) => coded.append_null(),
        }
    }

    #[cold]
    fn give_up(&mut self) {
        let Some(mut coded) = self.coded.take() else { return };
        let array = coded.finish();
        let values: &StringArray = array.values().as_string::<i32>();
        for key in array.keys() {
            let text = key.and_then(|key| usize::try_from(key).ok()).map(|key| values.value(key));
            self.plain.append_option(text);
        }
    }

    fn finish(&mut self) -> ArrayRef {
        (self.n_rows, self.n_values) = (0, 0);
        match &mut self.coded {
            None => Arc::new(self.plain.finish()),
            Some(coded) => Arc::new(coded.finish()),
        }
    }
}

/// Rows of one unit that become batches.
pub(crate) struct Rows {
    names: Vec<Arc<str>>,
    cells: Vec<Cells>,
    n_rows: usize,
    faults: Vec<Fault>,
    unit: u32,
    first_line: u64,
}

/// A cell that its column cannot hold.
struct Fault {
    row: usize,
    column: usize,
    reason: &'static str,
    message: &'static str,
    shown: String,
}

impl Rows {
    /// Rows of a unit.
    pub(crate) fn new(columns: &Columns, unit: u32) -> Rows {
        Rows {
            names: columns.iter().map(|column| column.name.clone()).collect(),
            cells: columns.iter().map(|column| Cells::new(column.kind)).collect(),
            n_rows: 0,
            faults: Vec::new(),
            unit,
            first_line: 1,
        }
    }

    /// The cells of a column. A row is one call of each column's cells, then [`Rows::end_row`].
    #[inline]
    pub(crate) fn cells(&mut self, column: usize) -> &mut Cells {
        &mut self.cells[column]
    }

    /// Refuses the row for a cell of the column. `shown` is the cell in text, for the quarantine only.
    #[cold]
    pub(crate) fn fault(
        &mut self,
        column: usize,
        reason: &'static str,
        message: &'static str,
        shown: String,
    ) {
        self.cells[column].null();
        self.faults.push(Fault { row: self.n_rows, column, reason, message, shown });
    }

    /// Ends a row.
    #[inline]
    pub(crate) fn end_row(&mut self) {
        self.n_rows += 1;
    }

    /// Rows since the last batch, with those that are refused.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.n_rows
    }

    /// The rows so far, without those that are refused. Begins anew.
    pub(crate) fn take(&mut self) -> Result<(Batch, Vec<Reject>), EtlError> {
        let arrays = self.names.iter().cloned().zip(self.cells.iter_mut().map(Cells::finish)).collect();
        let batch = Batch::new(arrays, Places::numbered(self.unit, self.first_line, self.n_rows))?;
        self.first_line += self.n_rows as u64;
        let n_rows = std::mem::take(&mut self.n_rows);
        let faults = std::mem::take(&mut self.faults);
        if faults.is_empty() {
            return Ok((batch, Vec::new()));
        }
        let mut keep = vec![true; n_rows];
        let mut rejects: Vec<Reject> = Vec::new();
        for fault in &faults {
            if std::mem::replace(&mut keep[fault.row], false) {
                rejects.push(self.reject(&batch, fault, &faults));
            }
        }
        Ok((batch.filter(&BooleanArray::from(keep))?, rejects))
    }

    fn reject(&self, batch: &Batch, fault: &Fault, all: &[Fault]) -> Reject {
        let column = self.names[fault.column].to_string();
        let mut row = row_object(batch, fault.row);
        for other in all.iter().filter(|other| other.row == fault.row) {
            row.insert(self.names[other.column].to_string(), other.shown.clone().into());
        }
        Reject {
            place: batch.place(fault.row),
            rule: "record".into(),
            message: format!("`{column}` {}", fault.message),
            column: Some(column),
            reason: fault.reason.into(),
            raw: serde_json::Value::Object(row).to_string().into_bytes(),
        }
    }
}

/// A row as a JSON object of texts, for the quarantine.
pub(crate) fn row_json(batch: &Batch, row: usize) -> Vec<u8> {
    serde_json::Value::Object(row_object(batch, row)).to_string().into_bytes()
}

fn row_object(batch: &Batch, row: usize) -> serde_json::Map<String, serde_json::Value> {
    let record = batch.without_places();
    let fields = record.schema();
    let cells = fields.fields().iter().zip(record.columns());
    cells
        .map(|(field, array)| {
            let text = Value::of(array, row).ok().and_then(|value| value.to_text());
            (field.name().clone(), text.map_or(serde_json::Value::Null, serde_json::Value::from))
        })
        .collect()
}

/// Fills in the raw record of rejects that have none from the rows they came from.
pub(crate) fn fill_raw(rejects: &mut [Reject], rows: &Batch) {
    for reject in rejects.iter_mut().filter(|reject| reject.raw.is_empty()) {
        let is_its = |row: &usize| rows.place(*row) == Place { offset: None, ..reject.place };
        if let Some(row) = (0..rows.n_rows()).find(is_its) {
            reject.raw = row_json(rows, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Array as _;
    use table::Column;

    fn rows() -> Rows {
        let columns = vec![Column::new("name", Type::Text), Column::new("born", Type::Date)];
        Rows::new(&Columns::new(columns).unwrap(), 2)
    }

    fn push(rows: &mut Rows, text: Option<&str>, date: Option<i32>) {
        let Cells::Text(cells) = rows.cells(0) else { panic!() };
        match text {
            Some(text) => cells.push(text),
            None => cells.null(),
        }
        let Cells::Date(cells) = rows.cells(1) else { panic!() };
        cells.append_option(date);
        rows.end_row();
    }

    #[test]
    fn text_is_a_dictionary_only_while_values_repeat() {
        let mut all = rows();
        for n in 0..2_000 {
            push(&mut all, Some(["F", "M", "U"][n % 3]), None);
        }
        push(&mut all, None, None);
        let (batch, _) = all.take().unwrap();
        assert!(matches!(batch.text("name").unwrap(), table::Text::Coded(_, values) if values.len() == 3));
        assert_eq!(batch.text("name").unwrap().get(1_999), Some("M"));
        assert_eq!(batch.text("name").unwrap().get(2_000), None);
        for n in 0..2_000 {
            push(&mut all, Some(format!("name {n}").as_str()), None);
        }
        let (batch, _) = all.take().unwrap();
        let text = batch.text("name").unwrap();
        assert!(matches!(text, table::Text::Plain(_)));
        assert!((0..2_000).all(|row| text.get(row) == Some(&format!("name {row}"))));
        assert_eq!(batch.place(0), Place { unit: 2, line: 2_002, offset: None });
    }

    #[test]
    fn a_cell_that_cannot_be_held_refuses_its_row_only() {
        let mut all = rows();
        push(&mut all, Some("a"), Some(1));
        let Cells::Text(cells) = all.cells(0) else { panic!() };
        cells.push("b");
        all.fault(1, "out_of_range", "is not a day of the calendar", "infinity".to_owned());
        all.end_row();
        push(&mut all, Some("c"), Some(3));
        let (batch, rejects) = all.take().unwrap();
        assert_eq!(batch.n_rows(), 2);
        assert_eq!(batch.place(1).line, 3);
        assert_eq!(rejects.len(), 1);
        assert_eq!(rejects[0].place.line, 2);
        assert_eq!(rejects[0].message, "`born` is not a day of the calendar");
        assert_eq!(rejects[0].raw, br#"{"born":"infinity","name":"b"}"#);
    }
}
