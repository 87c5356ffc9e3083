//! The door for JSON: an envelope of known members, and data by the event's kind. What all doors share about a value is in `reading`.

mod coding;
mod collect;
mod count;
mod data;
mod envelope;
mod member;
mod note;
mod number;
mod reading;
mod social;
mod subject;

pub use coding::Coding;
pub(crate) use collect::Collected;
pub use note::{Note, NoteStatus};
pub(crate) use reading::{Raw, Reading};
pub use social::{Answer, Need, Said, Social};
pub(crate) use subject::canonical_patient;

#[cfg(test)]
mod tests;
