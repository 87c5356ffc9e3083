//! A row that cannot go on, with its place and the reason.

use std::borrow::Cow;

use crate::Place;

/// A row that a reader, a check or a step refuses. The message never holds a value of the row; the raw record does, and is sealed
/// before it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where the row came from.
    pub place: Place,
    /// The rule that refused it: the id of a check, the name of a step, or `record` for a record that could not be read.
    pub rule: Cow<'static, str>,
    /// The column that was looked at.
    pub column: Option<String>,
    /// A word for machines: `ragged`, `not_null`, `bad_date`.
    pub reason: Cow<'static, str>,
    /// A sentence for people, without values of the row.
    pub message: String,
    /// The record as it was read (raw bytes, or a JSON object of the row). Empty: the pipeline fills in the row.
    pub raw: Vec<u8>,
}

impl std::fmt::Debug for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} at {:?}: {}", self.rule, self.reason, self.place, self.message)
    }
}
