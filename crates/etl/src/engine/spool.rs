//! Rows on disk: Arrow IPC with LZ4 in the scratch folder, deleted when nobody holds them any more.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::{BatchCoalescer, CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use table::{Batch, Columns};
use tempfile::TempPath;

use crate::EtlError;

/// Rows per batch, so that some batches fit into a small memory limit too.
pub(super) fn batch_rows(memory_bytes_max: u64) -> usize {
    if memory_bytes_max < (64 << 20) { 1_024 } else { 8_192 }
}

/// A table on disk that is being filled.
pub struct Spool {
    scratch: PathBuf,
    batch_rows: usize,
    columns: Option<Columns>,
    open: Option<OpenSpool>,
    n_rows: u64,
}

struct OpenSpool {
    path: TempPath,
    schema: SchemaRef,
    gather: BatchCoalescer,
    writer: StreamWriter<BufWriter<File>>,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spool({} rows)", self.n_rows)
    }
}

impl Spool {
    pub(super) fn new(
        scratch: &Path,
        memory_bytes_max: u64,
        columns: Option<&Columns>,
    ) -> Result<Spool, EtlError> {
        let scratch = scratch.to_path_buf();
        let batch_rows = batch_rows(memory_bytes_max);
        let mut spool = Spool { scratch, batch_rows, columns: None, open: None, n_rows: 0 };
        if let Some(columns) = columns {
            spool.begin(columns)?;
        }
        Ok(spool)
    }

    fn begin(&mut self, columns: &Columns) -> Result<(), EtlError> {
        let file = tempfile::Builder::new()
            .prefix("spool-")
            .suffix(".arrow")
            .tempfile_in(&self.scratch)
            .map_err(|source| EtlError::Io { what: "cannot make a scratch file".to_owned(), source })?;
        let (file, path) = file.into_parts();
        let schema = columns.schema();
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let writer = StreamWriter::try_new_with_options(BufWriter::new(file), &schema, options)?;
        let gather = BatchCoalescer::new(Arc::clone(&schema), self.batch_rows);
        self.columns = Some(columns.clone());
        self.open = Some(OpenSpool { path, schema, gather, writer });
        Ok(())
    }

    /// Adds rows. They must have the columns of the table; other forms (dictionaries, narrow integers) are brought to the usual one.
    pub fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        if self.open.is_none() {
            let columns = batch.columns()?;
            self.begin(&columns)?;
        }
        let open = self.open.as_mut().expect("begun above");
        let record = normal(batch.record(), &open.schema)?;
        self.n_rows += record.num_rows() as u64;
        // In slices, so that the gatherer sees how much of shared text buffers a slice really uses.
        for start in (0..record.num_rows()).step_by(self.batch_rows) {
            let n_rows = self.batch_rows.min(record.num_rows() - start);
            open.gather.push_batch(compact(&record.slice(start, n_rows))?)?;
            while let Some(full) = open.gather.next_completed_batch() {
                open.writer.write(&full).map_err(not_written)?;
            }
        }
        Ok(())
    }

    /// Rows so far.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// No more rows will come. A spool that was made without columns and got no rows has none.
    pub fn finish(mut self) -> Result<Spooled, EtlError> {
        if self.open.is_none() {
            self.begin(&Columns::default())?;
        }
        let (columns, open) = (self.columns.take(), self.open.take().expect("begun above"));
        let OpenSpool { path, schema, mut gather, mut writer } = open;
        gather.finish_buffered_batch()?;
        while let Some(rest) = gather.next_completed_batch() {
            writer.write(&rest).map_err(not_written)?;
        }
        writer.finish().map_err(not_written)?;
        // What is still in the buffer is written now, where it can be told that it cannot.
        writer
            .into_inner()
            .map_err(not_written)?
            .into_inner()
            .map_err(|error| no_room(error.into_error()))?;
        let io = |source| EtlError::Io { what: "cannot look at a scratch file".to_owned(), source };
        let n_bytes = std::fs::metadata(&path).map_err(io)?.len();
        Ok(Spooled {
            columns: columns.unwrap_or_default(),
            schema,
            n_rows: self.n_rows,
            n_bytes,
            path: Arc::new(path),
        })
    }
}

/// A full disk, or whatever else keeps rows out of a file, is told as what it is.
fn not_written(error: ArrowError) -> EtlError {
    match error {
        ArrowError::IoError(_, source) => no_room(source),
        other => other.into(),
    }
}

fn no_room(source: std::io::Error) -> EtlError {
    EtlError::Io { what: "cannot write a scratch file".to_owned(), source }
}

/// The columns of a schema, in its order and forms.
fn normal(record: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, EtlError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let array = record
            .column_by_name(field.name())
            .ok_or_else(|| table::TableError::NoSuchColumn(field.name().clone()))?;
        arrays.push(if array.data_type() == field.data_type() {
            Arc::clone(array)
        } else {
            // The text of a cast error would show a value.
            cast_with_options(array, field.data_type(), &options).map_err(|_| {
                table::TableError::WrongType {
                    column: field.name().clone(),
                    found: array.data_type().to_string(),
                    wanted: field.data_type().to_string(),
                }
            })?
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

/// Text views that use little of their buffers get buffers of their own: the file holds whole buffers.
fn compact(record: &RecordBatch) -> Result<RecordBatch, EtlError> {
    let mut arrays = record.columns().to_vec();
    for array in &mut arrays {
        if let Some(views) = array.as_string_view_opt() {
            let held: usize = views.data_buffers().iter().map(arrow::buffer::Buffer::len).sum();
            if held > views.total_buffer_bytes_used() {
                *array = Arc::new(views.gc());
            }
        }
    }
    Ok(RecordBatch::try_new(record.schema(), arrays)?)
}

/// A table on disk. Clones share it; the file is deleted with the last of them and the last reader.
#[derive(Clone)]
pub struct Spooled {
    columns: Columns,
    schema: SchemaRef,
    n_rows: u64,
    n_bytes: u64,
    path: Arc<TempPath>,
}

impl std::fmt::Debug for Spooled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spooled({} rows of {} columns)", self.n_rows, self.columns.len())
    }
}

impl Spooled {
    /// The columns of its batches.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Rows.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Bytes on disk.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The rows in the order in which they came, from the start, as often as wanted.
    pub fn read(&self) -> Result<SpoolReader, EtlError> {
        let what = "cannot read a scratch file";
        let io = |source| EtlError::Io { what: what.to_owned(), source };
        let file = File::open(&*self.path).map_err(io)?;
        let reader = StreamReader::try_new(BufReader::with_capacity(1 << 18, file), None)?;
        Ok(SpoolReader { reader, _path: Arc::clone(&self.path) })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

/// Reads a [`Spooled`] table batch by batch.
pub struct SpoolReader {
    reader: StreamReader<BufReader<File>>,
    _path: Arc<TempPath>,
}

impl std::fmt::Debug for SpoolReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpoolReader")
    }
}

impl SpoolReader {
    pub(super) fn next_record(&mut self) -> Option<Result<RecordBatch, EtlError>> {
        Some(self.reader.next()?.map_err(EtlError::from))
    }
}

impl Iterator for SpoolReader {
    type Item = Result<Batch, EtlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.next_record()?;
        Some(record.and_then(|record| Ok(Batch::from_record(record)?)))
    }
}
