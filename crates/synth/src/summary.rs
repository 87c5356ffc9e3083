//! What was written: counts by type, and the disparities that are true of it.

use std::collections::BTreeMap;

use crate::planted::{PLANTED, Planted};

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Patients.
    pub patients: u32,
    /// Resources by type, whatever the format.
    pub by_type: BTreeMap<&'static str, u64>,
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The planted disparities with their rates.
    pub planted: &'static [Planted],
}

impl Summary {
    pub(crate) fn new(patients: u32) -> Summary {
        Summary { patients, by_type: BTreeMap::new(), files: 0, bytes: 0, planted: &PLANTED }
    }

    /// All resources.
    pub fn resources(&self) -> u64 {
        self.by_type.values().sum()
    }

    /// Adds counts by type.
    pub(crate) fn add(&mut self, counts: &BTreeMap<&'static str, u64>) {
        for (kind, n) in counts {
            *self.by_type.entry(kind).or_default() += n;
        }
    }
}
