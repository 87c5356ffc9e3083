//! An event as the log keeps it: JSON with members in one order, which the door reads too, and which is read back without a tree in between.

mod instant;
mod read;
mod reader;
mod write;

use sha2::{Digest, Sha256};

use crate::{Event, Refusal};

/// Version of the envelope that is written. Version 0 is the founding chapter's.
pub const SCHEMA: u16 = 1;

impl Event {
    /// As the log keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        write::event(self, true, &mut out);
        out
    }

    /// Of bytes that [`Event::to_bytes`] wrote, in this or an older version. What others wrote, [`Event::parse`] reads.
    ///
    /// # Errors
    /// The bytes are of another form or of a newer version; with the place.
    pub fn of_bytes(bytes: &[u8]) -> Result<Event, Refusal> {
        read::event(bytes).map_err(|refusal| *refusal)
    }

    /// SHA-256 of all that the sender said: the same whenever it is received. An event with the same id and another hash is another event.
    pub fn content_hash(&self) -> [u8; 32] {
        let mut out = Vec::with_capacity(512);
        write::event(self, false, &mut out);
        Sha256::digest(&out).into()
    }
}

#[cfg(test)]
mod tests;
