//! What sources of files share: finding files, telling whether they were loaded, binding their columns. The form of the content is
//! the business of [`Form`].

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use table::{Batch, Column, Columns, Nulled, Reject, TableError};

use super::declared::{Bound, Declared, columns_of};
use super::{Dataset, Division, Out, Piece, Source, SourceSpec, Unit};
use crate::storage::{Found, Location, Storage, StorageError};
use crate::world::World;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

/// The content of files: how columns are found and rows are read. Both block.
pub(crate) trait Form: Send + Sync + fmt::Debug + 'static {
    /// The columns of a file, found by looking at its beginning.
    fn look(&self, file: &FileAt, declared: &Declared) -> Result<Vec<Column>, FileError>;
    /// Reads a file into the sink.
    fn read(&self, file: &FileAt, sink: &Sink<'_>) -> Result<(), FileError>;
}

/// A file that is read.
#[derive(Clone, Debug)]
pub(crate) struct FileAt {
    pub(crate) storage: Storage,
    pub(crate) found: Found,
}

impl FileAt {
    /// Its content. A file that changes meanwhile is an error.
    pub(crate) fn stream(&self) -> Result<Box<dyn Read + Send>, FileError> {
        Ok(self.storage.read(&self.found)?)
    }
}

/// Why a file cannot be read.
#[derive(Debug)]
pub(crate) enum FileError {
    /// Its bytes do not come.
    Storage(StorageError),
    /// Its bytes are not what they should be.
    Content(String),
    /// The run ends.
    Run(EtlError),
}

impl From<StorageError> for FileError {
    fn from(error: StorageError) -> FileError {
        FileError::Storage(error)
    }
}

impl From<EtlError> for FileError {
    fn from(error: EtlError) -> FileError {
        FileError::Run(error)
    }
}

impl From<TableError> for FileError {
    fn from(error: TableError) -> FileError {
        // An error of the storage comes through the stream.
        if let TableError::Io(io) = &error
            && let Some(inner) = io.get_ref().and_then(|inner| inner.downcast_ref::<StorageError>())
        {
            return FileError::Storage(inner.clone());
        }
        FileError::Content(error.to_string())
    }
}

impl FileError {
    fn of(self, source: &str, file: &str) -> EtlError {
        match self {
            FileError::Storage(error) => error.of_source(source),
            FileError::Content(why) => EtlError::Source {
                source_name: source.to_owned(),
                why: format!("`{file}`: {why}"),
                is_transient: false,
            },
            FileError::Run(error) => error,
        }
    }
}

/// Where the rows of a file go.
pub(crate) struct Sink<'a> {
    pub(crate) declared: &'a Declared,
    expected: &'a Columns,
    /// The number of the unit.
    pub(crate) number: u32,
    out: &'a Out,
    cancelled: &'a AtomicBool,
}

impl Sink<'_> {
    /// Which columns of the file are read, and how. A file whose columns would differ from those of the source is an error.
    pub(crate) fn bind(&self, found: &[Column]) -> Result<Vec<Bound>, FileError> {
        let bound = self.declared.bind(found).map_err(FileError::Content)?;
        let columns = columns_of(&bound)?;
        if columns == *self.expected {
            return Ok(bound);
        }
        // The order may differ from file to file; names and types may not.
        let mut sorted = Vec::with_capacity(bound.len());
        for column in self.expected {
            let same =
                bound.iter().find(|bound| bound.name == column.name && bound.reading.kind == column.kind);
            match same {
                Some(bound) => sorted.push(bound.clone()),
                None => {
                    return Err(FileError::Content(format!(
                        "it has no column `{}` of type {}, which the first file has: declare the columns",
                        column.name, column.kind
                    )));
                }
            }
        }
        match bound.iter().find(|bound| self.expected.get(&bound.name).is_none()) {
            None => Ok(sorted),
            Some(more) => Err(FileError::Content(format!(
                "it has a column `{}`, which the first file has not: declare the columns",
                more.name
            ))),
        }
    }

    /// Sends what came of some records.
    pub(crate) fn send(
        &self,
        batch: Option<Batch>,
        rejects: Vec<Reject>,
        nulled: Vec<Nulled>,
        n_bytes: u64,
    ) -> Result<(), FileError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(EtlError::Cancelled.into());
        }
        if let Some(batch) = batch
            && batch.n_rows() > 0
        {
            self.out.blocking_send(Piece::Rows(batch))?;
        }
        if !rejects.is_empty() {
            self.out.blocking_send(Piece::Rejects(rejects))?;
        }
        if !nulled.is_empty() {
            self.out.blocking_send(Piece::Nulled(nulled))?;
        }
        if n_bytes > 0 {
            self.out.blocking_send(Piece::Consumed(n_bytes))?;
        }
        Ok(())
    }
}

/// A source of files.
#[derive(Debug)]
pub(crate) struct FileSpec<F> {
    name: String,
    location: Location,
    declared: Declared,
    may_be_none: bool,
    form: Arc<F>,
}

impl<F: Form> FileSpec<F> {
    /// Reads the options that all sources of files have: `path`, `s3`, `if_none`, `columns`, `null_values`, `drift`.
    pub(crate) fn decode(
        name: &Word,
        fields: &mut Fields<'_>,
        problems: &mut Problems,
        form: Option<F>,
    ) -> Option<Box<dyn SourceSpec>> {
        let location = Location::decode("path", fields, problems);
        let may_be_none =
            fields.choice("if_none", &[("fail", false), ("skip", true)], problems).unwrap_or(false);
        let declared = Declared::decode(fields, problems);
        Some(Box::new(FileSpec {
            name: name.text.clone(),
            location: location?,
            declared,
            may_be_none,
            form: Arc::new(form?),
        }))
    }

    async fn open(&self, world: &World) -> Result<Box<dyn Source>, EtlError> {
        let failed = |error: StorageError| error.of_source(&self.name);
        let content =
            |why: String| EtlError::Source { source_name: self.name.clone(), why, is_transient: false };
        let storage = self.location.open(world).map_err(failed)?;
        let files = storage.list().await.map_err(failed)?;
        let columns = match files.first() {
            Some(first) => {
                let file = FileAt { storage: storage.clone(), found: first.clone() };
                let (form, declared, name) = (self.form.clone(), self.declared.clone(), self.name.clone());
                let look = move || {
                    let found = form.look(&file, &declared)?;
                    let bound = declared.bind(&found).map_err(FileError::Content)?;
                    Ok(columns_of(&bound)?)
                };
                blocking(look).await?.map_err(|error: FileError| error.of(&name, &first.name))?
            }
            None if !self.may_be_none => {
                let written = &self.location.written;
                let hint = "say `if_none: skip` when that may be so";
                return Err(content(format!("there is no file `{written}`: {hint}")));
            }
            None => self.declared.columns().ok_or_else(|| {
                content("there is no file, and the columns are not declared: they are not known".to_owned())
            })?,
        };
        Ok(Box::new(OpenFiles {
            name: self.name.clone(),
            storage,
            declared: self.declared.clone(),
            form: self.form.clone(),
            columns,
            files: Vec::new(),
            cancelled: world.cancelled.clone(),
        }))
    }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EtlError> {
    let task = tokio::task::spawn_blocking(work).await;
    task.map_err(|error| EtlError::Io {
        what: "a reader stopped".to_owned(),
        source: std::io::Error::other(error.to_string()),
    })
}

impl<F: Form> SourceSpec for FileSpec<F> {
    fn open<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<Box<dyn Source>, EtlError>> {
        self.open(world).boxed()
    }

    fn columns(&self) -> Option<Columns> {
        self.declared.columns()
    }

    fn division(&self) -> Division {
        Division::Files
    }

    fn dataset(&self) -> Dataset {
        self.location.dataset()
    }
}

/// An open source of files.
struct OpenFiles<F> {
    name: String,
    storage: Storage,
    declared: Declared,
    form: Arc<F>,
    columns: Columns,
    /// The files that were listed, by the id of their unit.
    files: Vec<(String, Found)>,
    cancelled: Arc<AtomicBool>,
}

impl<F: Form> OpenFiles<F> {
    async fn list(&mut self) -> Result<Vec<Unit>, EtlError> {
        let found = self.storage.list().await.map_err(|error| error.of_source(&self.name))?;
        let (storage, cancelled) = (self.storage.clone(), self.cancelled.clone());
        let identify = move || {
            let mut files = Vec::with_capacity(found.len());
            for file in found {
                if cancelled.load(Ordering::Relaxed) {
                    return Err(FileError::Run(EtlError::Cancelled));
                }
                let id = format!("{}#{}", file.name, storage.content_id(&file)?);
                files.push((id, file));
            }
            Ok(files)
        };
        let name = self.name.clone();
        self.files = blocking(identify).await?.map_err(|error| error.of(&name, "the list of files"))?;
        let unit = |(id, file): &(String, Found)| Unit {
            id: id.clone(),
            name: file.name.clone(),
            watermark: None,
            n_bytes: Some(file.n_bytes),
            n_rows: None,
        };
        Ok(self.files.iter().map(unit).collect())
    }

    async fn read(&mut self, unit: &Unit, number: u32, out: Out) -> Result<(), EtlError> {
        let listed = self.files.iter().find(|(id, _)| *id == unit.id).map(|(_, found)| found.clone());
        let Some(found) = listed else {
            let why = format!("the file `{}` is not there any more", unit.name);
            return Err(EtlError::Source { source_name: self.name.clone(), why, is_transient: false });
        };
        let file = FileAt { storage: self.storage.clone(), found };
        let (form, declared, expected) = (self.form.clone(), self.declared.clone(), self.columns.clone());
        let (cancelled, name) = (self.cancelled.clone(), self.name.clone());
        let work = move || {
            let sink =
                Sink { declared: &declared, expected: &expected, number, out: &out, cancelled: &cancelled };
            form.read(&file, &sink).map_err(|error| error.of(&name, &file.found.name))
        };
        blocking(work).await?
    }
}

impl<F: Form> Source for OpenFiles<F> {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn units<'a>(&'a mut self, _since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        self.list().boxed()
    }

    fn read<'a>(&'a mut self, unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        self.read(unit, number, out).boxed()
    }
}
