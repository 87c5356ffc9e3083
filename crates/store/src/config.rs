//! How a store is opened.

use std::path::PathBuf;

/// How much a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// An acknowledged write survives loss of power: one fsync per group of writes.
    #[default]
    Full,
    /// An acknowledged write survives the end of the process, not loss of power.
    Normal,
    /// Nothing is promised; for comparisons only.
    Off,
}

/// Limits on what one call may cost; the unit is in the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// Resources, index rows and references that one search may look at.
    pub search_steps_max: u64,
    /// Rows up to which the filters of a search are counted at first: one with fewer finds the matches, the others are asked row by row.
    pub few_rows: u64,
    /// Rows up to which they are counted when all have more.
    pub many_rows: u64,
    /// Rows that are looked at before that, and four more for each that matches: often they fill the page.
    pub tried_rows: usize,
    /// The same for a search that decides on a write, which holds up all other writes.
    pub condition_steps_max: u64,
    /// Resources that includes may add to a page.
    pub included_max: usize,
    /// Rounds of `:iterate`.
    pub include_rounds_max: usize,
    /// Resources that one conditional delete may remove.
    pub conditional_delete_max: usize,
    /// Bytes of prepared writes that may wait for the writer.
    pub waiting_bytes_max: usize,
    /// Resources of one commit: of more that wait, the others go into the next. One request is never divided.
    pub commit_ops_max: usize,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            search_steps_max: 20_000_000,
            few_rows: 100,
            many_rows: 5_000,
            tried_rows: 32,
            condition_steps_max: 500_000,
            included_max: 10_000,
            include_rounds_max: 8,
            conditional_delete_max: 10_000,
            waiting_bytes_max: 256 << 20,
            commit_ops_max: 4_096,
        }
    }
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The data folder.
    pub dir: PathBuf,
    /// The address under which this store's resources are known, `http://host/fhir`: references below it are local.
    pub base_url: String,
    /// Further addresses whose references are local.
    pub other_base_urls: Vec<String>,
    /// Must references lead to resources that exist, and may what is referred to not be deleted.
    pub referential_integrity: bool,
    /// Threads that read.
    pub readers: usize,
    /// What a commit waits for.
    pub synchronous: Synchronous,
    /// The SQLite VFS to use; `None` for the operating system's.
    pub vfs: Option<String>,
    /// Rules for `equity-flag`.
    pub equity_rules: search::EquityRules,
    /// Limits.
    pub limits: StoreLimits,
}

impl StoreConfig {
    /// Embedded files in `dir`, fsync per commit, a reader for each processor (two at least).
    pub fn new(dir: impl Into<PathBuf>, base_url: impl Into<String>) -> StoreConfig {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        StoreConfig {
            dir: dir.into(),
            base_url: base_url.into(),
            other_base_urls: Vec::new(),
            referential_integrity: false,
            readers: processors.max(2),
            synchronous: Synchronous::Full,
            vfs: None,
            equity_rules: search::EquityRules::default(),
            limits: StoreLimits::default(),
        }
    }
}
