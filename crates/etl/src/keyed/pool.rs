//! The memory that all keys of a run share, and the folder for those that do not fit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory that is shared out.
#[derive(Debug)]
pub(crate) struct Pool {
    scratch: PathBuf,
    bytes_max: u64,
    used: AtomicU64,
}

impl Pool {
    /// So many bytes, and a folder for what does not fit.
    pub(crate) fn new(scratch: &Path, bytes_max: u64) -> Arc<Pool> {
        Arc::new(Pool { scratch: scratch.to_path_buf(), bytes_max, used: AtomicU64::new(0) })
    }

    /// Bytes in all.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Where files are made.
    pub(super) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// A share without anything in it.
    pub(crate) fn share(self: &Arc<Pool>) -> Share {
        Share { pool: Arc::clone(self), bytes: 0 }
    }
}

/// What one holder has of the pool; it goes back when the holder ends.
#[derive(Debug)]
pub(crate) struct Share {
    pool: Arc<Pool>,
    bytes: u64,
}

impl Share {
    /// Makes the share so large, if the pool has as much.
    pub(crate) fn resize(&mut self, bytes: u64) -> bool {
        let others = self.pool.used.load(Ordering::Relaxed).saturating_sub(self.bytes);
        // Two that ask at the same moment may both get the last bytes: the limit is one of size, not of safety.
        if bytes > self.bytes && others + bytes > self.pool.bytes_max {
            return false;
        }
        self.insist(bytes);
        true
    }

    /// Makes the share so large, whatever the others have.
    pub(crate) fn insist(&mut self, bytes: u64) {
        self.pool.used.fetch_add(bytes, Ordering::Relaxed);
        self.pool.used.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// The pool it is of.
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_had_again() {
        let pool = Pool::new(Path::new("."), 100);
        let (mut one, mut other) = (pool.share(), pool.share());
        assert!(one.resize(60) && !other.resize(41) && other.resize(40) && !one.resize(61));
        // Less is always to be had.
        other.insist(80);
        assert!(one.resize(50) && !one.resize(51));
        drop(other);
        assert!(one.resize(100));
    }
}
