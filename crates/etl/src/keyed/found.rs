//! Keys that were gathered, to be looked up: in the table in which they came, packed in memory, or in a file.

use super::run::Run;
use super::{Key, Known, Shard, Share, key_of, shard_of};
use crate::EtlError;

/// Keys of a bucket of packed ones, about.
const KEYS_OF_A_BUCKET: u64 = 8;
const BUCKET_BITS_MAX: u32 = 28;
/// Packed keys may take all of the pool but this part.
const LEFT_PARTS: u64 = 4;

/// Keys that were gathered.
pub(crate) struct Found<V> {
    n_keys: u64,
    at: At<V>,
    _share: Share,
}

enum At<V> {
    Table(Vec<Shard<V>>),
    Packed(Packed<V>),
    File(Run<V>),
}

impl<V: Known> Found<V> {
    pub(super) fn of_table(shards: Vec<Shard<V>>, share: Share) -> Found<V> {
        let n_keys = shards.iter().map(|shard| shard.len() as u64).sum();
        Found { n_keys, at: At::Table(shards), _share: share }
    }

    /// Into memory, when there is as much.
    pub(super) fn of_run(run: Run<V>, mut share: Share) -> Result<Found<V>, EtlError> {
        let n_keys = run.n();
        let bytes = Packed::<V>::bytes(n_keys);
        let bytes_max = share.pool().bytes_max();
        let fits = bytes <= bytes_max - bytes_max / LEFT_PARTS && share.resize(bytes);
        let at = if fits { At::Packed(Packed::of(&run)?) } else { At::File(run) };
        Ok(Found { n_keys, at, _share: share })
    }

    /// Different keys.
    pub(crate) fn n_keys(&self) -> u64 {
        self.n_keys
    }

    /// What is known of a key.
    #[inline]
    pub(crate) fn get(&self, hash: u128) -> Result<Option<V>, EtlError> {
        let key = key_of(hash);
        match &self.at {
            At::Table(shards) => Ok(shards[shard_of(key)].get(&key).copied()),
            At::Packed(packed) => Ok(packed.get(key)),
            At::File(run) => run.get(key),
        }
    }

    /// Whether looking up reads a file.
    #[cfg(test)]
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self.at, At::File(_))
    }
}

/// Keys in buckets by their first bits; of each the second half is kept.
struct Packed<V> {
    bucket_bits: u32,
    starts: Vec<u32>,
    halves: Vec<u64>,
    values: Vec<V>,
}

impl<V: Known> Packed<V> {
    fn bucket_bits(n_keys: u64) -> u32 {
        (n_keys / KEYS_OF_A_BUCKET).max(1).ilog2().min(BUCKET_BITS_MAX)
    }

    fn bytes(n_keys: u64) -> u64 {
        if u32::try_from(n_keys).is_err() {
            return u64::MAX;
        }
        n_keys * (8 + size_of::<V>() as u64) + (4 << Packed::<V>::bucket_bits(n_keys))
    }

    fn of(run: &Run<V>) -> Result<Packed<V>, EtlError> {
        let n_keys = run.n() as usize;
        let bucket_bits = Packed::<V>::bucket_bits(run.n());
        let mut starts = Vec::with_capacity((1 << bucket_bits) + 1);
        let (mut halves, mut values) = (Vec::with_capacity(n_keys), Vec::with_capacity(n_keys));
        for entry in run.read() {
            let (key, value) = entry?;
            while starts.len() <= bucket_of(key, bucket_bits) {
                starts.push(u32::try_from(halves.len()).unwrap_or(u32::MAX));
            }
            halves.push(key[1]);
            values.push(value);
        }
        starts.resize((1 << bucket_bits) + 1, u32::try_from(n_keys).unwrap_or(u32::MAX));
        Ok(Packed { bucket_bits, starts, halves, values })
    }

    #[inline]
    fn get(&self, key: Key) -> Option<V> {
        let bucket = bucket_of(key, self.bucket_bits);
        let rows = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        let at = self.halves[rows.clone()].iter().position(|half| *half == key[1])?;
        Some(self.values[rows.start + at])
    }
}

#[inline]
fn bucket_of(key: Key, bucket_bits: u32) -> usize {
    key[0].checked_shr(64 - bucket_bits).unwrap_or(0) as usize
}
