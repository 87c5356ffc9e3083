//! Expressions, SQL, sorting and spooling on DataFusion and Arrow, within a memory limit.
//!
//! What is computed here is the same whenever it runs: functions that look at a clock or throw dice are not available, and queries
//! run in an order of their own rows, so that sums of floating point numbers do not change from run to run. Errors name
//! expressions, columns and reasons; a value of a row never gets into one.
//!
//! All of it is called from plain threads (steps and checks run on threads of their own), never from async code.

mod expression;
mod lint;
mod query;
mod rows;
mod session;
mod sort;
mod spool;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use table::Columns;

use crate::EtlError;
use crate::keyed::Pool;

pub use expression::{BadRow, Expression, expression};
pub use query::query_columns;
pub(crate) use rows::MADE_UNIT;
pub use rows::Rows;
pub use sort::SortKey;
pub use spool::{Spool, SpoolReader, Spooled};

/// Less than this is not enough to sort anything.
pub const MEMORY_BYTES_MIN: u64 = 4 << 20;
/// Keys of checks and steps may take this part of the memory, beside what tables take.
const KEY_PARTS: u64 = 4;

/// The embedded engine of a run. All that it does at one time shares its memory; what does not fit goes to files in the scratch
/// folder. Limits: [`MEMORY_BYTES_MIN`].
pub struct Engine {
    scratch: PathBuf,
    memory_bytes_max: u64,
    environment: Arc<RuntimeEnv>,
    keys: Arc<Pool>,
    threads: Threads,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({} bytes)", self.memory_bytes_max)
    }
}

impl Engine {
    /// An engine that keeps its files in `scratch` (made when it is not there) and uses at most `memory_bytes_max` for what it holds
    /// of tables.
    pub fn new(scratch: &Path, memory_bytes_max: u64) -> Result<Engine, EtlError> {
        if memory_bytes_max < MEMORY_BYTES_MIN {
            return Err(EtlError::Limit(format!(
                "`run.memory` is {memory_bytes_max} bytes: the engine needs at least {MEMORY_BYTES_MIN}"
            )));
        }
        let io = |what: &str| {
            let what = what.to_owned();
            move |source| EtlError::Io { what, source }
        };
        std::fs::create_dir_all(scratch).map_err(io("cannot make the scratch folder"))?;
        let pool_bytes = usize::try_from(memory_bytes_max).unwrap_or(usize::MAX);
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![scratch.to_path_buf()]))
            .with_max_temp_directory_size(u64::MAX);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(pool_bytes)))
            .with_disk_manager_builder(disk)
            .build_arc()?;
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("salus-engine")
            .enable_all()
            .build()
            .map_err(io("cannot start the engine's threads"))?;
        Ok(Engine {
            scratch: scratch.to_path_buf(),
            memory_bytes_max,
            environment,
            keys: Pool::new(scratch, memory_bytes_max / KEY_PARTS),
            threads: Threads(Some(threads)),
        })
    }

    /// A SQL scalar expression over columns, checked: unknown columns and functions and wrong types are errors now, not at run time.
    pub fn expression(&self, text: &str, columns: &Columns) -> Result<Expression, String> {
        expression(text, columns)
    }

    /// The columns that a query over named tables would give. See [`Engine::query`].
    pub fn query_columns(&self, sql: &str, tables: &[(&str, &Columns)]) -> Result<Columns, String> {
        query_columns(sql, tables)
    }

    /// A table on disk to put rows in. Its columns are those of the first batch.
    pub fn spool(&self) -> Result<Spool, EtlError> {
        Spool::new(&self.scratch, self.memory_bytes_max, None)
    }

    /// A table on disk to put rows in, which has these columns also when no rows come.
    pub fn spool_of(&self, columns: &Columns) -> Result<Spool, EtlError> {
        Spool::new(&self.scratch, self.memory_bytes_max, Some(columns))
    }

    /// The rows in the order of some columns; rows with equal keys stay in the order in which they came. Sorts on disk when the rows
    /// do not fit into the memory limit.
    pub fn sort(&self, rows: &Spooled, by: &[SortKey]) -> Result<Rows, EtlError> {
        sort::sort(self, rows, by)
    }

    /// The answer of a `SELECT` over named tables. The first table also has the columns of the places: a query that keeps all three
    /// (`SELECT *`) keeps the places, the rows of any other are numbered from 1.
    pub fn query(&self, sql: &str, tables: &[(&str, &Spooled)]) -> Result<Rows, EtlError> {
        query::query(self, sql, tables)
    }

    /// Memory and files for the keys of checks and steps.
    pub(crate) fn keys(&self) -> &Arc<Pool> {
        &self.keys
    }

    /// The most bytes of tables that are held in memory at one time.
    pub fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max
    }

    fn session(&self, is_larger_than_memory: bool) -> SessionState {
        session::session(Arc::clone(&self.environment), self.memory_bytes_max, is_larger_than_memory)
    }

    fn threads(&self) -> &tokio::runtime::Handle {
        self.threads.0.as_ref().expect("the threads are there until the engine is dropped").handle()
    }
}

/// Threads that do not wait for each other when the engine is dropped, so that it may be dropped anywhere.
struct Threads(Option<tokio::runtime::Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
