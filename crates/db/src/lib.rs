//! SQLite files: migrations, one group-commit writer, snapshot readers. Knows no table's meaning.
//!
//! A file has one writer thread and a few reader threads. Writes that wait together share one transaction and one fsync;
//! an answer is released after the commit. A read sees one snapshot.
//!
//! ```
//! # async fn example(folder: &std::path::Path) -> Result<(), db::DbError> {
//! let options = db::Options::new(folder.join("notes.db"), 0x6e6f_7465, &["CREATE TABLE note (text TEXT NOT NULL)"]);
//! let notes = db::Database::open(options)?;
//! notes.write(|conn| conn.execute("INSERT INTO note VALUES ('hello')", [])).await?;
//! let n: i64 = notes.read(|conn| conn.query_row("SELECT count(*) FROM note", [], |row| row.get(0))).await?;
//! assert_eq!(n, 1);
//! notes.close().await
//! # }
//! # let folder = tempfile::tempdir().unwrap();
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example(folder.path())).unwrap();
//! ```

mod batch;
mod checkpoint;
mod clock;
mod commit;
mod database;
mod ended;
mod error;
mod folder;
mod open;
mod options;
mod readers;
mod writer;

pub use batch::{Batch, Outcome, Weighted};
pub use clock::SystemClock;
pub use database::Database;
pub use error::DbError;
pub use folder::FolderLock;
pub use options::{Options, Synchronous};
pub use readers::Readers;
pub use writer::{Stats, Writer};
