//! One stored version of a resource, and its body with version and time in place.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use compact_str::CompactString;
use fhir::json::Limits;
use fhir::{Instant, Kind, Resource};

use crate::{StoreError, body};

/// What a version did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The first version, under an id that the store gave.
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
#[derive(Clone, Default)]
pub struct Body {
    json: OnceLock<Bytes>,
    /// How to make the JSON, when it was not asked for yet: most answers to large writes never are.
    packed: Option<Box<Packed>>,
}

#[derive(Clone)]
struct Packed {
    kind: Kind,
    id: CompactString,
    version: u64,
    updated: Instant,
    bytes: Vec<u8>,
}

impl Body {
    /// A body of its JSON.
    pub(crate) fn of_json(json: Vec<u8>) -> Body {
        Body { json: OnceLock::from(Bytes::from(json)), packed: None }
    }

    /// A body that this program has just packed.
    pub(crate) fn of_packed(kind: Kind, id: &str, version: u64, updated: Instant, bytes: Vec<u8>) -> Body {
        Body {
            json: OnceLock::new(),
            packed: Some(Box::new(Packed { kind, id: id.into(), version, updated, bytes })),
        }
    }

    fn json(&self) -> &Bytes {
        self.json.get_or_init(|| match &self.packed {
            None => Bytes::new(),
            Some(packed) => {
                let content =
                    body::decode(&packed.bytes).expect("it was packed a moment ago by this program");
                let json = body::assemble(packed.kind, &packed.id, packed.version, packed.updated, &content);
                json.expect("it was packed a moment ago by this program").into()
            }
        })
    }

    /// The JSON.
    pub fn bytes(&self) -> &[u8] {
        self.json()
    }

    /// The JSON, given away without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.json().clone()
    }

    /// The JSON, parsed. A body that does not parse was damaged; a deletion has none.
    pub fn resource(&self) -> Result<Resource, StoreError> {
        let damaged = |_| StoreError::Corrupt { what: "a stored body is no resource".into() };
        Resource::parse(self.bytes(), &Limits::default()).map_err(damaged)
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("body")
    }
}
