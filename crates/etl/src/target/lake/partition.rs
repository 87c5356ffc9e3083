//! Folders that are named after values: divides a batch by its partition columns, and writes and reads the folder names.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Schema};
use table::Text;

use super::cells::{self, CellError};

/// What stands for a missing value in a folder name, for Hive and all that read like it.
const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// The values of the partition columns, in their order. `None`: missing.
pub(crate) type Values = Vec<Option<String>>;

/// Rows with the same values, without the partition columns.
pub(crate) struct Part {
    /// The values.
    pub(crate) values: Values,
    /// The rows.
    pub(crate) rows: RecordBatch,
}

/// Divides a batch. Rows keep their order within a part. An empty text is refused: readers cannot tell it from a missing value.
pub(crate) fn divide(batch: &RecordBatch, by: &[String]) -> Result<Vec<Part>, CellError> {
    if by.is_empty() {
        return Ok(vec![Part { values: Vec::new(), rows: batch.clone() }]);
    }
    let codes = codes(batch, by)?;
    let mut groups: BTreeMap<&[u32], Vec<u32>> = BTreeMap::new();
    for (row, code) in codes.rows.chunks_exact(by.len()).enumerate() {
        groups.entry(code).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    let kept: Vec<usize> =
        (0..batch.num_columns()).filter(|index| !by.contains(batch.schema().field(*index).name())).collect();
    let rest = batch.project(&kept)?;
    let is_one = groups.len() == 1;
    let parts = groups.into_iter().map(|(code, rows)| {
        let values = code.iter().zip(&codes.values).map(|(code, known)| known[*code as usize].clone());
        let values = values.collect();
        let rows = if is_one {
            rest.clone()
        } else {
            arrow::compute::take_record_batch(&rest, &UInt32Array::from(rows))?
        };
        Ok(Part { values, rows })
    });
    parts.collect()
}

/// Per row and partition column a number, and what the numbers of a column mean.
struct Codes {
    rows: Vec<u32>,
    values: Vec<Values>,
}

fn codes(batch: &RecordBatch, by: &[String]) -> Result<Codes, CellError> {
    let width = by.len();
    let mut codes = Codes { rows: vec![0; batch.num_rows() * width], values: vec![Vec::new(); width] };
    for (place, name) in by.iter().enumerate() {
        let array = batch.column_by_name(name).ok_or_else(|| CellError::NoColumn(name.clone()))?;
        let known = &mut codes.values[place];
        let mut index: std::collections::HashMap<Option<String>, u32> = std::collections::HashMap::new();
        let mut number = |value: Option<String>| {
            *index.entry(value).or_insert_with_key(|value| {
                known.push(value.clone());
                u32::try_from(known.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let numbers: Vec<u32> = match Text::of(array) {
            Some(text) => text.map(|value| number(value.map(str::to_owned))),
            None => {
                let mut numbers = Vec::with_capacity(array.len());
                for row in 0..array.len() {
                    numbers.push(number(cells::text_of(name, array, row)?));
                }
                numbers
            }
        };
        for (row, number) in numbers.into_iter().enumerate() {
            codes.rows[row * width + place] = number;
        }
        let used = codes.rows.iter().skip(place).step_by(width);
        if used.clone().any(|code| known[*code as usize].as_deref() == Some("")) {
            return Err(CellError::EmptyPartition(name.clone()));
        }
    }
    Ok(codes)
}

/// The folder of some values: `state=AL/year=2026`. Empty without partition columns.
pub(crate) fn folder(by: &[String], values: &Values) -> String {
    let parts = by.iter().zip(values).map(|(name, value)| {
        let value = value.as_deref().map_or_else(|| MISSING.to_owned(), escaped);
        format!("{}={value}", escaped(name))
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Everything but letters, digits and `-_.~` as `%XX`. Readers decode it as in a URL.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // A folder named `.` or `..` would be another folder.
    if out.chars().all(|c| c == '.') { out.replace('.', "%2E") } else { out }
}

/// A batch with the partition columns put back in their place among `schema`.
pub(crate) fn restore(
    rows: &RecordBatch,
    by: &[String],
    values: &Values,
    schema: &std::sync::Arc<Schema>,
) -> Result<RecordBatch, CellError> {
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let array = match by.iter().position(|name| name == field.name()) {
            Some(place) => {
                repeated(field.name(), values[place].as_deref(), field.data_type(), rows.num_rows())?
            }
            None => rows
                .column_by_name(field.name())
                .ok_or_else(|| CellError::NoColumn(field.name().clone()))?
                .clone(),
        };
        let array = if array.data_type() == field.data_type() {
            array
        } else {
            arrow::compute::cast(&array, field.data_type())?
        };
        arrays.push(array);
    }
    Ok(RecordBatch::try_new(schema.clone(), arrays)?)
}

fn repeated(name: &str, value: Option<&str>, data: &DataType, n_rows: usize) -> Result<ArrayRef, CellError> {
    let one = cells::array_of(name, data, &[value])?;
    Ok(arrow::compute::take(&one, &UInt32Array::from(vec![0; n_rows]), None)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use table::{Batch, Column, Columns, Type, Value};

    #[test]
    fn values_become_folders_and_come_back() {
        let columns = Columns::new(vec![
            Column::new("id", Type::Integer),
            Column::new("state", Type::Text),
            Column::new("day", Type::Date),
        ])
        .unwrap();
        let row = |id, state: &str, day| vec![Value::Integer(id), Value::from(state), day];
        let rows = [
            row(1, "A/L", Value::Date(0)),
            row(2, "..", Value::Null),
            row(3, "A/L", Value::Date(0)),
            row(4, "Ä =%", Value::Null),
        ];
        let batch = Batch::from_rows(&columns, &rows).unwrap().without_places();
        let by = ["state".to_owned(), "day".to_owned()];
        let parts = divide(&batch, &by).unwrap();
        let names: Vec<String> = parts.iter().map(|part| folder(&by, &part.values)).collect();
        assert_eq!(
            names,
            [
                "state=A%2FL/day=1970-01-01",
                "state=%2E%2E/day=__HIVE_DEFAULT_PARTITION__",
                "state=%C3%84%20%3D%25/day=__HIVE_DEFAULT_PARTITION__"
            ]
        );
        let back = restore(&parts[0].rows, &by, &parts[0].values, &batch.schema()).unwrap();
        assert_eq!(back, arrow::compute::take_record_batch(&batch, &UInt32Array::from(vec![0, 2])).unwrap());
        let empty = Batch::from_rows(&columns, &[row(1, "", Value::Null)]).unwrap().without_places();
        assert!(matches!(divide(&empty, &by), Err(CellError::EmptyPartition(_))));
    }
}
