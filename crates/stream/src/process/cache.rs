//! What is kept in memory of patients: those that were seen lately, in two generations, so that the oldest go without a list of who was when.

use std::collections::HashMap;

use super::plan::{Held, Key};

/// States of patients, a bounded number of them.
pub(crate) struct Cache {
    young: HashMap<Key, Held>,
    old: HashMap<Key, Held>,
    n_max: usize,
}

impl Cache {
    /// Keeps the last `n_max` / 2 patients, and at most `n_max`.
    pub(crate) fn new(n_max: usize) -> Cache {
        Cache { young: HashMap::new(), old: HashMap::new(), n_max: n_max.max(2) }
    }

    /// Takes a patient out.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Held> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Puts a patient in, who was taken out or was not there.
    pub(crate) fn put(&mut self, key: Key, held: Held) {
        if self.young.len() >= self.n_max / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Key {
        ("main".to_owned(), format!("Patient/{n}"))
    }

    #[test]
    fn the_last_stay_and_there_are_never_too_many() {
        let mut cache = Cache::new(10);
        for n in 0..1_000 {
            cache.put(key(n), Held { version: 1, ..Held::default() });
            // The first one is used all the time.
            let first = cache.take(&key(0)).expect("who is used stays");
            cache.put(key(0), first);
            assert!(cache.young.len() + cache.old.len() <= 10);
        }
        assert!((998..1_000).all(|n| cache.take(&key(n)).is_some()));
        assert!(cache.take(&key(500)).is_none());
    }
}
