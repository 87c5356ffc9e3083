//! HL7 v2 files as rows: messages alone, in a row, in batches, one per line or as they were framed, read piece by piece.

mod options;
mod rows;

use std::io::{BufRead as _, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use hl7v2::files::Splitter;
use table::Columns;

use super::{Dataset, Division, Out, Piece, Source, SourceSpec, Unit};
use crate::storage::{Found, Storage};
use crate::world::World;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

use options::Options;
use rows::Rows;

const READ_BYTES: usize = 256 * 1024;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A source of type `hl7v2`.
#[derive(Clone, Debug)]
struct Hl7v2 {
    name: String,
    options: Arc<Options>,
}

/// Decodes the options of a source of type `hl7v2`.
pub fn decode(name: &Word, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn SourceSpec>> {
    let options = Options::decode(fields, problems)?;
    Some(Box::new(Hl7v2 { name: name.text.clone(), options: Arc::new(options) }))
}

impl Hl7v2 {
    fn fails(&self, why: String, is_transient: bool) -> EtlError {
        EtlError::Source { source_name: self.name.clone(), why, is_transient }
    }

    /// The files there are now.
    async fn files(&self, world: &World) -> Result<Files, EtlError> {
        let location = &self.options.location;
        let storage = location.open(world).map_err(|error| error.of_source(&self.name))?;
        let found = storage.list().await.map_err(|error| error.of_source(&self.name))?;
        if found.is_empty() && !(self.options.may_be_empty && location.is_pattern()) {
            let why = format!(
                "no file is named `{}`: correct the path, or write `may_be_empty: true` if a pattern may find none",
                location.written
            );
            return Err(self.fails(why, false));
        }
        let (spec, cancelled) = (self.clone(), world.cancelled.clone());
        blocking(move || {
            let units = spec.units(&storage, found)?;
            Ok(Files { spec, storage, units, cancelled })
        })
        .await
    }

    fn units(&self, storage: &Storage, found: Vec<Found>) -> Result<Vec<(Unit, Found)>, EtlError> {
        let mut units: Vec<(Unit, Found)> = Vec::with_capacity(found.len());
        let mut n_of_content = std::collections::HashMap::new();
        for found in found {
            let content = storage.content_id(&found).map_err(|error| error.of_source(&self.name))?;
            // A second file with the same content is a unit of its own: what its rows are worth is not for the source to say.
            let number: &mut u32 = n_of_content.entry(content.clone()).or_default();
            *number += 1;
            let id = if *number == 1 { content } else { format!("{content}#{number}") };
            let (name, n_bytes) = (found.name.clone(), Some(found.n_bytes));
            units.push((Unit { id, name, watermark: None, n_bytes, n_rows: None }, found));
        }
        Ok(units)
    }
}

impl SourceSpec for Hl7v2 {
    fn open<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<Box<dyn Source>, EtlError>> {
        Box::pin(async move { Ok(Box::new(self.files(world).await?) as Box<dyn Source>) })
    }

    fn columns(&self) -> Option<Columns> {
        Some(self.options.columns.clone())
    }

    fn division(&self) -> Division {
        Division::Files
    }

    fn dataset(&self) -> Dataset {
        self.options.location.dataset()
    }
}

/// The source with the files that were found.
struct Files {
    spec: Hl7v2,
    storage: Storage,
    units: Vec<(Unit, Found)>,
    cancelled: Arc<AtomicBool>,
}

impl Source for Files {
    fn columns(&self) -> &Columns {
        &self.spec.options.columns
    }

    fn units<'a>(&'a mut self, _since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        let units = self.units.iter().map(|(unit, _)| unit.clone()).collect();
        Box::pin(async move { Ok(units) })
    }

    fn read<'a>(&'a mut self, unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        let found = self.units.iter().find(|(known, _)| known.id == unit.id).map(|(_, found)| found.clone());
        let (spec, storage, cancelled) = (self.spec.clone(), self.storage.clone(), self.cancelled.clone());
        let name = unit.name.clone();
        Box::pin(async move {
            let Some(found) = found else {
                return Err(spec.fails(format!("the file `{name}` is no longer there"), true));
            };
            blocking(move || {
                let stream = storage.read(&found).map_err(|error| error.of_source(&spec.name))?;
                read_file(&spec, &name, stream, number, &cancelled, &out)
            })
            .await
        })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EtlError> + Send + 'static,
) -> Result<T, EtlError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(EtlError::Cancelled),
    }
}

/// Reads a file to its end and gives its rows.
fn read_file(
    spec: &Hl7v2,
    name: &str,
    stream: Box<dyn Read + Send>,
    number: u32,
    cancelled: &AtomicBool,
    out: &Out,
) -> Result<(), EtlError> {
    let cannot = |error: std::io::Error| spec.fails(format!("cannot read `{name}`: {error}"), true);
    let consumed = Arc::new(AtomicU64::new(0));
    let mut content = uncompressed(Counted { stream, consumed: consumed.clone() }).map_err(cannot)?;
    let mut splitter = Splitter::new(spec.options.limits.message_bytes_max);
    let mut rows = Rows::new(&spec.options, number, out);
    let (mut buffer, mut n_read) = (vec![0; READ_BYTES], 0u64);
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Err(EtlError::Cancelled);
        }
        let n_bytes = crate::storage::read_full(&mut content, &mut buffer).map_err(cannot)?;
        if n_bytes == 0 {
            break;
        }
        n_read += u64::try_from(n_bytes).unwrap_or(0);
        if n_read > spec.options.file_bytes_max {
            let (source, max) = (&spec.name, spec.options.file_bytes_max);
            return Err(EtlError::Limit(format!(
                "source `{source}`: `{name}` has more than `file_bytes_max`, {max} bytes, uncompressed"
            )));
        }
        rows.take(&splitter.push(&buffer[..n_bytes]))?;
        match consumed.swap(0, Ordering::Relaxed) {
            0 => {}
            n_bytes => out.blocking_send(Piece::Consumed(n_bytes))?,
        }
    }
    rows.take(&splitter.finish())?;
    rows.finish()
}

/// The content of a stream that begins as gzip or zstd does, or the stream as it is.
fn uncompressed(counted: Counted) -> std::io::Result<Box<dyn Read>> {
    let mut buffered = BufReader::with_capacity(READ_BYTES, counted);
    let beginning = buffered.fill_buf()?;
    if beginning.starts_with(GZIP) {
        return Ok(Box::new(flate2::bufread::MultiGzDecoder::new(buffered)));
    }
    if beginning.starts_with(ZSTD) {
        return Ok(Box::new(zstd::stream::read::Decoder::with_buffer(buffered)?));
    }
    Ok(Box::new(buffered))
}

/// Counts the bytes as they come, for progress.
struct Counted {
    stream: Box<dyn Read + Send>,
    consumed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_bytes = self.stream.read(buffer)?;
        self.consumed.fetch_add(u64::try_from(n_bytes).unwrap_or(0), Ordering::Relaxed);
        Ok(n_bytes)
    }
}

#[cfg(test)]
mod tests;
