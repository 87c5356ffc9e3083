//! Ids that the store gives: UUIDs of version 7, which rise with time so that neighbours in time are neighbours in the index.

use compact_str::{CompactString, ToCompactString};
use fhir::Instant;
use uuid::Uuid;

/// A fresh id. The 74 bits behind the time are random, so nobody can guess one.
pub(crate) fn fresh(now: Instant) -> CompactString {
    let random = *Uuid::new_v4().as_bytes();
    let mut bytes = [0u8; 10];
    // Two of the 16 bytes carry the fixed bits of version 4; these are left out.
    bytes[..6].copy_from_slice(&random[..6]);
    bytes[6..].copy_from_slice(&random[10..14]);
    let millis = u64::try_from(now.0.div_euclid(1_000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_compact_string()
}

/// A UUID written in the one canonical way: such ids are kept in 16 bytes.
pub(crate) fn uuid_of(id: &str) -> Option<Uuid> {
    let plain = id.len() == 36 && !id.bytes().any(|b| b.is_ascii_uppercase());
    if plain { Uuid::try_parse(id).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_rise_with_time_and_differ() {
        let (a, b, c) = (fresh(Instant(5_000_000)), fresh(Instant(5_000_000)), fresh(Instant(6_000_000)));
        assert!(a != b && a < c && b < c);
        for id in [&a, &b, &c] {
            assert!(fhir::is_id(id));
            assert_eq!(uuid_of(id).unwrap().to_string(), id.as_str());
        }
        assert_eq!(uuid_of("6F9619FF-8B86-D011-B42D-00C04FC964FF"), None);
        assert_eq!(uuid_of("6f9619ff8b86d011b42d00c04fc964ff"), None);
    }
}
