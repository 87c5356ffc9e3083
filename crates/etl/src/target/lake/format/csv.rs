//! CSV: RFC 4180 with a line of names. A missing cell is nothing, an empty text is `""`, so both come back as they were.

use std::io::BufRead;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{Batches, Encode, FileError, Finished, Stream};
use crate::target::lake::cells::{self, Cells};

const ROWS_PER_BATCH: usize = 8_192;

/// A CSV file that is being written.
pub(super) struct Writer {
    out: Stream,
    line: Vec<u8>,
}

impl Writer {
    pub(super) fn new(mut out: Stream, schema: &SchemaRef) -> Result<Writer, FileError> {
        let mut line = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            quoted(field.name().as_bytes(), &mut line);
        }
        line.extend_from_slice(b"\r\n");
        out.write_all(&line)?;
        Ok(Writer { out, line })
    }
}

impl Encode for Writer {
    fn write(&mut self, rows: &RecordBatch) -> Result<(), FileError> {
        let schema = rows.schema();
        let columns = schema.fields().iter().zip(rows.columns());
        let columns =
            columns.map(|(field, array)| Ok((field.name().as_str(), Cells::of(field.name(), array)?)));
        let columns = columns.collect::<Result<Vec<_>, FileError>>()?;
        let mut cell = Vec::new();
        self.line.clear();
        for row in 0..rows.num_rows() {
            for (index, (name, cells)) in columns.iter().enumerate() {
                if index > 0 {
                    self.line.push(b',');
                }
                if cells.is_missing(row) {
                    continue;
                }
                match cells {
                    Cells::Text(text) => quoted(text.get(row).unwrap_or_default().as_bytes(), &mut self.line),
                    _ => {
                        cell.clear();
                        cells.append(name, row, &mut cell)?;
                        self.line.extend_from_slice(&cell);
                    }
                }
            }
            self.line.extend_from_slice(b"\r\n");
            if self.line.len() > 1 << 16 {
                self.out.write_all(&self.line)?;
                self.line.clear();
            }
        }
        self.out.write_all(&self.line)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, FileError> {
        self.out.finish()
    }
}

/// Appends a text, in quotes when it needs them. An empty text does, to differ from a missing one.
fn quoted(text: &[u8], out: &mut Vec<u8>) {
    let needs = text.is_empty() || text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'));
    if !needs {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Reads what [`Writer`] wrote.
pub(super) fn read(
    mut from: Box<dyn BufRead + Send>,
    schema: &SchemaRef,
    columns: &[usize],
) -> Result<Batches, FileError> {
    let names = record(&mut from, schema.fields().len())?.unwrap_or_default();
    if !names.iter().map(Option::as_deref).eq(schema.fields().iter().map(|field| Some(field.name().as_str())))
    {
        return Err(FileError::Changed("its first line does not name the columns".to_owned()));
    }
    let (schema, columns) = (schema.clone(), columns.to_vec());
    Ok(Box::new(std::iter::from_fn(move || batch(&mut from, &schema, &columns).transpose())))
}

fn batch(
    from: &mut Box<dyn BufRead + Send>,
    schema: &SchemaRef,
    columns: &[usize],
) -> Result<Option<RecordBatch>, FileError> {
    let mut rows = Vec::new();
    while rows.len() < ROWS_PER_BATCH {
        match record(from, schema.fields().len())? {
            Some(row) => rows.push(row),
            None => break,
        }
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

/// The cells of the next record.
fn record(
    from: &mut Box<dyn BufRead + Send>,
    width: usize,
) -> Result<Option<Vec<Option<String>>>, FileError> {
    let mut line = Vec::new();
    // A record ends at a line end outside of quotes: where the quotes so far are even in number.
    loop {
        let n = from.read_until(b'\n', &mut line)?;
        let is_even = line.iter().filter(|byte| **byte == b'"').count() % 2 == 0;
        if n == 0 && line.is_empty() {
            return Ok(None);
        }
        if n == 0 {
            return Err(FileError::Changed("it ends within a record".to_owned()));
        }
        if is_even && line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
            break;
        }
    }
    let line = String::from_utf8(line).map_err(|_| FileError::Changed("it is not UTF-8".to_owned()))?;
    let mut cells = Vec::with_capacity(width);
    let mut rest = line.as_str();
    loop {
        let (cell, after) = cell(rest)?;
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    if cells.len() != width {
        return Err(FileError::Changed("a line has another number of cells".to_owned()));
    }
    Ok(Some(cells))
}

fn cell(text: &str) -> Result<(Option<String>, &str), FileError> {
    let Some(inner) = text.strip_prefix('"') else {
        let (cell, after) = text.split_at(text.find(',').unwrap_or(text.len()));
        return Ok(((!cell.is_empty()).then(|| cell.to_owned()), after));
    };
    let (mut cell, mut rest) = (String::new(), inner);
    loop {
        let end = rest.find('"').ok_or_else(|| FileError::Changed("a quote is not closed".to_owned()))?;
        cell.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return Ok((Some(cell), rest)),
        }
    }
}
