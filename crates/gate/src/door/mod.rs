//! What can be asked of the gate, one file per question. Each decides, acts, records, and only then answers.

mod changes;
mod counts;
mod history;
mod maintain;
pub(crate) mod permit;
pub(crate) mod read;
mod scan;
pub(crate) mod search;
pub(crate) mod tally;
pub(crate) mod write;
