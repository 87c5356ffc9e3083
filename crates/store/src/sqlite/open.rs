//! Opens the data folder: lock, layout, migrations, the numbers, the threads.

use std::sync::{Arc, RwLock};

use fhir::Clock;
use rusqlite::{Connection, params};
use search::Extractor;
use tokio::sync::Semaphore;

use super::catalog::{Catalog, definitions};
use super::write::{State, Writing};
use super::{OP_BYTES, Shared, SqliteStore};
use crate::prepare::Planner;
use crate::{StoreConfig, StoreError, Synchronous};

/// Layout of the data folder, in its file `FORMAT`.
const FOLDER_LAYOUT: u32 = 1;
/// Marks a file as ours: "salu".
const APPLICATION_ID: i32 = 0x7361_6c75;
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql"), include_str!("migrations/0002.sql")];
/// The database in the data folder.
const FILE: &str = "salus.db";
const PAGE_CACHE_KIB: u32 = 32 * 1024;
const BATCH_JOBS_MAX: usize = 512;

/// Opens a store; makes the folder when it is missing.
pub(crate) fn open(config: StoreConfig, clock: Arc<dyn Clock>) -> Result<SqliteStore, StoreError> {
    let lock = db::FolderLock::acquire(&config.dir, FOLDER_LAYOUT)?;
    let mut options = db::Options::new(config.dir.join(FILE), APPLICATION_ID, MIGRATIONS);
    options.readers = config.readers.max(1);
    options.synchronous = match config.synchronous {
        Synchronous::Full => db::Synchronous::Full,
        Synchronous::Normal => db::Synchronous::Normal,
        Synchronous::Off => db::Synchronous::Off,
    };
    options.vfs.clone_from(&config.vfs);
    options.page_cache_kib = PAGE_CACHE_KIB;
    options.batch_max = BATCH_JOBS_MAX;
    options.batch_bytes_max = config.limits.commit_ops_max.saturating_mul(OP_BYTES);
    let now = clock.now();
    let definitions = definitions(&config.equity_rules);
    let set_up = on_a_thread(|| {
        // The first connection makes the file and gives it its keys; it is closed before the others are opened.
        let set_up = db::Database::open(db::Options { readers: 1, ..options.clone() })?;
        let name = Arc::clone(&definitions);
        set_up.write_blocking(move |conn| first_rows(conn, now.0, &name))?;
        Ok(set_up)
    })?;
    let catalog = set_up.read_blocking(move |conn| Catalog::load(conn, definitions))?;
    let bases: Vec<String> =
        std::iter::once(&config.base_url).chain(&config.other_base_urls).cloned().collect();
    let planner = Planner {
        extractor: Extractor::new(bases.clone(), config.equity_rules.clone()),
        bases,
        referential_integrity: config.referential_integrity,
    };
    let room = Semaphore::new(config.limits.waiting_bytes_max.min(Semaphore::MAX_PERMITS));
    let mut condition_limits = config.limits.clone();
    condition_limits.search_steps_max = config.limits.condition_steps_max;
    let shared = Arc::new(Shared {
        config,
        clock,
        planner,
        condition_limits,
        catalog: RwLock::new(Arc::new(catalog)),
    });
    let state = {
        let shared = Arc::clone(&shared);
        set_up.read_blocking(move |conn| State::load(conn, shared))?
    };
    drop(set_up);
    let writer = db::Writer::start(options.clone(), Writing::new(state))?;
    let readers = db::Readers::open(&options)?;
    Ok(SqliteStore { shared, writer, readers, room, rebuilding: tokio::sync::Mutex::new(()), _lock: lock })
}

/// A store may be opened by a task, where waiting for the writer's answer would panic.
fn on_a_thread<T: Send>(work: impl FnOnce() -> Result<T, StoreError> + Send) -> Result<T, StoreError> {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(answer) => answer,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Key of the hashes and first generation of the index.
fn first_rows(conn: &Connection, now: i64, definitions: &str) -> rusqlite::Result<()> {
    let has_key: i64 =
        conn.query_row("SELECT count(*) FROM meta WHERE name = 'hash-key'", [], |row| row.get(0))?;
    if has_key == 0 {
        let key = *uuid::Uuid::new_v4().as_bytes();
        conn.execute("INSERT INTO meta VALUES ('hash-key', ?1)", params![key.as_slice()])?;
        conn.execute("INSERT INTO meta VALUES ('made', ?1)", [now])?;
        conn.execute("INSERT INTO generation (state, definitions) VALUES (1, ?1)", [definitions])?;
    }
    Ok(())
}
