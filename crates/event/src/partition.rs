//! Which partition an event belongs to, as Kafka's producers compute it, so that an order per patient survives a move between logs.

use crate::{Data, Event};

/// Murmur2 with Kafka's seed.
pub fn murmur2(key: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let len = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let mut hash = 0x9747_b28c_u32 ^ len;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    i32::from_ne_bytes((hash ^ (hash >> 15)).to_ne_bytes())
}

/// The partition of a key among `n_partitions` (at least 1), as Kafka's default partitioner finds it.
pub fn partition_of(key: &str, n_partitions: u32) -> u32 {
    let positive = u32::from_ne_bytes((murmur2(key.as_bytes()) & 0x7fff_ffff).to_ne_bytes());
    positive % n_partitions.max(1)
}

impl Event {
    /// The key that its partition is computed of: tenant and canonical patient, or tenant and population.
    pub fn key(&self, tenant: &str) -> String {
        match (&self.patient, &self.data) {
            (Some(patient), _) => key_of(tenant, patient),
            (None, Data::Population(count)) => {
                let region = self.region.as_deref().unwrap_or("");
                key_of(tenant, &format!("population:{}@{region}", count.measure))
            }
            (None, _) => key_of(tenant, &format!("source:{}", self.source)),
        }
    }
}

/// Stands between tenant and subject in a key, and in neither of them.
pub const KEY_SEPARATOR: char = '\u{1f}';

/// The key of a tenant's patient or population.
pub fn key_of(tenant: &str, subject: &str) -> String {
    format!("{tenant}{KEY_SEPARATOR}{subject}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Kafka's own tests.
    #[test]
    fn kafka_computes_the_same() {
        let check = |key: &str, expected| assert_eq!(murmur2(key.as_bytes()), expected, "{key}");
        check("21", -973_932_308);
        check("foobar", -790_332_482);
        check("a-little-bit-long-string", -985_981_536);
        check("a-little-bit-longer-string", -1_486_304_829);
        check("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971);
        check("abc", 479_470_107);
        assert_eq!(partition_of("abc", 10), 7);
        assert_eq!(partition_of("21", 1), 0);
    }
}
