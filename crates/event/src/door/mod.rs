//! The door for JSON: an envelope of known members, and data by the event's kind. What all doors share about a value is in `reading`.

mod collect;
mod count;
mod data;
mod envelope;
mod member;
mod number;
mod reading;
mod subject;

pub(crate) use collect::Collected;
pub(crate) use reading::{Raw, Reading};
pub(crate) use subject::canonical_patient;

#[cfg(test)]
mod tests;
