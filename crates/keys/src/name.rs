//! Names: what a key is for, and which key it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::KeyError;

const SCOPE_BYTES_MAX: usize = 128;

/// What a key is for, such as `vault/study-7`. Names of people do not belong here: scopes are listed by `salus keys status`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

impl Scope {
    /// Checks the name.
    pub fn new(name: impl Into<String>) -> Result<Scope, KeyError> {
        let name = name.into();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/".contains(&b);
        if name.is_empty() || name.len() > SCOPE_BYTES_MAX || !name.bytes().all(allowed) {
            return Err(KeyError::BadScope(name.chars().take(SCOPE_BYTES_MAX).collect()));
        }
        Ok(Scope(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Scope {
    type Error = KeyError;
    fn try_from(name: String) -> Result<Scope, KeyError> {
        Scope::new(name)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.0
    }
}

/// Which key: 8 bytes, written as 16 hexadecimal digits. It says nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(pub(crate) [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<KeyId, Self::Err> {
        const WRONG: &str = "a key id is 16 hexadecimal digits";
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 16 || !text.bytes().all(lower) {
            return Err(WRONG);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| WRONG)?;
        Ok(KeyId(number.to_be_bytes()))
    }
}

impl TryFrom<String> for KeyId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<KeyId, Self::Error> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_plain_names() {
        let check = |name: &str, good| assert_eq!(Scope::new(name).is_ok(), good, "{name}");
        check("vault/study-7", true);
        check("a", true);
        check(&"a".repeat(128), true);
        check(&"a".repeat(129), false);
        for name in ["", "Vault", "a b", "a\0b", "ä"] {
            check(name, false);
        }
    }

    #[test]
    fn ids_are_written_and_read() {
        let id = KeyId([0, 1, 2, 253, 254, 255, 16, 32]);
        assert_eq!(id.to_string(), "000102fdfeff1020");
        assert_eq!("000102fdfeff1020".parse(), Ok(id));
        for text in ["", "000102fdfeff102", "000102FDFEFF1020", "+00102fdfeff1020"] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
