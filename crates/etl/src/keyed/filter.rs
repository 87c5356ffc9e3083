//! Says of most keys at once that they are not among those that were added: four bits of one word per key.

use std::sync::Arc;

use super::{Key, Pool, Share};

/// With so many keys a word, about one key in a hundred that was not added seems to be there.
const KEYS_OF_A_WORD: u64 = 6;
const WORD_BYTES: u64 = 8;
/// Parts of the pool: the first size, and the last.
const FIRST_PARTS: u64 = 64;
const LAST_PARTS: u64 = 8;

pub(super) struct Filter {
    words: Vec<u64>,
    share: Share,
}

impl Filter {
    pub(super) fn is_too_small(&self, n_keys: u64) -> bool {
        self.words.len() as u64 * KEYS_OF_A_WORD < n_keys
    }

    /// An empty filter for so many keys, or as many as memory allows. `Err` is the one that was there, when it cannot be larger.
    pub(super) fn larger(known: Option<Filter>, n_keys: u64, pool: &Arc<Pool>) -> Result<Filter, Filter> {
        let first = (pool.bytes_max() / FIRST_PARTS / WORD_BYTES).max(64);
        let last = (pool.bytes_max() / LAST_PARTS / WORD_BYTES).max(64);
        let n_known = known.as_ref().map_or(0, |filter| filter.words.len() as u64);
        let mut n_words = first;
        while n_words * KEYS_OF_A_WORD < n_keys && n_words * 2 <= last {
            n_words *= 2;
        }
        let mut share = match known {
            Some(known) if n_words <= n_known => return Err(known),
            Some(mut known) => {
                if !known.share.resize(n_words * WORD_BYTES) {
                    return Err(known);
                }
                known.share
            }
            None => pool.share(),
        };
        if n_known == 0 && !share.resize(n_words * WORD_BYTES) {
            n_words = first;
            share.insist(n_words * WORD_BYTES);
        }
        Ok(Filter { words: vec![0; usize::try_from(n_words).unwrap_or(64)], share })
    }

    pub(super) fn add(&mut self, key: Key) {
        let (word, bits) = self.place(key);
        self.words[word] |= bits;
    }

    #[inline]
    pub(super) fn may_have(&self, key: Key) -> bool {
        let (word, bits) = self.place(key);
        self.words[word] & bits == bits
    }

    #[inline]
    fn place(&self, key: Key) -> (usize, u64) {
        let word = (u128::from(key[0]) * self.words.len() as u128) >> 64;
        let bit = |n: u32| 1_u64 << (key[1] >> (n * 6) & 63);
        (word as usize, bit(0) | bit(1) | bit(2) | bit(3))
    }
}
