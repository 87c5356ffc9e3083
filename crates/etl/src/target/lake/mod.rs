//! Targets that are files: folders of Parquet, CSV or NDJSON with a manifest, and Delta Lake tables.
//!
//! * `options` – what a pipeline says; `work`, `load` – the life of a load: begin, write, commit.
//! * `staging` – files that nobody sees yet; `partition` – folder names; `format` – the files themselves; `cells` – cells as text.
//! * `merge` – which rows are new, changed or the same; `manifest` – the commit point; `folder` – where files are.

mod cells;
mod delta;
mod error;
mod folder;
mod format;
mod load;
mod manifest;
mod merge;
mod names;
mod options;
mod partition;
mod read;
mod room;
mod staging;
mod work;
mod worker;

use arrow::array::RecordBatch;

pub(crate) use delta::delta;
use error::LakeError;
pub(crate) use options::{csv, ndjson, parquet};

/// Rows of a file, batch by batch.
type Rows = Box<dyn Iterator<Item = Result<RecordBatch, LakeError>> + Send>;
