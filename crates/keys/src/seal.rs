//! The sealed format: a header that names format and key, then AES-256-GCM.
//!
//! ```text
//! "salus" | format 1 | algorithm 1 | key id (8) | nonce (12) | ciphertext | tag (16)
//! ```
//!
//! The header, the scope and the caller's additional data are authenticated with the text, so that nothing can be moved.

use aes_gcm::aead::rand_core::{OsRng, RngCore};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::{KeyError, KeyId};

const MAGIC: &[u8; 5] = b"salus";
const FORMAT: u8 = 1;
const AES_256_GCM: u8 = 1;
const NONCE_AT: usize = 15;

/// Bytes before the ciphertext.
pub const HEADER_BYTES: usize = 27;
/// By how much sealing lengthens a text.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + 16;

/// Longest text of one seal.
const PLAINTEXT_BYTES_MAX: usize = 1 << 30;

/// The text with a fresh nonce. A nonce is 96 random bits of the operating system: a seeded generator could repeat one, which breaks the
/// cipher. At most 2³² seals per key keep the chance of a repetition below 2⁻³²; rotate before.
pub(crate) fn seal(
    key: &Secret,
    id: KeyId,
    scope: &str,
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, KeyError> {
    if plaintext.len() > PLAINTEXT_BYTES_MAX {
        return Err(KeyError::TooLong { n_bytes: plaintext.len(), max: PLAINTEXT_BYTES_MAX });
    }
    let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&[FORMAT, AES_256_GCM]);
    sealed.extend_from_slice(&id.0);
    let mut nonce = [0u8; 12];
    OsRng.fill_bytes(&mut nonce);
    sealed.extend_from_slice(&nonce);
    let bound = bound(&sealed, scope, aad);
    let text = cipher(key)
        .encrypt(Nonce::from_slice(&nonce), Payload { msg: plaintext, aad: &bound })
        .expect("the length is within the limits of the cipher");
    sealed.extend_from_slice(&text);
    Ok(sealed)
}

/// The key that sealed it.
pub(crate) fn key_id_of(sealed: &[u8]) -> Result<KeyId, KeyError> {
    if sealed.len() < OVERHEAD_BYTES || !sealed.starts_with(MAGIC) || sealed[5..7] != [FORMAT, AES_256_GCM] {
        return Err(KeyError::UnknownFormat);
    }
    Ok(KeyId(std::array::from_fn(|index| sealed[7 + index])))
}

/// The text, if nothing was changed.
pub(crate) fn open(
    key: &Secret,
    scope: &str,
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    key_id_of(sealed)?;
    let (header, text) = sealed.split_at(HEADER_BYTES);
    let bound = bound(header, scope, aad);
    cipher(key)
        .decrypt(Nonce::from_slice(&header[NONCE_AT..]), Payload { msg: text, aad: &bound })
        .map(Zeroizing::new)
        .map_err(|_| KeyError::Tampered)
}

fn cipher(key: &Secret) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key.derive("seal").bytes()))
}

/// Scopes hold no zero byte, so the parts cannot run into each other.
fn bound(header: &[u8], scope: &str, aad: &[u8]) -> Vec<u8> {
    [header, scope.as_bytes(), &[0], aad].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const ID: KeyId = KeyId([9; 8]);

    fn key() -> Secret {
        Secret::from_slice(&[3; 32]).unwrap()
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(text in prop::collection::vec(any::<u8>(), 0..300), aad in prop::collection::vec(any::<u8>(), 0..40)) {
            let sealed = seal(&key(), ID, "a/b", &aad, &text).unwrap();
            prop_assert_eq!(sealed.len(), text.len() + OVERHEAD_BYTES);
            prop_assert_eq!(key_id_of(&sealed).unwrap(), ID);
            prop_assert_eq!(&*open(&key(), "a/b", &aad, &sealed).unwrap(), &text);
        }

        #[test]
        fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&key(), "a", b"", &bytes).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let sealed = seal(&key(), ID, "a", b"x", b"forty-two bytes of a text that is a secret").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key(), "a", b"x", &changed).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(&key(), "a", b"x", &sealed[..length]).is_err(), "{length}");
        }
        assert!(open(&key(), "a", b"x", &[&sealed[..], b"\0"].concat()).is_err());
    }

    #[test]
    fn another_place_or_format_is_refused() {
        let sealed = seal(&key(), ID, "a", b"x", b"text").unwrap();
        assert!(matches!(open(&key(), "a", b"y", &sealed), Err(KeyError::Tampered)));
        assert!(matches!(open(&key(), "b", b"x", &sealed), Err(KeyError::Tampered)));
        assert!(matches!(open(&Secret::fresh(), "a", b"x", &sealed), Err(KeyError::Tampered)));
        for (at, byte) in [(0, b'S'), (5, 2), (6, 2)] {
            let mut other = sealed.clone();
            other[at] = byte;
            assert!(matches!(open(&key(), "a", b"x", &other), Err(KeyError::UnknownFormat)));
        }
    }

    #[test]
    fn no_nonce_in_a_hundred_thousand_is_used_twice() {
        let mut seen = HashSet::new();
        for _ in 0..100_000 {
            let sealed = seal(&key(), ID, "a", b"", b"").unwrap();
            assert!(seen.insert(sealed[NONCE_AT..HEADER_BYTES].to_vec()));
        }
    }
}
