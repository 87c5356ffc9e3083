//! Which resources are being written right now, so that two changes of one resource keep the order of the input.

use std::collections::HashSet;

use crate::source::Unit;

/// Keys (`Patient/42`) of a unit, without repetition.
pub(crate) fn keys_of(unit: &Unit) -> HashSet<String> {
    unit.items.iter().filter_map(|item| item.change.key()).collect()
}

/// The keys of all units in flight. Bounded by the bytes in flight.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    keys: HashSet<String>,
}

impl InFlight {
    pub(crate) fn overlaps(&self, keys: &HashSet<String>) -> bool {
        keys.iter().any(|key| self.keys.contains(key))
    }

    pub(crate) fn add(&mut self, keys: &HashSet<String>) {
        self.keys.extend(keys.iter().cloned());
    }

    pub(crate) fn remove(&mut self, keys: &HashSet<String>) {
        for key in keys {
            self.keys.remove(key);
        }
    }
}
