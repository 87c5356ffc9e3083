//! What a plan was told about the database, and when.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;
use fhir::{Kind, Resource};

/// What a search with one wanted match found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    None,
    /// This one.
    One(Kind, CompactString),
    /// More than one.
    Many,
}

/// The version of a resource that a plan was made for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Its number; 0 when there is none.
    pub(crate) version: u64,
    /// The resource; `None` when there is none or it is deleted.
    pub(crate) resource: Option<Arc<Resource>>,
}

/// What the database said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Position of the change log when it said so.
    pub(crate) seq: i64,
    /// One for each condition of the needs.
    pub(crate) found: Vec<Found>,
    /// Stored versions of the resources that will be updated.
    pub(crate) seen: HashMap<(Kind, CompactString), Seen>,
}
