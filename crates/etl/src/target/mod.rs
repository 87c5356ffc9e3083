//! Where rows go. One file per kind of target: it decodes its options, stages rows, and commits rows, units and watermark together.

mod fhir_store;
mod lake;
mod mysql;
mod postgres;
mod sql;
mod sqlite;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use table::{Batch, Columns};

use crate::source::{Dataset, Division, Unit};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};

/// How rows meet what the target holds already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Added. A unit is added once.
    Append,
    /// Inserted, or updated where a row with the same key is there; a row that is there already, the same, is left alone.
    Merge,
    /// All that the source gave before is replaced.
    Replace,
}

/// Names of the columns that say where a row came from; a merge does not count them as changes.
pub const AUDIT: [&str; 4] = ["etl_run_id", "etl_pipeline_hash", "etl_source_position", "etl_loaded_at"];

/// A target as the pipeline file describes it.
pub trait TargetSpec: Send + Sync + fmt::Debug {
    /// Reports what does not fit: key columns that are missing, a mode that cannot be exactly once with this source (a window that is
    /// appended, a snapshot that is appended).
    fn plan(&self, input: &Columns, division: Division, problems: &mut Problems);
    /// Key columns of a merge; empty otherwise. The run quarantines rows in which one is missing before they come here.
    fn key(&self) -> &[Word];
    /// How rows meet what is there.
    fn mode(&self) -> Mode;
    /// Whether the target may refuse rows after all were given: they are kept as they were read until then.
    fn refuses_late(&self) -> bool {
        false
    }
    /// The data set for lineage, without secrets.
    fn dataset(&self) -> Dataset;
    /// Connects (really); makes nothing yet.
    fn open<'a>(
        &'a self,
        load: Load,
        world: &'a Arc<World>,
    ) -> BoxFuture<'a, Result<Box<dyn Target>, EtlError>>;
}

/// What is loaded, by whom.
#[derive(Clone, Debug)]
pub struct Load {
    /// The pipeline's name.
    pub pipeline: String,
    /// The source's name. Pipeline and source are the key of what is committed; the hash is only recorded.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// The run.
    pub run: String,
    /// Hash of the pipeline file.
    pub pipeline_hash: String,
}

/// What a target has from a pipeline and source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Ids of the units.
    pub units: Vec<String>,
    /// The watermark.
    pub watermark: Option<String>,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// New rows.
    pub inserted: u64,
    /// Rows that replaced another state of themselves.
    pub updated: u64,
    /// Rows that were there already, the same.
    pub unchanged: u64,
    /// Rows left out because a later row of the load has the same key.
    pub deduplicated: u64,
    /// Rows the target refused one by one that [`Target::refused`] has not given yet.
    pub refused: u64,
    /// Bytes written, where known.
    pub n_bytes: Option<u64>,
}

/// An open target. The order of calls: `committed`, then `begin`, `write`..., `prepare`, `commit` or `abort`. A process that dies in between leaves
/// nothing visible but what was committed; the next `begin` removes what was left over.
pub trait Target: Send {
    /// What was committed for this pipeline and source.
    fn committed(&mut self) -> BoxFuture<'_, Result<Committed, EtlError>>;
    /// Makes ready: staging. `columns` are those of the batches, audit columns (see [`AUDIT`]) at the end when the pipeline wants them.
    fn begin<'a>(&'a mut self, columns: &'a Columns) -> BoxFuture<'a, Result<(), EtlError>>;
    /// Stages rows. Columns of text may be views or dictionaries, changing from batch to batch.
    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), EtlError>>;
    /// Writes rows that may be seen before the commit, because writing them again changes nothing (a FHIR store). Most targets have none.
    fn prepare(&mut self) -> BoxFuture<'_, Result<(), EtlError>> {
        Box::pin(async { Ok(()) })
    }
    /// Makes rows, units and watermark visible together, durably. With `watermark` `None` the stored one is kept.
    fn commit<'a>(
        &'a mut self,
        units: &'a [Unit],
        watermark: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Loaded, EtlError>>;
    /// Throws the staged rows away.
    fn abort(&mut self) -> BoxFuture<'_, Result<(), EtlError>>;
    /// Hands over something that belongs to the data, such as the manifest of its de-identification (`privacy_manifest`); it becomes
    /// visible with the commit. Give it before [`Target::begin`] when it is known by then. Most targets have no place for it.
    fn attach(&mut self, _name: &str, _json: serde_json::Value) {}
    /// Rows refused one by one so far (a FHIR store that refuses a resource), with their place and reason, each given once. Asked for
    /// before and after `commit`. Empty for most.
    fn refused(&mut self) -> Vec<table::Reject> {
        Vec::new()
    }
}

/// Decodes the options of a target of one type from the fields of its map; `name` is its name in the pipeline. The keys `from`, `type`
/// and `audit_columns` are read by the caller.
pub type Decode =
    fn(name: &Word, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn TargetSpec>>;

/// Every type of target: the word behind `type:`, what it is in one line, and its decoder.
pub const KINDS: &[(&str, &str, Decode)] = &[
    ("csv", "a folder of CSV files with a manifest", lake::csv),
    ("delta", "a Delta Lake table", lake::delta),
    ("fhir_store", "resources into the FHIR store, by update", fhir_store::decode),
    ("mysql", "a table of MySQL or MariaDB: append, merge by key, replace", mysql::decode),
    ("ndjson", "a folder of NDJSON files with a manifest", lake::ndjson),
    ("parquet", "a folder of Parquet files with a manifest", lake::parquet),
    ("postgres", "a table of PostgreSQL: append, merge by key, replace", postgres::decode),
    ("sqlite", "a table of a SQLite file: append, merge by key, replace", sqlite::decode),
];
