//! Where rows come from. One file per kind of source: it decodes its options, connects, lists its units and reads them.

mod api;
mod csv;
mod database;
pub mod declared;
mod fhir;
mod files;
pub mod hl7v2;
mod json;
mod mysql;
mod parquet;
mod postgres;
mod records;
mod rest;
pub(crate) mod sql;
mod sqlite;
mod text;

use std::fmt;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use table::{Batch, Columns, Nulled, Reject};
use tokio::sync::mpsc;

use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};

/// A source as the pipeline file describes it.
pub trait SourceSpec: Send + Sync + fmt::Debug {
    /// Connects (really), and finds out which columns there are. Errors name the source's place, never a secret.
    fn open<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<Box<dyn Source>, EtlError>>;
    /// Columns when they are known without connecting. `None`: only after `open`.
    fn columns(&self) -> Option<Columns>;
    /// How the source is divided into units.
    fn division(&self) -> Division;
    /// The data set for lineage: OpenLineage namespace and name, without secrets.
    fn dataset(&self) -> Dataset;
}

/// How a source is divided into units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// A unit is a file (or object) with its content: a unit that is loaded is not read again.
    Files,
    /// A unit is what changed since the watermark.
    Window,
    /// The source has one unit, all of it, read anew each time.
    Snapshot,
}

/// A data set in the words of OpenLineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// `postgres://host:5432`, `file`, `s3://bucket`.
    pub namespace: String,
    /// `ehr.public.patients`, a path.
    pub name: String,
}

/// Part of a source that is loaded as a whole and committed to a target together with its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The same content has the same id, in every run: a hash of a file, the bounds of a window.
    pub id: String,
    /// For people: the file's path, the window.
    pub name: String,
    /// The watermark when the unit is loaded (of a window).
    pub watermark: Option<String>,
    /// Bytes to read, when known, for progress.
    pub n_bytes: Option<u64>,
    /// Rows to read, when known, for progress.
    pub n_rows: Option<u64>,
}

/// An open source.
pub trait Source: Send {
    /// The columns of the batches it will give.
    fn columns(&self) -> &Columns;
    /// Which of two watermarks of this source comes first. Numbers are compared as numbers, all else as text.
    fn compare_watermarks(&self, a: &str, b: &str) -> std::cmp::Ordering {
        a.cmp(b)
    }
    /// Makes the next [`Source::units`] give what lies in a window that somebody chose, instead of what is new. The reason when it cannot.
    fn choose(&mut self, _window: &Backfill) -> Result<(), String> {
        Err("it has no `cursor`, so that there are no windows of it".to_owned())
    }
    /// What there is to read. `since` is the smallest watermark of the targets (windows only). The order is the order of reading.
    fn units<'a>(&'a mut self, since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>>;
    /// Reads a unit, as number `number` of this run, into `out`. A record that cannot be read is a reject, an operation that fails
    /// (connection, disk, limit) an error. Rows of one unit come in the same order whenever it is read. Long work must not block
    /// the async runtime: use `spawn_blocking` and [`Out::blocking_send`].
    fn read<'a>(&'a mut self, unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>>;
}

/// A window of a source that somebody chose, as values of its cursor; a bound that is missing does not limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// From here on.
    pub from: Option<String>,
    /// Up to here: included in databases, not included in servers that are asked by time.
    pub to: Option<String>,
}

/// What a source gives.
#[derive(Debug)]
pub enum Piece {
    /// Rows.
    Rows(Batch),
    /// Records that could not be read.
    Rejects(Vec<Reject>),
    /// Values that are missing because they could not be read and their columns say `on_error: null`.
    Nulled(Vec<Nulled>),
    /// Bytes consumed since the last such piece, for progress.
    Consumed(u64),
}

/// Where a source puts its pieces. Bounded: a slow target slows the source.
#[derive(Clone, Debug)]
pub struct Out(mpsc::Sender<Piece>);

impl Out {
    /// Both ends of a bounded channel.
    pub fn channel(pieces_max: usize) -> (Out, mpsc::Receiver<Piece>) {
        let (sender, receiver) = mpsc::channel(pieces_max);
        (Out(sender), receiver)
    }

    /// From async code. [`EtlError::Cancelled`] when nobody listens any more.
    pub async fn send(&self, piece: Piece) -> Result<(), EtlError> {
        self.0.send(piece).await.map_err(|_| EtlError::Cancelled)
    }

    /// From a blocking thread.
    pub fn blocking_send(&self, piece: Piece) -> Result<(), EtlError> {
        self.0.blocking_send(piece).map_err(|_| EtlError::Cancelled)
    }
}

/// Decodes the options of a source of one type from the fields of its map; `name` is its name in the pipeline.
pub type Decode =
    fn(name: &Word, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn SourceSpec>>;

/// Every type of source: the word behind `type:`, what it is in one line, and its decoder.
pub const KINDS: &[(&str, &str, Decode)] = &[
    ("csv", "files of delimited text", csv::decode_csv),
    ("tsv", "files of text delimited by tabs", csv::decode_tsv),
    ("ndjson", "files of JSON with one record per line", json::decode_ndjson),
    ("json", "files of JSON with an array of records", json::decode_json),
    ("parquet", "files of Apache Parquet", parquet::decode),
    ("mysql", "a table or query of MySQL or MariaDB, whole or since a watermark", mysql::decode),
    ("postgres", "a table or query of PostgreSQL, whole or since a watermark", postgres::decode),
    ("hl7v2", "HL7 v2 files: a row per message, or per segment of a name", hl7v2::decode),
    ("rest", "a REST API that gives JSON objects in pages, whole or since a watermark", rest::decode),
    (
        "fhir_bulk",
        "a Bulk Data export of a FHIR server: a row per resource, columns by FHIRPath",
        fhir::bulk::decode,
    ),
    ("fhir", "a search of a FHIR server: a row per resource, columns by FHIRPath", fhir::decode),
    ("sqlite", "a table or query of a SQLite file, whole or since a watermark", sqlite::decode),
];
