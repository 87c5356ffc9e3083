//! A column of a row group: pages as they are filled, the dictionary before them at the end.

use arrow::array::{Array, ArrayRef, BooleanBufferBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::basic::{Compression as Name, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::super::FileError;
use super::pack::{hybrid, levels, width_of};
use super::values::{Open, Values};

/// Rows of a page.
const PAGE_ROWS_MAX: usize = 65_536;
/// Bytes of a page before compression, about.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Compresses pages.
pub(in super::super) struct Codec {
    name: Name,
    zstd: Option<zstd::bulk::Compressor<'static>>,
    snappy: Option<snap::raw::Encoder>,
}

impl Codec {
    pub(in super::super) fn new(name: Name) -> Result<Codec, FileError> {
        Ok(Codec {
            name,
            zstd: matches!(name, Name::ZSTD(_)).then(|| zstd::bulk::Compressor::new(1)).transpose()?,
            snappy: matches!(name, Name::SNAPPY).then(snap::raw::Encoder::new),
        })
    }

    fn compress(&mut self, bytes: Vec<u8>) -> Result<Bytes, FileError> {
        let compressed = match (&mut self.zstd, &mut self.snappy) {
            (Some(zstd), _) => zstd.compress(&bytes)?,
            (_, Some(snappy)) => {
                snappy.compress_vec(&bytes).map_err(|error| FileError::Io(std::io::Error::other(error)))?
            }
            _ => bytes,
        };
        Ok(compressed.into())
    }
}

/// A column of a row group.
pub(in super::super) struct Chunk {
    column: ColumnDescPtr,
    has_text_statistics: bool,
    values: Option<Values>,
    present: BooleanBufferBuilder,
    n_missing_in_page: usize,
    n_rows: u64,
    n_missing: u64,
    pages: TrackedWrite<Vec<u8>>,
    uncompressed: usize,
    encodings: Vec<Encoding>,
}

impl Chunk {
    pub(in super::super) fn new(column: ColumnDescPtr, has_text_statistics: bool) -> Chunk {
        Chunk {
            column,
            has_text_statistics,
            values: None,
            present: BooleanBufferBuilder::new(0),
            n_missing_in_page: 0,
            n_rows: 0,
            n_missing: 0,
            pages: TrackedWrite::new(Vec::new()),
            uncompressed: 0,
            encodings: vec![Encoding::RLE],
        }
    }

    /// Takes rows.
    pub(in super::super) fn push(&mut self, array: &ArrayRef, codec: &mut Codec) -> Result<(), FileError> {
        let mut start = 0;
        while start < array.len() {
            let n = (PAGE_ROWS_MAX - self.present.len()).min(array.len() - start);
            self.push_some(&array.slice(start, n))?;
            start += n;
            let values = self.values.as_ref().expect("rows were pushed");
            if self.present.len() >= PAGE_ROWS_MAX || values.n_bytes() >= PAGE_BYTES_MAX {
                self.end_page(codec)?;
            }
            if self.values.as_ref().is_some_and(Values::is_dictionary_full) {
                self.end_page(codec)?;
                if let Some(values) = &mut self.values {
                    values.open = Open::Plain(Vec::new());
                }
            }
        }
        Ok(())
    }

    fn push_some(&mut self, array: &ArrayRef) -> Result<(), FileError> {
        let array = &normal(array)?;
        let nulls: Option<NullBuffer> = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        match &nulls {
            Some(nulls) => self.present.append_buffer(nulls.inner()),
            None => self.present.append_n(array.len(), true),
        }
        let n_missing = nulls.as_ref().map_or(0, NullBuffer::null_count);
        self.n_missing_in_page += n_missing;
        self.n_missing += n_missing as u64;
        self.n_rows += array.len() as u64;
        let (physical, length) = (self.column.physical_type(), self.length());
        let values = self.values.get_or_insert_with(|| Values::new(array, self.has_text_statistics));
        values.push(array, nulls.as_ref(), physical, length)
    }

    fn length(&self) -> usize {
        usize::try_from(self.column.type_length()).unwrap_or_default()
    }

    fn end_page(&mut self, codec: &mut Codec) -> Result<(), FileError> {
        let n = self.present.len();
        let Some(values) = self.values.as_mut().filter(|_| n > 0) else { return Ok(()) };
        let mut page = Vec::with_capacity(values.n_bytes() + n / 8 + 16);
        levels(self.present.as_slice(), n, self.n_missing_in_page, &mut page);
        let encoding = match &mut values.open {
            // Without a value there may be no dictionary either, to which keys would refer.
            Open::Codes(codes) if codes.is_empty() => Encoding::PLAIN,
            Open::Codes(codes) => {
                let largest = u32::try_from(values.dictionary.len().saturating_sub(1)).unwrap_or(u32::MAX);
                let width = width_of(largest);
                page.push(width);
                hybrid(codes, width, &mut page);
                codes.clear();
                Encoding::RLE_DICTIONARY
            }
            Open::Plain(bytes) => {
                page.append(bytes);
                Encoding::PLAIN
            }
            Open::Bits(bytes, n) => {
                page.append(bytes);
                *n = 0;
                Encoding::PLAIN
            }
        };
        if !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
        self.present = BooleanBufferBuilder::new(PAGE_ROWS_MAX);
        self.n_missing_in_page = 0;
        let uncompressed = page.len();
        let page = Page::DataPage {
            buf: codec.compress(page)?,
            num_values: u32::try_from(n).unwrap_or(u32::MAX),
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.uncompressed += write(page, uncompressed, &mut self.pages)?;
        Ok(())
    }

    /// The bytes of the chunk and what the footer says of it.
    pub(in super::super) fn finish(
        mut self,
        codec: &mut Codec,
    ) -> Result<(Bytes, ColumnCloseResult), FileError> {
        self.end_page(codec)?;
        let mut out = TrackedWrite::new(Vec::new());
        let dictionary =
            self.values.as_mut().map(|values| &mut values.dictionary).filter(|all| all.len() > 0);
        let mut n_dictionary = None;
        if let Some(dictionary) = dictionary {
            let bytes = std::mem::take(&mut dictionary.page);
            let uncompressed = bytes.len();
            let page = Page::DictionaryPage {
                buf: codec.compress(bytes)?,
                num_values: u32::try_from(dictionary.len()).unwrap_or(u32::MAX),
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            self.uncompressed += write(page, uncompressed, &mut out)?;
            n_dictionary = Some(out.bytes_written());
            if !self.encodings.contains(&Encoding::PLAIN) {
                self.encodings.push(Encoding::PLAIN);
            }
        }
        let mut bytes = out.into_inner()?;
        bytes.append(&mut self.pages.into_inner()?);
        let (physical, n) = (self.column.physical_type(), i64::try_from(self.n_rows).unwrap_or(i64::MAX));
        let length = usize::try_from(self.column.type_length()).unwrap_or_default();
        let long = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut metadata = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(codec.name)
            .set_encodings(self.encodings)
            .set_num_values(n)
            .set_total_compressed_size(long(bytes.len()))
            .set_total_uncompressed_size(long(self.uncompressed))
            .set_data_page_offset(long(n_dictionary.unwrap_or_default()))
            .set_dictionary_page_offset(n_dictionary.map(|_| 0));
        if let Some(values) = &self.values {
            metadata = metadata.set_statistics(values.statistics(physical, length, self.n_missing));
        }
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.n_rows,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((bytes.into(), close))
    }
}

/// Writes a page; gives its length before compression, with its head.
fn write(page: Page, uncompressed: usize, out: &mut TrackedWrite<Vec<u8>>) -> Result<usize, FileError> {
    let spec = SerializedPageWriter::new(out).write_page(CompressedPage::new(page, uncompressed))?;
    Ok(spec.uncompressed_size)
}

/// The column in one of the forms that are written: texts as views or as keys with plain texts.
fn normal(array: &ArrayRef) -> Result<ArrayRef, FileError> {
    let data = array.data_type();
    let wanted = match data {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Dictionary(_, _) if *data != table::Type::dictionary() => DataType::Utf8View,
        _ => return Ok(array.clone()),
    };
    Ok(arrow::compute::cast(array, &wanted)?)
}
