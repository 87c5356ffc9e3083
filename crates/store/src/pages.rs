//! Pages: what is asked for by the page, and what a page holds.

use compact_str::CompactString;
use fhir::{Instant, Kind, Period};

use crate::{Op, Stored};

/// How a page of a search is cut and signed.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// Most matches.
    pub count: u32,
    /// Signs the link to the next page.
    pub cursor_secret: &'a [u8],
    /// For whom alone the link works.
    pub principal: &'a str,
}

/// One page of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPage {
    /// What was searched for.
    pub matches: Vec<Stored>,
    /// What comes along.
    pub included: Vec<Stored>,
    /// How many matches there are on all pages, when asked for.
    pub total: Option<u64>,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// Whose history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryOf {
    /// One resource's.
    Instance(Kind, CompactString),
    /// A type's.
    Kind(Kind),
    /// Everything's.
    System,
}

/// Which part of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Most versions of the page.
    pub count: u32,
    /// Only versions written at this instant or later.
    pub since: Option<Instant>,
    /// Only versions that were current at some time of this period.
    pub at: Option<Period>,
    /// Where the page starts.
    pub cursor: Option<String>,
}

impl Default for HistoryQuery {
    fn default() -> HistoryQuery {
        HistoryQuery { count: 50, since: None, at: None, cursor: None }
    }
}

/// One page of a history, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// Versions, deletions included.
    pub entries: Vec<Stored>,
    /// How many there are on all pages; known for one resource's history only.
    pub total: Option<u64>,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// One page of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanQuery {
    /// These types; all when empty.
    pub kinds: Vec<Kind>,
    /// Only what was written at this instant or later.
    pub since: Option<Instant>,
    /// Behind this place; the start when `None`.
    pub after: Option<ScanPlace>,
    /// Most resources of the page.
    pub count: usize,
}

/// A place in an export: kept by who exports, shown to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScanPlace(pub(crate) i64);

/// Current versions, in the order in which they were first stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanPage {
    /// Resources; no deletions.
    pub entries: Vec<Stored>,
    /// Where to go on; `None` at the end.
    pub next: Option<ScanPlace>,
}

/// One entry of the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Position. Rises; there may be gaps.
    pub seq: u64,
    /// Whose data.
    pub tenant: crate::Tenant,
    /// Type.
    pub kind: Kind,
    /// Id.
    pub id: CompactString,
    /// Version.
    pub version: u64,
    /// What it did.
    pub op: Op,
    /// When.
    pub at: Instant,
    /// Who, why, and what allowed it.
    pub author: crate::Author,
}
