//! Secrets: 256 random bits shown once, of which only the SHA-256 is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use sha2::{Digest, Sha256};

/// What is kept of a secret. A plain hash is enough: the secret has 256 random bits, so there is nothing to guess.
pub(crate) type Hash = [u8; 32];

/// A secret that a person or a machine carries. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A fresh secret. The prefix lets scanners of source code find a leaked one.
    pub(crate) fn fresh(prefix: &str, rng: &mut dyn RngCore) -> Secret {
        let mut bytes = [0u8; 32];
        rng.fill_bytes(&mut bytes);
        Secret(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The hash under which a secret is found again.
pub(crate) fn hash_of(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// Compares without telling by its time how many bytes agree.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0u8, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_do_not_print() {
        let mut rng = rand::rng();
        let (a, b) = (Secret::fresh("salus_", &mut rng), Secret::fresh("salus_", &mut rng));
        assert_ne!(a, b);
        assert_eq!(a.reveal().len(), "salus_".len() + 43);
        assert_eq!(format!("{a:?}"), "Secret(..)");
        assert_ne!(hash_of(a.reveal()), hash_of(b.reveal()));
        assert!(same(b"ab", b"ab") && !same(b"ab", b"ac") && !same(b"ab", b"abc"));
    }
}
