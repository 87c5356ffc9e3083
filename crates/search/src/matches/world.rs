//! The resources among which a search looks.

use std::collections::HashMap;

use compact_str::CompactString;
use fhir::{Instant, Kind, Resource};

use crate::Extractor;
use crate::rows::IndexRows;

/// A resource as a search sees it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Type.
    pub kind: Kind,
    /// Id.
    pub id: CompactString,
    /// When its current version was written.
    pub updated: Instant,
    /// Its place in the order of first versions.
    pub order: u64,
    /// What it puts into the index.
    pub rows: IndexRows,
}

/// All current resources, deleted ones left out.
pub trait World {
    /// One of them.
    fn get(&self, kind: Kind, id: &str) -> Option<&Known>;
    /// All of a type, by rising `order`.
    fn all(&self, kind: Kind) -> Vec<&Known>;
}

/// A world in memory.
pub struct Memory {
    extractor: Extractor,
    resources: HashMap<(Kind, CompactString), Known>,
    orders: HashMap<(Kind, CompactString), u64>,
}

impl Memory {
    /// An empty one.
    pub fn new(extractor: Extractor) -> Memory {
        Memory { extractor, resources: HashMap::new(), orders: HashMap::new() }
    }

    /// Takes in the current version of a resource with an id; one without id is not taken in.
    pub fn put(&mut self, resource: &Resource, at: Instant) {
        let Some(id) = resource.id() else { return };
        let key = (resource.kind(), CompactString::from(id));
        let next = self.orders.len() as u64;
        let order = *self.orders.entry(key.clone()).or_insert(next);
        let rows = self.extractor.extract(resource, at);
        let known = Known { kind: key.0, id: key.1.clone(), updated: at, order, rows };
        self.resources.insert(key, known);
    }

    /// Takes a resource out. One that comes back has its old place in the order.
    pub fn remove(&mut self, kind: Kind, id: &str) {
        self.resources.remove(&(kind, id.into()));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Is there none.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }
}

impl World for Memory {
    fn get(&self, kind: Kind, id: &str) -> Option<&Known> {
        self.resources.get(&(kind, id.into()))
    }

    fn all(&self, kind: Kind) -> Vec<&Known> {
        let mut all: Vec<&Known> = self.resources.values().filter(|known| known.kind == kind).collect();
        all.sort_unstable_by_key(|known| known.order);
        all
    }
}
