//! The record of runs: what ran, how far it is, what was set aside. One SQLite file, `etl.db`, that commands and a running server share.

mod claim;
mod observer;
mod quarantine;
mod query;
mod schema;

use std::path::Path;
use std::sync::Arc;

use db::{Database, DbError, Options};
use fhir::Clock;
use keys::{KeyRing, Scope};

use crate::EtlError;

pub use claim::Claim;
pub use observer::RunObserver;
pub use quarantine::{QuarantineFilter, QuarantineRow, State};
pub use query::{Asked, QualityPoint, RunSummary};

/// The keys that quarantined rows are sealed with.
const SCOPE: &str = "quarantine/etl";
const APPLICATION_ID: i32 = 0x7361_6574;

/// The record of runs of a data directory. Clones share it.
#[derive(Clone)]
pub struct Runs {
    db: Database,
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
}

impl Runs {
    /// Opens `etl.db` in a data directory, made when it is absent. Keys seal what is set aside.
    pub fn open(data_dir: &Path, keys: Arc<KeyRing>, clock: Arc<dyn Clock>) -> Result<Runs, EtlError> {
        let db = Database::open(Options::new(data_dir.join("etl.db"), APPLICATION_ID, schema::MIGRATIONS))
            .map_err(from_db)?;
        keys.ensure(&scope()).map_err(|error| EtlError::Record(error.to_string()))?;
        Ok(Runs { db, keys, clock })
    }

    /// Writes what waits and closes the file.
    pub async fn close(&self) -> Result<(), EtlError> {
        self.db.close().await.map_err(from_db)
    }

    fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EtlError> {
        off_the_runtime(|| self.db.write_blocking(f)).map_err(from_db)
    }

    fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EtlError> {
        off_the_runtime(|| self.db.read_blocking(f)).map_err(from_db)
    }
}

fn scope() -> Scope {
    Scope::new(SCOPE).expect("the scope's name is valid")
}

/// The record is written from step threads and from tasks. A task lends its worker for the moment.
fn off_the_runtime<T>(f: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => tokio::task::block_in_place(f),
        Err(_) => f(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
fn from_db(error: DbError) -> EtlError {
    EtlError::Record(error.to_string())
}
