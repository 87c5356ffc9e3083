//! Parquet: row groups of chunks that `columnar` encodes; no Arrow schema in the file, so every reader sees the same plain types.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowSchemaConverter, ProjectionMask};
use parquet::basic::{Compression as Name, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::columnar::{Chunk, Codec};
use super::{Batches, Compression, Encode, FileError, Finished, Form, Sink};

const ROWS_PER_BATCH: usize = 16_384;

/// A Parquet file that is being written.
pub(super) struct Writer {
    file: SerializedFileWriter<Sink>,
    chunks: Vec<Chunk>,
    codec: Codec,
    form: Form,
    n_rows: usize,
}

impl Writer {
    pub(super) fn new(sink: Sink, form: &Form, schema: &SchemaRef) -> Result<Writer, FileError> {
        let name = match form.compression {
            Compression::None => Name::UNCOMPRESSED,
            Compression::Snappy => Name::SNAPPY,
            Compression::Zstd => Name::ZSTD(ZstdLevel::try_new(1)?),
        };
        let described = ArrowSchemaConverter::new().convert(&plain(schema))?;
        let properties = WriterProperties::builder()
            .set_created_by(concat!("salus ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_offset_index_disabled(true)
            .build();
        let file = SerializedFileWriter::new(sink, described.root_schema_ptr(), Arc::new(properties))?;
        Ok(Writer { file, chunks: Vec::new(), codec: Codec::new(name)?, form: form.clone(), n_rows: 0 })
    }

    fn push(&mut self, rows: &[ArrayRef], n: usize) -> Result<(), FileError> {
        if self.chunks.is_empty() {
            let columns = self.file.schema_descr().columns();
            let chunk = |column: &_| Chunk::new(Arc::clone(column), self.form.has_text_statistics);
            self.chunks = columns.iter().map(chunk).collect();
        }
        for (chunk, array) in self.chunks.iter_mut().zip(rows) {
            chunk.push(array, &mut self.codec)?;
        }
        self.n_rows += n;
        if self.n_rows >= self.form.row_group_rows { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), FileError> {
        if self.n_rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for chunk in self.chunks.drain(..) {
            let (bytes, close) = chunk.finish(&mut self.codec)?;
            group.append_column(&bytes, close)?;
        }
        group.close()?;
        self.n_rows = 0;
        Ok(())
    }
}

impl Encode for Writer {
    fn write(&mut self, rows: &RecordBatch) -> Result<(), FileError> {
        let mut start = 0;
        while start < rows.num_rows() {
            let n = (self.form.row_group_rows - self.n_rows).min(rows.num_rows() - start);
            let arrays: Vec<ArrayRef> = rows.columns().iter().map(|array| array.slice(start, n)).collect();
            self.push(&arrays, n)?;
            start += n;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, FileError> {
        self.end_group()?;
        Ok(self.file.into_inner()?.finish()?)
    }
}

/// The schema with texts as texts, whatever Arrow form the first batch has.
fn plain(schema: &SchemaRef) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        let data = match field.data_type() {
            DataType::Dictionary(_, _) | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
            other => other.clone(),
        };
        Field::new(field.name(), data, true)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// Reads columns of a file, cast to the types of a schema.
pub(super) fn read(
    path: &Path,
    schema: &SchemaRef,
    columns: &[usize],
    missing_is_null: bool,
) -> Result<Batches, FileError> {
    let file = File::open(path)?;
    let metadata = ArrowReaderMetadata::load(&file, parquet::arrow::arrow_reader::ArrowReaderOptions::new())?;
    let wanted: SchemaRef = Arc::new(schema.project(columns)?);
    let stored = metadata.schema();
    let mut leaves = Vec::with_capacity(columns.len());
    for field in wanted.fields() {
        match stored.index_of(field.name()) {
            Ok(place) => leaves.push(place),
            Err(_) if missing_is_null => {}
            Err(_) => return Err(FileError::Changed(format!("it has no column `{}`", field.name()))),
        }
    }
    let mask = ProjectionMask::roots(metadata.parquet_schema(), leaves);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_batch_size(ROWS_PER_BATCH)
        .build()?;
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch?;
        let arrays = wanted.fields().iter().map(|field| match batch.column_by_name(field.name()) {
            Some(array) => arrow::compute::cast(array, field.data_type()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        });
        Ok(RecordBatch::try_new(wanted.clone(), arrays.collect::<Result<Vec<_>, _>>()?)?)
    })))
}
