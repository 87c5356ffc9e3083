//! Keyed pseudonyms: the same identifier in the same domain under the same key has the same code, and nothing else connects them.

use keys::HmacKey;

use crate::PrivacyError;
use crate::encode::base32;

const DOMAIN: &str = "salus/pseudonym/v1";
const NAME_BYTES_MAX: usize = 64;
/// 128 bits: no two of a trillion identifiers meet.
const CODE_BYTES: usize = 16;

/// Pseudonyms of one domain, such as `patient`.
#[derive(Clone, Debug)]
pub struct Pseudonyms {
    key: HmacKey,
    domain: String,
}

impl Pseudonyms {
    /// Pseudonyms under a key. Take a key per project (scope `pseudonym/<project>`), so that releases do not link.
    pub fn new(key: HmacKey, domain: &str) -> Result<Pseudonyms, PrivacyError> {
        check_name(domain)?;
        Ok(Pseudonyms { key, domain: domain.to_owned() })
    }

    /// 26 characters of a-z and 2-7.
    pub fn of(&self, id: &str) -> String {
        let input = [self.domain.as_bytes(), &[0], id.as_bytes()].concat();
        base32(&self.key.mac(DOMAIN, &input)[..CODE_BYTES])
    }
}

/// Names of projects and domains stand in front of identifiers in hashes, so they hold no separators.
pub(crate) fn check_name(name: &str) -> Result<(), PrivacyError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.starts_with('.') || !name.bytes().all(allowed) {
        return Err(PrivacyError::BadName(name.chars().take(NAME_BYTES_MAX).collect()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_reference_program() {
        let key = HmacKey::from_bytes(std::array::from_fn(|n| n as u8));
        let check = |domain: &str, expected: &str| {
            assert_eq!(Pseudonyms::new(key.clone(), domain).unwrap().of("P000000001"), expected);
        };
        check("patient", "3zahiln2mvnqhpsm6ah4v2iqva");
        check("encounter", "gfxexziatf5whpnbupw7zixzju");
    }

    #[test]
    fn names_hold_no_separators() {
        for name in ["", "a\0b", "A", "a/b", "..", ".a", "a b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        check_name("study-7.v2").unwrap();
    }
}
