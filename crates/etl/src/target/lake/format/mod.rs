//! The formats of files: each writes record batches into a file and reads them back.

mod columnar;
mod csv;
mod ndjson;
mod parquet;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use ::parquet::errors::ParquetError;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::cells::CellError;

/// What files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Apache Parquet.
    Parquet,
    /// RFC 4180, with a line of names.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// Zstandard, level 1.
    Zstd,
    /// Snappy, in Parquet only.
    Snappy,
}

/// How files are written.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// What they hold.
    pub(crate) format: Format,
    /// How they are compressed.
    pub(crate) compression: Compression,
    /// Rows of a row group, in Parquet.
    pub(crate) row_group_rows: usize,
    /// Whether the smallest and largest text of a column stand in the file's statistics.
    pub(crate) has_text_statistics: bool,
}

impl Form {
    /// The end of file names.
    pub(crate) fn suffix(&self) -> &'static str {
        match (self.format, self.compression) {
            (Format::Parquet, _) => "parquet",
            (Format::Csv, Compression::Zstd) => "csv.zst",
            (Format::Csv, _) => "csv",
            (Format::Ndjson, Compression::Zstd) => "ndjson.zst",
            (Format::Ndjson, _) => "ndjson",
        }
    }
}

/// Why a file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A cell cannot be written.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// Parquet refused.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// Arrow refused.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// A file does not hold what it should.
    #[error("the file was changed by something else: {0}")]
    Changed(String),
}

/// A file that knows its length and hash.
pub(crate) struct Sink {
    file: File,
    hash: Sha256,
    n_bytes: u64,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    /// Bytes.
    pub(crate) n_bytes: u64,
    /// SHA-256 of the bytes, in hexadecimal.
    pub(crate) sha256: String,
}

impl Sink {
    fn create(path: &Path) -> std::io::Result<Sink> {
        let file = File::options().write(true).create_new(true).open(path)?;
        Ok(Sink { file, hash: Sha256::new(), n_bytes: 0 })
    }

    /// Makes the bytes durable.
    fn finish(self) -> std::io::Result<Finished> {
        self.file.sync_all()?;
        let hash = self.hash.finalize();
        Ok(Finished { n_bytes: self.n_bytes, sha256: hex(&hash) })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.n_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that is being written.
pub(crate) trait Encode: Send {
    /// Appends rows. Columns of text may be views or dictionaries, changing from batch to batch.
    fn write(&mut self, rows: &RecordBatch) -> Result<(), FileError>;
    /// Ends the file and makes it durable.
    fn finish(self: Box<Self>) -> Result<Finished, FileError>;
}

/// Creates a file with the columns of a schema.
pub(crate) fn create(path: &Path, form: &Form, schema: &SchemaRef) -> Result<Box<dyn Encode>, FileError> {
    let sink = Sink::create(path)?;
    Ok(match form.format {
        Format::Parquet => Box::new(parquet::Writer::new(sink, form, schema)?),
        Format::Csv => Box::new(csv::Writer::new(Stream::new(sink, form.compression)?, schema)?),
        Format::Ndjson => Box::new(ndjson::Writer::new(Stream::new(sink, form.compression)?)),
    })
}

/// Record batches of a file.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, FileError>> + Send>;

/// Reads a file, with the columns of a schema (in the file's order), or those with the given numbers. A column that a
/// Parquet file does not have is missing in all rows, or an error.
pub(crate) fn read(
    path: &Path,
    format: Format,
    schema: &SchemaRef,
    columns: Option<&[usize]>,
    missing_is_null: bool,
) -> Result<Batches, FileError> {
    let every: Vec<usize> = (0..schema.fields().len()).collect();
    let columns = columns.unwrap_or(&every);
    match format {
        Format::Parquet => parquet::read(path, schema, columns, missing_is_null),
        Format::Csv => csv::read(open(path)?, schema, columns),
        Format::Ndjson => ndjson::read(open(path)?, schema, columns),
    }
}

fn open(path: &Path) -> Result<Box<dyn std::io::BufRead + Send>, FileError> {
    let file = File::open(path)?;
    Ok(if path.extension().is_some_and(|end| end == "zst") {
        Box::new(std::io::BufReader::new(zstd::Decoder::new(file)?))
    } else {
        Box::new(std::io::BufReader::with_capacity(1 << 16, file))
    })
}

/// Text that is perhaps compressed on its way into a file.
pub(crate) enum Stream {
    Plain(BufWriter<Sink>),
    Zstd(zstd::Encoder<'static, BufWriter<Sink>>),
}

impl Stream {
    fn new(sink: Sink, compression: Compression) -> Result<Stream, FileError> {
        let sink = BufWriter::with_capacity(1 << 18, sink);
        Ok(match compression {
            Compression::Zstd => Stream::Zstd(zstd::Encoder::new(sink, 1)?),
            Compression::None | Compression::Snappy => Stream::Plain(sink),
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Stream::Plain(sink) => sink.write_all(bytes),
            Stream::Zstd(sink) => sink.write_all(bytes),
        }
    }

    fn finish(self) -> Result<Finished, FileError> {
        let sink = match self {
            Stream::Plain(sink) => sink,
            Stream::Zstd(sink) => sink.finish()?,
        };
        let sink = sink.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(sink.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use table::{Batch, Column, Columns, Type, Value};

    fn rows() -> RecordBatch {
        let columns = Columns::new(vec![
            Column::new("text, \"quoted\"", Type::Text),
            Column::new("n", Type::Integer),
            Column::new("x", Type::Number),
            Column::new("d", Type::Decimal { precision: 38, scale: 4 }),
            Column::new("day", Type::Date),
            Column::new("at", Type::Instant),
            Column::new("yes", Type::Boolean),
        ])
        .unwrap();
        let row = |text: &str, n: i64| {
            vec![
                Value::from(text),
                Value::Integer(n),
                Value::Number(if n < 0 { f64::NEG_INFINITY } else { 0.1 }),
                Value::Decimal(i128::from(n) * 10_i128.pow(18), 4),
                Value::Date(i32::try_from(n % 1000).unwrap()),
                Value::Instant(n % 1_000_000_007),
                Value::Boolean(n > 0),
            ]
        };
        let texts = [
            "",
            "null",
            "NULL",
            "a\"b",
            "line\r\nend",
            "comma,",
            " spaced ",
            "=1+1",
            "Ä😀\u{2028}\u{0}\t\\",
            "\r",
        ];
        let mut rows: Vec<_> =
            texts.iter().enumerate().map(|(n, text)| row(text, i64::try_from(n).unwrap())).collect();
        rows.extend([row("min", i64::MIN), row("max", i64::MAX), vec![Value::Null; 7]]);
        Batch::from_rows(&columns, &rows).unwrap().without_places()
    }

    #[test]
    fn every_format_gives_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let rows = rows();
        for (format, compression) in [
            (Format::Parquet, Compression::Zstd),
            (Format::Parquet, Compression::Snappy),
            (Format::Parquet, Compression::None),
            (Format::Csv, Compression::None),
            (Format::Csv, Compression::Zstd),
            (Format::Ndjson, Compression::None),
            (Format::Ndjson, Compression::Zstd),
        ] {
            let form = Form { format, compression, row_group_rows: 5, has_text_statistics: true };
            let path = folder.path().join(format!("{compression:?}.{}", form.suffix()));
            let mut file = create(&path, &form, &rows.schema()).unwrap();
            file.write(&rows.slice(0, 4)).unwrap();
            file.write(&rows.slice(4, rows.num_rows() - 4)).unwrap();
            let finished = file.finish().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(finished.sha256, hex(&Sha256::digest(&bytes)));
            assert_eq!(finished.n_bytes, bytes.len() as u64);
            let back: Vec<_> =
                read(&path, format, &rows.schema(), None, false).unwrap().map(Result::unwrap).collect();
            let back = arrow::compute::concat_batches(&rows.schema(), &back).unwrap();
            assert_eq!(back, rows, "{form:?}");
            let some: Vec<_> = read(&path, format, &rows.schema(), Some(&[0, 3]), false)
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let some = arrow::compute::concat_batches(&some[0].schema(), &some).unwrap();
            assert_eq!(some, rows.project(&[0, 3]).unwrap(), "{form:?}");
        }
    }
}
