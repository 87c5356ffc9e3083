//! What was written: counts by type, and the disparities that are true of it.

use std::collections::BTreeMap;

use crate::planted::{PLANTED, Planted};

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Patients.
    pub patients: u32,
    /// Resources by type, whatever the format.
    pub counts: BTreeMap<&'static str, u64>,
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The planted disparities with their rates.
    pub planted: &'static [Planted],
}

impl Summary {
    pub(crate) fn new(patients: u32) -> Summary {
        Summary { patients, counts: BTreeMap::new(), files: 0, bytes: 0, planted: &PLANTED }
    }

    /// All resources.
    pub fn resources(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Adds counts by type.
    pub(crate) fn add(&mut self, more: &BTreeMap<&'static str, u64>) {
        for (kind, n) in more {
            *self.counts.entry(kind).or_default() += n;
        }
    }
}
