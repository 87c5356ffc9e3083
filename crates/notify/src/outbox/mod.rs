//! The outbox: messages that are put in the transaction of what they tell, and what became of them.

mod cancel;
mod claim;
mod put;
mod query;

pub use cancel::{Told, cancel, told};
pub use claim::{Claimed, Item, Outcome, claim, next_due, record, release, waiting};
pub use put::{put, put_to};
pub use query::{Attempt, Dead, Delivery, dead, deliveries, known};

/// The tables, for the migrations of the file that holds them.
pub const SCHEMA: &str = include_str!("schema.sql");

/// Severities as numbers, worst last.
pub(crate) fn number_of(severity: rules::Severity) -> i64 {
    severity as i64
}

pub(crate) fn severity_of(number: i64) -> rules::Severity {
    use rules::Severity;
    let known = Severity::ALL.into_iter().find(|severity| number_of(*severity) == number);
    known.unwrap_or(Severity::Critical)
}
