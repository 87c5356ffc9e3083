//! What is known of each of many keys, in memory that does not grow with their number: keys are 128-bit hashes with a small value, and
//! what does not fit is sorted into files of the scratch folder. Knows nothing of rows.
//!
//! Two different keys have the same hash with a chance of 2⁻¹²⁸ times the number of pairs; among keys that were brought back into
//! memory (`found.rs`) it is 2⁻⁸⁰ or less: never, for any number of keys that fits on a disk.

mod filter;
mod found;
mod pool;
mod run;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::EtlError;
use filter::Filter;
use run::Run;

pub(crate) use found::Found;
pub(crate) use pool::{Pool, Share};

/// A hash in halves: a `u128` would be aligned to 16 bytes. In the order of the number.
type Key = [u64; 2];

/// Tables by the first bits of the hash: they grow one after another, and one after another they are sorted.
const SHARDS: usize = 64;
/// Slots of a new shard, as a power of two.
const SLOT_BITS_MIN: u32 = 4;
/// One table takes at most this part of the pool; keys that others gather need the rest.
const TABLE_PARTS: u64 = 8;
/// Each table may have this part of the pool, whatever others took: else it would go to disk a handful of keys at a time.
const ASSURED_PARTS: u64 = 64;
/// So many files of one size become one of the next size: few where keys are looked for in them.
const RUNS_OF_A_TIER: usize = 32;
const RUNS_OF_A_TIER_ASKED: usize = 8;

/// Takes a hash for what it is: it is one already.
#[derive(Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Arrays of integers come as their bytes; the last half is as good as the first.
        if let Some(last) = bytes.last_chunk::<8>() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    fn write_usize(&mut self, _len: usize) {}

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

type Shard<V> = HashMap<Key, V, BuildHasherDefault<AsIs>>;

/// What is known of a key. Which of two is merged into which must not matter.
pub(crate) trait Known: Copy + Send + Sync + 'static {
    /// Bytes in a file, at most [`run::VALUE_BYTES_MAX`].
    const BYTES: usize;
    /// Adds what else is known of the same key.
    fn merge(&mut self, other: Self);
    /// As bytes.
    fn write(self, bytes: &mut [u8]);
    /// From bytes.
    fn read(bytes: &[u8]) -> Self;
}

/// That it is there.
impl Known for () {
    const BYTES: usize = 0;

    fn merge(&mut self, (): ()) {}

    fn write(self, _bytes: &mut [u8]) {}

    fn read(_bytes: &[u8]) {}
}

/// Bits, of which all that were ever set stay.
impl Known for u32 {
    const BYTES: usize = 4;

    fn merge(&mut self, other: u32) {
        *self |= other;
    }

    fn write(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> u32 {
        bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

/// The greatest rank, and the last number that has it.
impl Known for (i64, u64) {
    const BYTES: usize = 16;

    fn merge(&mut self, other: (i64, u64)) {
        *self = other.max(*self);
    }

    fn write(self, bytes: &mut [u8]) {
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        bytes[8..].copy_from_slice(&self.1.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> (i64, u64) {
        let half = |at: usize| bytes[at..].first_chunk().copied().unwrap_or_default();
        (i64::from_le_bytes(half(0)), u64::from_le_bytes(half(8)))
    }
}

/// Keys that are being gathered.
pub(crate) struct Keyed<V> {
    pool: Arc<Pool>,
    share: Share,
    shards: Vec<Shard<V>>,
    /// Slots of a shard, as a power of two.
    slot_bits: u32,
    n_held: usize,
    /// The largest first; those of one tier stand together.
    runs: Vec<(u8, Run<V>)>,
    /// Says at once of most keys that no file has them. Only when somebody asks.
    filter: Option<Filter>,
    is_asked: bool,
    n_new: u64,
}

fn key_of(hash: u128) -> Key {
    [(hash >> 64) as u64, hash as u64]
}

fn shard_of(key: Key) -> usize {
    (key[0] >> 58) as usize
}

fn held_max(slot_bits: u32) -> usize {
    // The table of the standard library doubles at seven eighths; some shards get more than others.
    SHARDS * ((1 << slot_bits) * 4 / 5)
}

impl<V: Known> Keyed<V> {
    /// None yet.
    pub(crate) fn new(pool: &Arc<Pool>) -> Keyed<V> {
        let mut share = pool.share();
        share.insist(Keyed::<V>::table_bytes(SLOT_BITS_MIN));
        Keyed {
            pool: Arc::clone(pool),
            share,
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            slot_bits: SLOT_BITS_MIN,
            n_held: 0,
            runs: Vec::new(),
            filter: None,
            is_asked: false,
            n_new: 0,
        }
    }

    fn table_bytes(slot_bits: u32) -> u64 {
        ((SHARDS << slot_bits) * (size_of::<(Key, V)>() + 1)) as u64
    }

    /// Adds a key, and says whether it is new. The keys of one gathering are all put, or all added.
    #[inline]
    pub(crate) fn put(&mut self, hash: u128, value: V) -> Result<bool, EtlError> {
        let key = key_of(hash);
        self.is_asked = true;
        match self.shards[shard_of(key)].entry(key) {
            Entry::Occupied(mut held) => {
                held.get_mut().merge(value);
                return Ok(false);
            }
            Entry::Vacant(free) => {
                free.insert(value);
            }
        }
        let is_new = match &self.filter {
            Some(filter) if filter.may_have(key) => !self.is_in_a_file(key)?,
            _ => true,
        };
        self.n_new += u64::from(is_new);
        self.held_one_more()?;
        Ok(is_new)
    }

    /// Adds a key, wherever else it may be.
    #[inline]
    pub(crate) fn add(&mut self, hash: u128, value: V) -> Result<(), EtlError> {
        let key = key_of(hash);
        match self.shards[shard_of(key)].entry(key) {
            Entry::Occupied(mut held) => {
                held.get_mut().merge(value);
                Ok(())
            }
            Entry::Vacant(free) => {
                free.insert(value);
                self.held_one_more()
            }
        }
    }

    /// There are at least so many different keys; exactly so many, where all were put.
    pub(crate) fn n_keys_min(&self) -> u64 {
        let of_files = self.runs.iter().map(|(_, run)| run.n()).max().unwrap_or(0);
        self.n_new.max(of_files).max(self.n_held as u64)
    }

    fn is_in_a_file(&self, key: Key) -> Result<bool, EtlError> {
        // The largest first: it has most of them.
        for (_, run) in &self.runs {
            if run.get(key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[inline]
    fn held_one_more(&mut self) -> Result<(), EtlError> {
        self.n_held += 1;
        if self.n_held < held_max(self.slot_bits) { Ok(()) } else { self.make_room() }
    }

    /// A larger table as long as there is memory for one; then a file.
    fn make_room(&mut self) -> Result<(), EtlError> {
        let larger = Keyed::<V>::table_bytes(self.slot_bits + 1);
        if larger <= self.pool.bytes_max() / ASSURED_PARTS {
            self.share.insist(larger);
        } else if larger > self.pool.bytes_max() / TABLE_PARTS || !self.share.resize(larger) {
            return self.spill();
        }
        self.slot_bits += 1;
        Ok(())
    }

    fn spill(&mut self) -> Result<(), EtlError> {
        if self.is_asked {
            self.make_filter()?;
        }
        let mut out = Run::writer(self.pool.scratch(), self.n_held as u64)?;
        for shard in &mut self.shards {
            // The table stays as large as it is, for the next keys.
            let mut part: Vec<(Key, V)> = shard.drain().collect();
            part.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in part {
                if let Some(filter) = &mut self.filter {
                    filter.add(key);
                }
                out.push(key, value)?;
            }
        }
        self.n_held = 0;
        self.runs.push((0, out.finish()?));
        let n_max = if self.is_asked { RUNS_OF_A_TIER_ASKED } else { RUNS_OF_A_TIER };
        while let Some((tier, _)) = self.runs.last() {
            let tier = *tier;
            let first = self.runs.iter().position(|(other, _)| *other == tier).unwrap_or(0);
            if self.runs.len() - first < n_max {
                break;
            }
            let merged = run::merged(self.pool.scratch(), self.runs[first..].iter().map(|(_, run)| run))?;
            self.runs.truncate(first);
            self.runs.push((tier + 1, merged));
        }
        Ok(())
    }

    /// A filter with room for the keys in files and in memory; a larger one is filled from the files.
    fn make_filter(&mut self) -> Result<(), EtlError> {
        let n_after = self.runs.iter().map(|(_, run)| run.n()).sum::<u64>() + self.n_held as u64;
        if self.filter.as_ref().is_some_and(|filter| !filter.is_too_small(n_after)) {
            return Ok(());
        }
        let mut filter = match Filter::larger(self.filter.take(), n_after, &self.pool) {
            Ok(larger) => larger,
            Err(as_large_as_can_be) => {
                self.filter = Some(as_large_as_can_be);
                return Ok(());
            }
        };
        for (_, run) in &self.runs {
            for entry in run.read() {
                filter.add(entry?.0);
            }
        }
        self.filter = Some(filter);
        Ok(())
    }

    /// No more keys will come.
    pub(crate) fn finish(mut self) -> Result<Found<V>, EtlError> {
        self.filter = None;
        if self.runs.is_empty() {
            return Ok(Found::of_table(self.shards, self.share));
        }
        self.is_asked = false;
        if self.n_held > 0 {
            self.spill()?;
        }
        self.shards = Vec::new();
        self.share.resize(0);
        let run = match self.runs.len() {
            1 => self.runs.remove(0).1,
            _ => run::merged(self.pool.scratch(), self.runs.iter().map(|(_, run)| run))?,
        };
        Found::of_run(run, self.share)
    }
}
