//! Files of Apache Parquet, row group by row group; only the columns that are wanted are read.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use table::{Batch, Column, Places, Type, TypedColumn, Typing};
use tokio::runtime::Handle;

use super::SourceSpec;
use super::declared::{Bound, Declared};
use super::files::{FileAt, FileError, FileSpec, Form, Sink};
use crate::storage::{Bucket, Found};
use crate::yaml::Fields;
use crate::{Problems, Word};

const BATCH_ROWS: usize = 16_384;

/// `parquet`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let mut batch_rows = BATCH_ROWS;
    if let Some(rows) = fields.whole("batch_rows", problems) {
        match usize::try_from(rows) {
            Ok(rows) if (1..=1 << 20).contains(&rows) => batch_rows = rows,
            _ => problems.add(fields.at(), "`batch_rows` must be between 1 and 1048576"),
        }
    }
    FileSpec::decode(name, fields, problems, Some(Parquet { batch_rows }))
}

#[derive(Debug)]
struct Parquet {
    batch_rows: usize,
}

impl From<ParquetError> for FileError {
    fn from(error: ParquetError) -> FileError {
        FileError::Content(format!("this is not readable as Parquet: {error}"))
    }
}

impl Form for Parquet {
    fn look(&self, file: &FileAt, declared: &Declared) -> Result<Vec<Column>, FileError> {
        let schema = match file.storage.bucket() {
            None => {
                let metadata = ArrowReaderMetadata::load(&local(file)?, ArrowReaderOptions::new())?;
                metadata.schema().clone()
            }
            Some(bucket) => {
                let mut reader = Ranges { bucket: bucket.clone(), found: file.found.clone() };
                let options = ArrowReaderOptions::new();
                let load = ArrowReaderMetadata::load_async(&mut reader, options);
                runtime()?.block_on(load)?.schema().clone()
            }
        };
        columns_of(&schema, declared)
    }

    fn read(&self, file: &FileAt, sink: &Sink<'_>) -> Result<(), FileError> {
        match file.storage.bucket() {
            None => self.read_local(file, sink),
            Some(bucket) => {
                let reader = Ranges { bucket: bucket.clone(), found: file.found.clone() };
                self.read_ranges(reader, sink)
            }
        }
    }
}

impl Parquet {
    fn read_local(&self, file: &FileAt, sink: &Sink<'_>) -> Result<(), FileError> {
        let opened = local(file)?;
        let metadata = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new())?;
        let plan = Plan::new(metadata.schema(), sink)?;
        let metadata = ArrowReaderMetadata::try_new(metadata.metadata().clone(), plan.options())?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, metadata.clone())
            .with_projection(plan.mask(metadata.metadata()))
            .with_batch_size(self.batch_rows)
            .build()?;
        let (mut n_rows, n_all) = (0, metadata.metadata().file_metadata().num_rows());
        for record in reader {
            let record = record.map_err(|error| ParquetError::ArrowError(error.to_string()))?;
            n_rows =
                plan.send(&record, n_rows, consumed(file.found.n_bytes, record.num_rows(), n_all), sink)?;
        }
        // Opening it again checks that it is still the file that was found.
        file.stream().map(drop)
    }

    fn read_ranges(&self, reader: Ranges, sink: &Sink<'_>) -> Result<(), FileError> {
        let (runtime, n_bytes) = (runtime()?, reader.found.n_bytes);
        let mut first = reader.clone();
        let metadata =
            runtime.block_on(ArrowReaderMetadata::load_async(&mut first, ArrowReaderOptions::new()))?;
        let plan = Plan::new(metadata.schema(), sink)?;
        let metadata = ArrowReaderMetadata::try_new(metadata.metadata().clone(), plan.options())?;
        let mut stream = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata.clone())
            .with_projection(plan.mask(metadata.metadata()))
            .with_batch_size(self.batch_rows)
            .build()?;
        let (mut n_rows, n_all) = (0, metadata.metadata().file_metadata().num_rows());
        while let Some(record) = runtime.block_on(stream.next()) {
            let record = record?;
            n_rows = plan.send(&record, n_rows, consumed(n_bytes, record.num_rows(), n_all), sink)?;
        }
        Ok(())
    }
}

/// A local file, opened as it was found.
fn local(file: &FileAt) -> Result<std::fs::File, FileError> {
    // Opening the stream checks that it is the file that was found.
    file.stream()?;
    let path = file.storage.local_path(&file.found.name);
    let path = path.ok_or_else(|| FileError::Content("it is not a local file".to_owned()))?;
    std::fs::File::open(&path).map_err(|error| FileError::Content(format!("cannot read: {error}")))
}

fn runtime() -> Result<Handle, FileError> {
    Handle::try_current().map_err(|error| FileError::Content(error.to_string()))
}

/// Bytes that some of the rows stand for, for progress.
fn consumed(n_bytes: u64, n_rows: usize, n_all: i64) -> u64 {
    let (n_rows, n_all) = (n_rows as u128, u128::from(n_all.max(1).unsigned_abs()));
    u64::try_from(u128::from(n_bytes) * n_rows / n_all).unwrap_or(u64::MAX)
}

/// Columns with a type of ours. One of another type is an error when it is wanted.
fn columns_of(schema: &Schema, declared: &Declared) -> Result<Vec<Column>, FileError> {
    let mut columns = Vec::new();
    for field in schema.fields() {
        match Type::of(field.data_type()) {
            Some(kind) => columns.push(Column::new(field.name().as_str(), kind)),
            None if declared.wants(field.name()) => {
                return Err(FileError::Content(format!(
                    "the column `{}` has the type {}, which pipelines do not know: declare the columns that are wanted, and say `drift: {{columns: ignore}}`",
                    field.name(),
                    field.data_type()
                )));
            }
            None => {}
        }
    }
    Ok(columns)
}

/// Which columns are read, and as what.
struct Plan {
    found: Vec<Column>,
    /// The file's schema with text as views.
    schema: SchemaRef,
    bound: Vec<Bound>,
    typing: Typing,
}

impl Plan {
    fn new(schema: &SchemaRef, sink: &Sink<'_>) -> Result<Plan, FileError> {
        let found = columns_of(schema, sink.declared)?;
        let bound = sink.bind(&found)?;
        let fields = schema.fields().iter().map(|field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => {
                Arc::new(Field::new(field.name(), DataType::Utf8View, field.is_nullable()))
            }
            _ => field.clone(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let typed = bound.iter().map(|bound| TypedColumn {
            name: bound.name.clone(),
            from: found[bound.found].name.clone(),
            reading: bound.reading.clone(),
        });
        let typing = Typing::new(typed.collect());
        Ok(Plan { found, schema, bound, typing })
    }

    fn options(&self) -> ArrowReaderOptions {
        ArrowReaderOptions::new().with_schema(self.schema.clone())
    }

    fn mask(&self, metadata: &ParquetMetaData) -> ProjectionMask {
        let wanted = |name: &str| self.bound.iter().any(|bound| *self.found[bound.found].name == *name);
        let fields = self.schema.fields().iter().enumerate();
        let roots = fields.filter(|(_, field)| wanted(field.name())).map(|(index, _)| index);
        ProjectionMask::roots(metadata.file_metadata().schema_descr(), roots)
    }

    /// Sends some rows, behind `n_before` others. Gives how many there were with these.
    fn send(
        &self,
        record: &RecordBatch,
        n_before: u64,
        n_bytes: u64,
        sink: &Sink<'_>,
    ) -> Result<u64, FileError> {
        let names = record.schema();
        let names = names.fields().iter().map(|field| Arc::from(field.name().as_str()));
        let columns = names.zip(record.columns().iter().cloned()).collect();
        let places = Places::numbered(sink.number, n_before + 1, record.num_rows());
        let typed = self.typing.apply(&Batch::new(columns, places)?)?;
        sink.send(Some(typed.batch), typed.rejects, typed.nulled, n_bytes)?;
        Ok(n_before + record.num_rows() as u64)
    }
}

/// An object of a bucket, read in ranges.
#[derive(Clone)]
struct Ranges {
    bucket: Arc<Bucket>,
    found: Found,
}

impl AsyncFileReader for Ranges {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        async move {
            let bytes = self.bucket.range(&self.found, range).await;
            bytes.map_err(|error| ParquetError::External(Box::new(error)))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let n_bytes = self.found.n_bytes;
            let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
            Ok(Arc::new(reader.load_and_finish(self, n_bytes).await?))
        }
        .boxed()
    }
}
