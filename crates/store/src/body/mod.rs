//! Stored bodies: what is kept of a resource, and how it becomes JSON again.
//!
//! Version and time are not in the body, because it is compressed before the writer knows them (decision 5).

mod codec;
mod split;

pub(crate) use codec::{decode, encode};
pub(crate) use split::{assemble, content_of};
