//! Keyed hashes: what stands in the index instead of text. The key is random per database (decision 2).

use compact_str::CompactString;
use rusqlite::types::Value;
use siphasher::sip::SipHasher13;

use crate::id::uuid_of;

/// The key of a database.
#[derive(Clone, Copy)]
pub(crate) struct HashKey(u64, u64);

impl HashKey {
    /// A key of its 16 bytes.
    pub(crate) fn of(bytes: [u8; 16]) -> HashKey {
        let (a, b) = bytes.split_at(8);
        let number =
            |half: &[u8]| u64::from_le_bytes(half.try_into().expect("16 bytes have two halves of 8"));
        HashKey(number(a), number(b))
    }

    /// Hash of one text.
    pub(crate) fn text(self, text: &str) -> i64 {
        SipHasher13::new_with_keys(self.0, self.1).hash(text.as_bytes()).cast_signed()
    }

    /// Hash of several texts; where one ends and the next begins counts.
    pub(crate) fn texts(self, parts: &[&str]) -> i64 {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        SipHasher13::new_with_keys(self.0, self.1).hash(&bytes).cast_signed()
    }

    /// Where a resource stands in the key table. Ids that rise with time stay neighbours; the hash keeps anybody from making many ids
    /// that share one place.
    pub(crate) fn place(self, t: u32, id: &str) -> i64 {
        let mut bytes = [0u8; 68];
        bytes[..4].copy_from_slice(&t.to_le_bytes());
        let text = id.as_bytes();
        let n = text.len().min(64);
        bytes[4..4 + n].copy_from_slice(&text[..n]);
        let hash = SipHasher13::new_with_keys(self.0, self.1).hash(&bytes[..4 + n]);
        match uuid_of(id).filter(|uuid| uuid.get_version_num() == 7) {
            Some(uuid) => {
                let time = u64::from_be_bytes(uuid.as_bytes()[..8].try_into().expect("a UUID has 16 bytes"));
                ((time & !0xFFFF) | (hash & 0xFFFF)).cast_signed()
            }
            None => hash.cast_signed(),
        }
    }
}

/// An id as it is stored.
pub(crate) fn id_value(id: &str) -> Value {
    match uuid_of(id) {
        Some(uuid) => Value::Blob(uuid.as_bytes().to_vec()),
        None => Value::Text(id.to_owned()),
    }
}

/// A stored id as text.
pub(crate) fn id_text(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<CompactString> {
    use compact_str::ToCompactString;
    use rusqlite::types::ValueRef;
    match row.get_ref(at)? {
        ValueRef::Blob(bytes) if bytes.len() == 16 => {
            let uuid = uuid::Uuid::from_slice(bytes).expect("16 bytes are a UUID");
            Ok(uuid.to_compact_string())
        }
        other => Ok(CompactString::from(other.as_str()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_depend_on_the_key_and_on_where_parts_end() {
        let (a, b) = (HashKey::of([1; 16]), HashKey::of([2; 16]));
        assert_ne!(a.text("x"), b.text("x"));
        assert_ne!(a.texts(&["ab", "c"]), a.texts(&["a", "bc"]));
        assert_eq!(a.texts(&["ab", "c"]), a.texts(&["ab", "c"]));
    }

    #[test]
    fn ids_of_one_time_are_neighbours() {
        let key = HashKey::of([7; 16]);
        let ids: Vec<_> =
            (0..50).map(|i| crate::id::fresh(fhir::Instant(1_800_000_000_000_000 + i * 1_000))).collect();
        let places: Vec<i64> = ids.iter().map(|id| key.place(1, id)).collect();
        assert!(places.is_sorted());
        assert_ne!(key.place(1, &ids[0]), key.place(2, &ids[0]));
        assert_ne!(key.place(1, "a"), key.place(1, "b"));
    }
}
