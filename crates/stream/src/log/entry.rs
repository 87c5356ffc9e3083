//! What goes into the log and comes out of it.

use event::{KEY_SEPARATOR, Kind};
use sha2::{Digest, Sha256};

/// Where an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The kind of event.
    pub kind: Kind,
    /// The partition.
    pub partition: u32,
    /// Counts from 0 without gaps in the embedded log; may have gaps in Kafka.
    pub offset: u64,
}

/// `vital_signs/3@17`.
impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}@{}", self.kind, self.partition, self.offset)
    }
}

/// What is appended. The key is what the partition is computed of.
#[derive(Clone, PartialEq, Eq)]
pub struct Append {
    /// The kind, which is the topic.
    pub kind: Kind,
    /// Tenant and canonical patient, or tenant and population: [`event::key_of`].
    pub key: String,
    /// The sender's identifier with its source: appended once per tenant, whatever is sent again.
    pub id: String,
    /// Hash of what the sender said ([`Append::content_of`]); the same identifier with another one is a conflict. What is added on receipt, such as
    /// the time, is no part of it.
    pub content: u128,
    /// Headers: tenant, organization, population, content type.
    pub headers: Vec<(String, String)>,
    /// The event as it is kept.
    pub body: Vec<u8>,
}

impl Append {
    /// The hash of what a sender said, byte for byte.
    pub fn content_of(said: &[u8]) -> u128 {
        hash(&[said])
    }

    /// The tenant, which the key begins with.
    pub fn tenant(&self) -> &str {
        self.key.split(KEY_SEPARATOR).next().unwrap_or_default()
    }

    /// The bytes that the log keeps of it, about.
    pub fn n_bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
        self.body.len() + self.key.len() + self.id.len() + headers + 64
    }

    /// What duplicates have in common: tenant and identifier.
    pub(super) fn identity(&self) -> u128 {
        hash(&[self.tenant().as_bytes(), &[0x1f], self.id.as_bytes()])
    }
}

/// The first half of a SHA-256: nobody can make another event look like one that was sent.
fn hash(parts: &[&[u8]]) -> u128 {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part);
    }
    let digest = sha.finalize();
    let half: [u8; 16] = digest[..16].try_into().expect("a SHA-256 has 32 bytes");
    u128::from_le_bytes(half)
}

/// Whether what was appended was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// It was appended.
    New,
    /// The same was appended before, at the position that is given.
    Duplicate,
    /// The same identifier with other content is at the position that is given; this one was not appended.
    Conflict,
    /// It was appended; whether it was there already shows when it is processed (Kafka).
    Unknown,
}

/// What became of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where it is, or the earlier one.
    pub position: Position,
    /// Whether it was new.
    pub novelty: Novelty,
}

/// One entry that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub position: Position,
    /// As it was appended.
    pub append: Append,
    /// When it was appended, UTC microseconds. Rises with every entry of the embedded log; Kafka keeps milliseconds.
    pub appended_at: fhir::Instant,
}

/// Content does not print.
impl std::fmt::Debug for Append {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Append({} {} bytes)", self.kind, self.body.len())
    }
}

/// Content does not print.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({})", self.position)
    }
}
