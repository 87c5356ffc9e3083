//! Which patient a name means after records were merged (HL7 A40). Pure: what the store knows is looked up elsewhere.

use std::collections::HashMap;

/// Merged patients. Ask [`PatientIndex::canonical`] before a key is computed, so that one patient is one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientIndex {
    /// From a name that is gone to the name that it was merged into.
    into: HashMap<String, String>,
}

/// What a merge did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    /// `from` is now `into`: what is kept under `from` must be moved there, and both evaluated again.
    Rekey {
        /// The name that is gone.
        from: String,
        /// Whose records they are.
        into: String,
    },
    /// They were one patient before.
    Known,
}

impl PatientIndex {
    /// Of pairs that [`PatientIndex::pairs`] gave.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> PatientIndex {
        let mut index = PatientIndex::default();
        for (from, into) in pairs {
            index.merge(&from, &into);
        }
        index
    }

    /// The patient that a name means now.
    pub fn canonical<'a>(&'a self, patient: &'a str) -> &'a str {
        let mut at = patient;
        // No loop can arise: `merge` only ever points a canonical name at another canonical name.
        while let Some(next) = self.into.get(at) {
            at = next;
        }
        at
    }

    /// The records of `from` are those of `into`.
    pub fn merge(&mut self, from: &str, into: &str) -> Merge {
        let (from, into) = (self.canonical(from).to_owned(), self.canonical(into).to_owned());
        if from == into {
            return Merge::Known;
        }
        self.into.insert(from.clone(), into.clone());
        Merge::Rekey { from, into }
    }

    /// What was merged, to be kept.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.into.iter().map(|(from, into)| (from.as_str(), into.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_chain_and_never_loop() {
        let mut index = PatientIndex::default();
        let rekey = |from: &str, into: &str| Merge::Rekey { from: from.into(), into: into.into() };
        assert_eq!(index.merge("a|1", "a|2"), rekey("a|1", "a|2"));
        assert_eq!(index.merge("a|2", "Patient/3"), rekey("a|2", "Patient/3"));
        assert_eq!(index.canonical("a|1"), "Patient/3");
        assert_eq!(index.merge("Patient/3", "a|1"), Merge::Known);
        assert_eq!(index.merge("a|1", "a|9"), rekey("Patient/3", "a|9"));
        assert_eq!(index.canonical("a|2"), "a|9");
        assert_eq!(index.canonical("unknown"), "unknown");
        let kept = PatientIndex::of_pairs(index.pairs().map(|(a, b)| (a.to_owned(), b.to_owned())));
        for name in ["a|1", "a|2", "Patient/3", "a|9"] {
            assert_eq!(kept.canonical(name), "a|9");
        }
    }
}
