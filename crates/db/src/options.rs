//! How a database file is opened.

use std::path::PathBuf;

/// When a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit is on disk before it is answered.
    Full,
    /// The file stays consistent, but the last commits may be lost when the machine loses power.
    Normal,
    /// Nothing waits for the disk: tests only.
    Off,
}

impl Synchronous {
    pub(crate) fn pragma(self) -> &'static str {
        match self {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
            Synchronous::Off => "OFF",
        }
    }
}

/// A database file and how it is used. Begin with [`Options::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file; created with mode 0600 when it is missing.
    pub path: PathBuf,
    /// Marks the file as ours: another application's file is refused.
    pub application_id: i32,
    /// SQL scripts, applied in order, each in its own transaction; `user_version` counts those that were applied.
    pub migrations: &'static [&'static str],
    /// Reader threads, each with a connection and a page cache of its own.
    pub readers: usize,
    /// When a commit waits for the disk.
    pub synchronous: Synchronous,
    /// Page cache of each connection, filled as it is needed.
    pub page_cache_kib: u32,
    /// Name of a registered SQLite file system (tests lose power with it); `None` is the machine's.
    pub vfs: Option<String>,
    /// The write-ahead log is copied into the file when it has grown by this much.
    pub checkpoint_wal_bytes: u64,
    /// Jobs that share one commit at most.
    pub batch_max: usize,
    /// Weight of the jobs that share one commit at most (a heavier job is committed alone).
    pub batch_bytes_max: usize,
    /// Page size of a new file.
    pub page_size: u32,
}

impl Options {
    /// Durable, with two readers.
    pub fn new(
        path: impl Into<PathBuf>,
        application_id: i32,
        migrations: &'static [&'static str],
    ) -> Options {
        Options {
            path: path.into(),
            application_id,
            migrations,
            readers: 2,
            synchronous: Synchronous::Full,
            page_cache_kib: 8 * 1024,
            vfs: None,
            checkpoint_wal_bytes: 256 * 1024 * 1024,
            batch_max: 256,
            batch_bytes_max: 16 * 1024 * 1024,
            page_size: 4096,
        }
    }
}
