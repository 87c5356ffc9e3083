//! NDJSON: one object a line with every column in order; numbers keep all their digits, a missing cell is `null`.

use std::io::BufRead;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{Batches, Encode, FileError, Finished, Stream};
use crate::target::lake::cells::{self, Cells};

const ROWS_PER_BATCH: usize = 8_192;

/// An NDJSON file that is being written.
pub(super) struct Writer {
    out: Stream,
    lines: Vec<u8>,
}

impl Writer {
    pub(super) fn new(out: Stream) -> Writer {
        Writer { out, lines: Vec::new() }
    }
}

impl Encode for Writer {
    fn write(&mut self, rows: &RecordBatch) -> Result<(), FileError> {
        let schema = rows.schema();
        let columns =
            schema.fields().iter().zip(rows.columns()).enumerate().map(|(index, (field, array))| {
                let mut head = vec![if index == 0 { b'{' } else { b',' }];
                string(field.name(), &mut head);
                head.push(b':');
                Ok((head, field.name().as_str(), Cells::of(field.name(), array)?))
            });
        let columns = columns.collect::<Result<Vec<_>, FileError>>()?;
        self.lines.clear();
        for row in 0..rows.num_rows() {
            for (head, name, cells) in &columns {
                self.lines.extend_from_slice(head);
                value(cells, name, row, &mut self.lines)?;
            }
            self.lines.extend_from_slice(b"}\n");
            if self.lines.len() > 1 << 16 {
                self.out.write_all(&self.lines)?;
                self.lines.clear();
            }
        }
        self.out.write_all(&self.lines)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, FileError> {
        self.out.finish()
    }
}

fn value(cells: &Cells<'_>, name: &str, row: usize, out: &mut Vec<u8>) -> Result<(), FileError> {
    if cells.is_missing(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match cells {
        Cells::Text(text) => string(text.get(row).unwrap_or_default(), out),
        // JSON has no word for these: they are texts.
        Cells::Number(numbers) if !numbers.value(row).is_finite() => {
            out.push(b'"');
            cells.append(name, row, out)?;
            out.push(b'"');
        }
        _ if cells.is_bare() => cells.append(name, row, out)?,
        _ => {
            out.push(b'"');
            cells.append(name, row, out)?;
            out.push(b'"');
        }
    }
    Ok(())
}

fn string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a text can always be written as JSON");
}

/// Reads what [`Writer`] wrote.
pub(super) fn read(
    mut from: Box<dyn BufRead + Send>,
    schema: &SchemaRef,
    columns: &[usize],
) -> Result<Batches, FileError> {
    let (schema, columns) = (schema.clone(), columns.to_vec());
    Ok(Box::new(std::iter::from_fn(move || batch(&mut from, &schema, &columns).transpose())))
}

fn batch(
    from: &mut Box<dyn BufRead + Send>,
    schema: &SchemaRef,
    columns: &[usize],
) -> Result<Option<RecordBatch>, FileError> {
    let mut rows = Vec::new();
    let mut line = String::new();
    while rows.len() < ROWS_PER_BATCH {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            break;
        }
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let row = object(line.trim_end_matches('\n'), names);
        rows.push(
            row.ok_or_else(|| FileError::Changed("a line does not hold the columns in order".to_owned()))?,
        );
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let arrays = columns.iter().map(|index| {
        let field = schema.field(*index);
        let texts: Vec<Option<&str>> = rows.iter().map(|row| row[*index].as_deref()).collect();
        cells::array_of(field.name(), field.data_type(), &texts)
    });
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    Ok(Some(RecordBatch::try_new(std::sync::Arc::new(schema.project(columns)?), arrays)?))
}

/// The texts of the values of an object that has these keys in this order.
fn object<'a>(line: &str, names: impl Iterator<Item = &'a str>) -> Option<Vec<Option<String>>> {
    let mut rest = line.strip_prefix('{')?;
    let mut values = Vec::new();
    for (index, name) in names.enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(',')?;
        }
        let (key, after) = text(rest)?;
        if key != name {
            return None;
        }
        rest = after.strip_prefix(':')?;
        if let Some(after) = rest.strip_prefix("null") {
            values.push(None);
            rest = after;
        } else if rest.starts_with('"') {
            let (value, after) = text(rest)?;
            values.push(Some(value));
            rest = after;
        } else {
            let (value, after) = rest.split_at(rest.find([',', '}'])?);
            values.push(Some(value.to_owned()));
            rest = after;
        }
    }
    (rest == "}").then_some(values)
}

/// The JSON string at the beginning of a text, and what follows.
fn text(from: &str) -> Option<(String, &str)> {
    let bytes = from.as_bytes();
    let mut end = 1;
    loop {
        match bytes.get(end)? {
            b'\\' => end += 2,
            b'"' => break,
            _ => end += 1,
        }
    }
    let (string, rest) = from.split_at(end + 1);
    Some((serde_json::from_str(string).ok()?, rest))
}
