//! `govern.db`: the audit ledger, tokens, sessions, and the secret behind page links.

use db::{Database, DbError, Options};
use rusqlite::Connection;
use store::StoreConfig;

use crate::ledger::schema::MIGRATIONS;

/// Marks the file as a ledger of salus ("sgov").
const APPLICATION_ID: i32 = 0x7367_6f76;
const FILE: &str = "govern.db";

/// The open file. Clones share it.
#[derive(Clone)]
pub(crate) struct Govern {
    db: Database,
}

impl Govern {
    /// The file beside the store's, as durable as the store's.
    pub(crate) fn options(config: &StoreConfig) -> Options {
        let mut options = Options::new(config.dir.join(FILE), APPLICATION_ID, MIGRATIONS);
        options.synchronous = match config.synchronous {
            store::Synchronous::Full => db::Synchronous::Full,
            store::Synchronous::Normal => db::Synchronous::Normal,
            store::Synchronous::Off => db::Synchronous::Off,
        };
        options.vfs.clone_from(&config.vfs);
        options
    }

    /// Opens the file. The store has locked the folder before.
    pub(crate) fn open(options: Options) -> Result<Govern, DbError> {
        Ok(Govern { db: Database::open(options)? })
    }

    /// Reads a snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.db.read(f).await
    }

    /// Writes, and returns when it is on disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.db.write(f).await
    }

    /// The key of page links; made once, when the file is.
    pub(crate) fn cursor_secret(&self) -> Result<[u8; 32], DbError> {
        let sql = "SELECT value FROM secret WHERE name = 'cursor'";
        self.db.read_blocking(move |conn| conn.query_row(sql, [], |row| row.get(0)))
    }
}
