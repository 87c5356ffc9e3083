//! Why the store did not do what was asked: each variant is a different thing for the caller to do.

use compact_str::CompactString;
use db::DbError;
use fhir::{Issue, Kind};

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The decision on the write was no.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such resource, or the caller may not know of it.
    #[error("`{kind}/{id}` is unknown")]
    NotFound {
        /// Type.
        kind: Kind,
        /// Id.
        id: CompactString,
    },
    /// Another version is stored than the one that was expected.
    #[error("cannot write `{kind}/{id}`: version `{expected}` was expected, {}", stored_words(*stored))]
    VersionConflict {
        /// Type.
        kind: Kind,
        /// Id.
        id: CompactString,
        /// What the caller expected.
        expected: u64,
        /// What is stored; `None` when nothing is, or nothing that the caller may see.
        stored: Option<u64>,
    },
    /// The search of a conditional operation found more than one.
    #[error("the condition matches more than one `{kind}`: make it more selective")]
    MultipleMatches {
        /// Type.
        kind: Kind,
    },
    /// The search of a patch found nothing.
    #[error("the condition matches no `{kind}`: there is nothing to patch")]
    NoMatch {
        /// Type.
        kind: Kind,
    },
    /// What a patch makes of the stored version cannot be made, or cannot be stored.
    #[error("the patch has {} errors", .0.len())]
    Unfit(Vec<Issue>),
    /// A conditional delete would remove more than is allowed at once.
    #[error("the condition matches more than {count_max} `{kind}`: delete them in smaller groups")]
    TooManyMatches {
        /// Type.
        kind: Kind,
        /// The limit.
        count_max: usize,
    },
    /// The resource of an update has no id, or not that of what its condition found.
    #[error("the `{kind}` of an update needs the id under which it is stored")]
    IdMismatch {
        /// Type.
        kind: Kind,
    },
    /// A reference leads nowhere.
    #[error("entry {entry} refers to `{target}`, {problem}")]
    Reference {
        /// Position in the request, from 0.
        entry: usize,
        /// What it refers to; a condition without its values.
        target: String,
        /// What is wrong with it.
        problem: ReferenceProblem,
    },
    /// Others refer to what should be deleted.
    #[error("cannot delete `{kind}/{id}`: {} refer to it", referrer_words(by))]
    Referenced {
        /// Type.
        kind: Kind,
        /// Id.
        id: CompactString,
        /// Some of those that refer to it and that the caller may see, as `Observation/7`.
        by: Vec<String>,
    },
    /// Two entries of a transaction are about one resource, or carry one `fullUrl`.
    #[error("entries {first} and {second} of the transaction are about the same resource")]
    SameTwice {
        /// Position of the one.
        first: usize,
        /// Position of the other.
        second: usize,
    },
    /// An entry of a transaction failed, and with it the transaction.
    #[error("entry {entry}: {error}")]
    InEntry {
        /// Position in the request, from 0.
        entry: usize,
        /// Why.
        error: Box<StoreError>,
    },
    /// The search costs more than is allowed.
    #[error("the search looks at more than {steps_max} index entries: add a more selective parameter")]
    TooCostly {
        /// The limit.
        steps_max: u64,
    },
    /// More would come along with a page than is allowed.
    #[error(
        "the includes bring along more than {count_max} resources: ask for smaller pages or follow fewer references"
    )]
    TooManyIncluded {
        /// The limit.
        count_max: usize,
    },
    /// The page link was made for another caller, query or database, or was changed.
    #[error("the page link does not belong to this query: start again from the first page")]
    Cursor,
    /// There is no room left.
    #[error("the disk is full: make room, nothing of this write was stored")]
    Full,
    /// The files cannot be written.
    #[error("the database cannot be written: check the permissions of the data folder")]
    ReadOnly,
    /// A newer program made the database.
    #[error("the database has layout {found}, this program knows up to {known}: use a newer `salus`")]
    NewerVersion {
        /// What was found.
        found: u32,
        /// What is known.
        known: u32,
    },
    /// Another process holds the data folder.
    #[error("another process holds the data folder")]
    Locked,
    /// The files are damaged.
    #[error("the database is damaged: {what}")]
    Corrupt {
        /// Where.
        what: String,
    },
    /// Reading or writing a file failed.
    #[error("cannot {doing}: {kind}")]
    Io {
        /// What was tried.
        doing: String,
        /// How it failed.
        kind: std::io::ErrorKind,
    },
    /// A broken invariant of the store itself.
    #[error("the store failed (a bug): {what}")]
    Bug {
        /// What broke.
        what: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> StoreError {
        match error {
            DbError::Full => StoreError::Full,
            DbError::ReadOnly => StoreError::ReadOnly,
            DbError::Locked => StoreError::Locked,
            DbError::NewerVersion { found, known } => {
                let number = |version: i64| u32::try_from(version).unwrap_or(u32::MAX);
                StoreError::NewerVersion { found: number(found), known: number(known) }
            }
            DbError::Foreign { .. } | DbError::Corrupt(_) => StoreError::Corrupt { what: error.to_string() },
            DbError::Closed => StoreError::Closed,
            DbError::Panicked | DbError::Sqlite(_) => StoreError::Bug { what: error.to_string() },
            DbError::Io(cause) => {
                StoreError::Io { doing: format!("use the data files: {cause}"), kind: cause.kind() }
            }
        }
    }
}

/// What is wrong with a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReferenceProblem {
    /// Nothing has this type and id.
    Unknown,
    /// No entry of the request has this `fullUrl`.
    NoEntry,
    /// The condition matches nothing.
    NoMatch,
    /// The condition matches more than one.
    ManyMatches,
    /// The condition is not understood.
    BadCondition,
}

impl std::fmt::Display for ReferenceProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ReferenceProblem::Unknown => "which is not stored",
            ReferenceProblem::NoEntry => "which is the `fullUrl` of no entry",
            ReferenceProblem::NoMatch => "which matches nothing",
            ReferenceProblem::ManyMatches => "which matches more than one",
            ReferenceProblem::BadCondition => "which is no search that is understood",
        })
    }
}

fn stored_words(stored: Option<u64>) -> String {
    stored.map_or_else(|| "nothing is stored".to_string(), |version| format!("version `{version}` is stored"))
}

fn referrer_words(by: &[String]) -> String {
    if by.is_empty() {
        return "other resources".to_string();
    }
    by.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl StoreError {
    /// The same error, saying in which entry of a transaction it came up.
    pub(crate) fn in_entry(self, entry: usize) -> StoreError {
        match self {
            StoreError::Forbidden(why) => StoreError::Forbidden(format!("entry {entry}: {why}")),
            StoreError::Reference { .. }
            | StoreError::SameTwice { .. }
            | StoreError::InEntry { .. }
            | StoreError::Full
            | StoreError::ReadOnly
            | StoreError::Corrupt { .. }
            | StoreError::Io { .. }
            | StoreError::Locked
            | StoreError::Bug { .. }
            | StoreError::NewerVersion { .. }
            | StoreError::Closed => self,
            error => StoreError::InEntry { entry, error: Box::new(error) },
        }
    }
}
