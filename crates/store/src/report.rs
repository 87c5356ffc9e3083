//! What a check of the whole store found.

use std::fmt;

use compact_str::CompactString;
use fhir::Kind;

/// What a check looked at and what is not in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many resources were looked at, deleted ones included.
    pub resources: u64,
    /// What is not in order; at most [`CheckReport::PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
}

impl CheckReport {
    /// Most problems that are listed.
    pub const PROBLEMS_MAX: usize = 1_000;
}

/// Something that is not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The database file itself is damaged.
    File(String),
    /// A body cannot be read.
    Body(Kind, CompactString),
    /// The versions of a resource are not 1, 2, 3, ... up to the current one.
    Versions(Kind, CompactString),
    /// The change log does not say what is stored.
    ChangeLog(Kind, CompactString),
    /// The index does not say what the current version says.
    Index(Kind, CompactString),
    /// A table of the index holds a row of no resource.
    StrayRow(&'static str),
    /// A counter does not say how many there are.
    Count(Kind),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::File(what) => write!(f, "the database file is damaged: {what}"),
            Problem::Body(kind, id) => write!(f, "the body of `{kind}/{id}` cannot be read"),
            Problem::Versions(kind, id) => write!(f, "a version of `{kind}/{id}` is missing"),
            Problem::ChangeLog(kind, id) => {
                write!(f, "the change log and the versions of `{kind}/{id}` differ")
            }
            Problem::Index(kind, id) => {
                write!(f, "the search index and `{kind}/{id}` differ: run `salus rebuild index`")
            }
            Problem::StrayRow(table) => {
                write!(f, "index table `{table}` holds a row of no resource: run `salus rebuild index`")
            }
            Problem::Count(kind) => {
                write!(f, "the number of `{kind}` resources is wrong: run `salus rebuild index`")
            }
        }
    }
}
