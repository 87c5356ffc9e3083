//! A stable 64-bit hash for names and ids: it is kept in states, so it never changes. Not for adversaries.

use std::hash::{BuildHasherDefault, Hasher};

const START: u64 = 0x9e37_79b9_7f4a_7c15;
const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;

const fn fold(state: u64, word: u64) -> u64 {
    let product = (state ^ word) as u128 * FACTOR as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hash of bytes, going on from `state`.
const fn bytes_after(mut state: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        let (mut word, mut n) = (0_u64, 0);
        while n < 8 && at + n < bytes.len() {
            word |= (bytes[at + n] as u64) << (8 * n);
            n += 1;
        }
        state = fold(state, word);
        at += 8;
    }
    fold(state, bytes.len() as u64)
}

/// The hash of a name.
pub(crate) const fn key(text: &str) -> u64 {
    bytes_after(START, text.as_bytes())
}

/// The hash of two texts, one after the other.
pub(crate) const fn pair(first: &str, second: &str) -> u64 {
    bytes_after(bytes_after(START, first.as_bytes()), second.as_bytes())
}

/// For maps of names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> NameHasher {
        NameHasher(START)
    }
}

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes_after(self.0, bytes);
    }

    fn write_u8(&mut self, _: u8) {}

    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0, word);
    }
}

pub(crate) type ByName<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<NameHasher>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        assert_ne!(key("heart_rate"), key("heart_rats"));
        assert_ne!(key("a"), key("a\0"));
        assert_ne!(pair("a", "bc"), pair("ab", "c"));
        let names = ["", "a", "heart_rate", "sensor/heart-rate"].map(key);
        assert_eq!(names.iter().collect::<std::collections::HashSet<_>>().len(), 4);
        assert_eq!(names[2], HEART_RATE);
    }

    /// As it is kept in states on disks.
    const HEART_RATE: u64 = key("heart_rate");
}
