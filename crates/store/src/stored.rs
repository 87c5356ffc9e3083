//! One stored version of a resource, and its body with version and time in place.

use std::fmt;

use bytes::Bytes;
use compact_str::CompactString;
use fhir::json::Limits;
use fhir::{Instant, Kind, Resource};

use crate::StoreError;

/// What a version did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The first version.
    Create,
    /// A later version, or the first one under an id that the caller chose.
    Update,
    /// A deletion; it has no content.
    Delete,
}

/// One version.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Type.
    pub kind: Kind,
    /// Id.
    pub id: CompactString,
    /// Version, from 1; 0 when there was never one.
    pub version: u64,
    /// When it was written.
    pub updated: Instant,
    /// What it did.
    pub op: Op,
    /// The content; empty for a deletion.
    pub body: Body,
}

/// Patient data does not print.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/_history/{}", self.kind, self.id, self.version)
    }
}

/// JSON of a resource as it was stored, `meta.versionId` and `meta.lastUpdated` included.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body(Bytes);

impl Body {
    /// A body of its bytes.
    pub(crate) fn new(bytes: impl Into<Bytes>) -> Body {
        Body(bytes.into())
    }

    /// The JSON.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The JSON, given away without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The JSON, parsed. A body that does not parse was damaged; a deletion has none.
    pub fn resource(&self) -> Result<Resource, StoreError> {
        Resource::parse(&self.0, &Limits::default())
            .map_err(|_| StoreError::Corrupt { what: "a stored body is no resource".into() })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "body({})", self.0.len())
    }
}
