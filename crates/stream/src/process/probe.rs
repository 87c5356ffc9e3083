//! Whether the files of streams can be written: told when a write failed, tried again each second, and what stands still goes on at once when it can.

use std::time::Duration;

use db::{Database, DbError};
use tokio::sync::watch;

use crate::StreamError;
use crate::log::EventLog;
use crate::platform::Platform;

const TICK: Duration = Duration::from_secs(1);

/// A file, as it is called where troubles are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Stream,
    Log,
}

impl File {
    fn name(self) -> &'static str {
        match self {
            File::Stream => "stream.db",
            File::Log => "log.db",
        }
    }
}

/// Does the failure go away by itself, or by somebody who makes room: then the answer is to come again.
pub(crate) fn is_passing(error: &DbError) -> bool {
    matches!(error, DbError::Full | DbError::ReadOnly | DbError::Locked | DbError::Io(_))
}

impl Platform {
    /// A write failed: readiness says no until one succeeds.
    pub(crate) fn cannot_write(&self, file: File, error: &DbError) {
        if is_passing(error) {
            self.inner.status.troubled(file.name(), error.to_string());
        }
    }

    /// Works until told to stop.
    pub(crate) async fn keep_probing(&self, mut stop: watch::Receiver<bool>) -> Result<(), StreamError> {
        while !*stop.borrow() {
            self.probe(File::Stream, self.database()).await;
            if let EventLog::Embedded(log) = &self.inner.log {
                self.probe(File::Log, log.database()).await;
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                changed = stop.changed() => if changed.is_err() { return Ok(()) },
            }
        }
        Ok(())
    }

    async fn probe(&self, file: File, database: &Database) {
        if !self.inner.status.is_troubled(file.name()) {
            return;
        }
        // The same again, which is a write all the same.
        let written = database.write(|conn| {
            let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            conn.pragma_update(None, "user_version", version)
        });
        if written.await.is_ok() {
            tracing::info!("`{}` can be written again", file.name());
            self.inner.status.well(file.name());
            self.inner.status.recovered.notify_waiters();
        }
    }
}
