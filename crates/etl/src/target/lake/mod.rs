//! Targets that are files: folders of Parquet, CSV or NDJSON with a manifest, and Delta Lake tables.
//!
//! * `options` – what a pipeline says; `load` – the life of a load: begin, write, commit.
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
mod worker;

use arrow::array::RecordBatch;

pub(crate) use delta::delta;
use error::LakeError;
pub(crate) use options::{csv, ndjson, parquet};

/// Rows of a file, batch by batch.
type Rows = Box<dyn Iterator<Item = Result<RecordBatch, LakeError>> + Send>;

/// The hash of a hash: its first bytes.
#[derive(Default)]
struct AsIs(u64);

impl std::hash::Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = u64::from_ne_bytes(bytes[..8].try_into().expect("a key is sixteen bytes"));
    }
}
