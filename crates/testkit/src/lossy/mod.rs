//! A file system in memory that loses power: what was not synced is gone.
//!
//! It follows what SQLite may rely on and nothing more: a write, a truncation, a new name or a removed one is durable after
//! the next sync of that file; before that, any part of them may or may not have reached the disk.

mod disk;
mod vfs;

use std::sync::Arc;

use disk::Disk;

/// What the disk does when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// "No space left on device".
    Full,
    /// An I/O error.
    Broken,
}

/// A disk that SQLite sees as the file system named [`LossyDisk::vfs`]; clones are the same disk.
#[derive(Clone, Debug)]
pub struct LossyDisk {
    disk: Arc<Disk>,
    vfs: String,
}

impl LossyDisk {
    /// An empty disk. It stays registered with SQLite until the process ends.
    #[allow(clippy::new_without_default, reason = "a default must not register anything")]
    pub fn new() -> LossyDisk {
        let disk = Arc::new(Disk::default());
        let vfs = vfs::register(Arc::clone(&disk));
        LossyDisk { disk, vfs }
    }

    /// The name to open databases with.
    pub fn vfs(&self) -> &str {
        &self.vfs
    }

    /// Pulls the plug: everything unsynced is lost, every open file fails from here on. Open the database anew to go on.
    pub fn crash(&self) {
        self.disk.crash(|| false);
    }

    /// Pulls the plug while the disk was busy: of everything unsynced, by sector, a part chosen by `seed` was written.
    pub fn crash_torn(&self, seed: u64) {
        let mut state = seed;
        self.disk.crash(|| {
            // SplitMix64: any even coin will do.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed >> 63) == 1
        });
    }

    /// After `n` more changes (writes, truncations, syncs) all changes fail, until [`LossyDisk::heal`].
    pub fn fail_after(&self, n: u64, fault: Fault) {
        self.disk.fail_after(n, fault, u64::MAX);
    }

    /// After `n` more changes one change fails.
    pub fn fail_once_after(&self, n: u64, fault: Fault) {
        self.disk.fail_after(n, fault, 1);
    }

    /// Ends failing; true when a change had failed since it began.
    pub fn heal(&self) -> bool {
        self.disk.heal()
    }

    /// Changes (writes, truncations, syncs) so far.
    pub fn n_changes(&self) -> u64 {
        self.disk.n_changes()
    }
}
