//! The event log: append, and read back in order per partition. What was appended is on disk when `append` returns.
//!
//! Topics are one per kind of event (`healthcare.vital_signs`). All topics have the same number of partitions, and a patient has the same
//! partition in each, so that one reader sees all that happens to a patient.

use event::Kind;

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

/// What is appended. The key is what the partition is computed of.
#[derive(Clone, PartialEq, Eq)]
pub struct Append {
    /// The kind, which is the topic.
    pub kind: Kind,
    /// Tenant and canonical patient, or tenant and population.
    pub key: String,
    /// The sender's identifier with its source: appended once, whatever is sent again.
    pub id: String,
    /// Headers: tenant, organization, population, content type.
    pub headers: Vec<(String, String)>,
    /// The event as it is kept.
    pub body: Vec<u8>,
}

/// One entry that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub position: Position,
    /// As it was appended.
    pub append: Append,
    /// When it was appended, UTC microseconds.
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
        write!(f, "Entry({:?})", self.position)
    }
}
