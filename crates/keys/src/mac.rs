//! Keyed hashes with domain separation, for pseudonyms and date shifts.

use std::fmt;

use crate::secret::{KEY_BYTES, Secret};

/// A key for HMAC-SHA-256. Cheap to clone; wiped when dropped.
#[derive(Clone)]
pub struct HmacKey(Secret);

impl HmacKey {
    /// A key that the caller keeps, such as one of a secret file.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> HmacKey {
        HmacKey(Secret::from_slice(&bytes).expect("the length is the type's"))
    }

    pub(crate) fn derived(data_key: &Secret) -> HmacKey {
        HmacKey(data_key.derive("hmac"))
    }

    /// `HMAC(key, domain ‖ 0 ‖ input)`. The domain is a constant of the program, without a zero byte, so that no two domains can be
    /// made to agree by a chosen input.
    pub fn mac(&self, domain: &str, input: &[u8]) -> [u8; 32] {
        debug_assert!(!domain.contains('\0'), "a domain is a constant without zero bytes");
        self.0.mac(&[domain.as_bytes(), &[0], input])
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_separate() {
        let key = HmacKey::from_bytes([7; 32]);
        assert_eq!(key.mac("a", b"x"), key.mac("a", b"x"));
        assert_ne!(key.mac("a", b"x"), key.mac("b", b"x"));
        assert_ne!(key.mac("a", b"bx"), key.mac("ab", b"x"));
        assert_ne!(key.mac("a", b"x"), HmacKey::from_bytes([8; 32]).mac("a", b"x"));
        assert_eq!(format!("{key:?}"), "HmacKey(..)");
    }
}
