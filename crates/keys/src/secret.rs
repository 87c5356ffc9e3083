//! Key bytes: wiped when dropped, never printed, compared in constant time.

use std::fmt;

use aes_gcm::aead::rand_core::{OsRng, RngCore};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::KeyId;

/// Bytes of every key.
pub(crate) const KEY_BYTES: usize = 32;

/// 256 secret bits.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret([u8; KEY_BYTES]);

impl Secret {
    /// Fresh bytes from the operating system.
    pub(crate) fn fresh() -> Secret {
        let mut secret = Secret([0; KEY_BYTES]);
        OsRng.fill_bytes(&mut secret.0);
        secret
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Secret> {
        bytes.try_into().ok().map(Secret)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// HMAC-SHA-256 of the parts, one after the other.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// A key for one use, so that no key is used for two algorithms.
    pub(crate) fn derive(&self, usage: &str) -> Secret {
        Secret(self.mac(&[b"salus/derive/1\0", usage.as_bytes()]))
    }

    /// The id of a root key, which shows whether it is the right one.
    pub(crate) fn id(&self) -> KeyId {
        let mac = self.mac(&[b"salus/key-id/1"]);
        KeyId(std::array::from_fn(|index| mac[index]))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_do_not_print() {
        let (a, b) = (Secret::fresh(), Secret::fresh());
        assert_ne!(a.bytes(), b.bytes());
        assert_ne!(a.id(), b.id());
        assert_eq!(format!("{a:?}"), "Secret(..)");
        assert_ne!(a.derive("seal").bytes(), a.derive("hmac").bytes());
    }

    #[test]
    fn dropping_wipes() {
        let mut secret = Secret::fresh();
        secret.zeroize();
        assert_eq!(secret.bytes(), &[0; KEY_BYTES]);
    }
}
