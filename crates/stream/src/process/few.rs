//! A map of a few names: sorted, in one piece of memory that is no larger than what is in it.
//!
//! Tens of thousands of patients are held in memory, most with one to six measures; a B-tree takes a node of eleven for the first.

/// Values by name, in the order of the names.
#[derive(Clone, PartialEq)]
pub struct Few<V>(Vec<(Box<str>, V)>);

impl<V> Few<V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What the name has.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.place(name).ok().map(|place| &self.0[place].1)
    }

    /// Puts a value in place of what the name had.
    pub(crate) fn insert(&mut self, name: &str, value: V) {
        match self.place(name) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (name.into(), value));
            }
        }
    }

    /// In the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }
}

/// As of a map: panics when there is no such name.
impl<V> std::ops::Index<&str> for Few<V> {
    type Output = V;

    fn index(&self, name: &str) -> &V {
        self.get(name).expect("the name is there")
    }
}

impl<V> Default for Few<V> {
    fn default() -> Few<V> {
        Few(Vec::new())
    }
}

impl<V> IntoIterator for Few<V> {
    type Item = (String, V);
    type IntoIter = std::iter::Map<std::vec::IntoIter<(Box<str>, V)>, fn((Box<str>, V)) -> (String, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(name, value)| (name.into_string(), value))
    }
}

/// The last of a name counts.
impl<V> FromIterator<(String, V)> for Few<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(values: I) -> Few<V> {
        let mut few = Few::default();
        for (name, value) in values {
            few.insert(&name, value);
        }
        few
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Few;

    proptest! {
        #[test]
        fn it_is_a_map(pairs in prop::collection::vec(("[a-c]{0,2}", 0..9_u8), 0..20)) {
            let map: BTreeMap<String, u8> = pairs.iter().cloned().collect();
            let few: Few<u8> = pairs.into_iter().collect();
            prop_assert_eq!(few.len(), map.len());
            prop_assert!(few.0.capacity() <= map.len().max(4));
            for name in ["", "a", "ab", "c", "z"] {
                prop_assert_eq!(few.get(name), map.get(name));
            }
            prop_assert!(few.iter().eq(map.iter().map(|(name, value)| (name.as_str(), value))));
            prop_assert!(few.into_iter().eq(map));
        }
    }
}
