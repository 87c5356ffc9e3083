//! A secret of the configuration: written as a reference, resolved once, never printed.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A password, token or signing key. In a file it is a reference, `${env:NAME}` or `${file:PATH}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that is known already.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Puts what `resolve` finds in the place of the reference.
    ///
    /// # Errors
    /// What `resolve` says.
    pub fn resolve<E>(&mut self, resolve: &dyn Fn(&str) -> Result<String, E>) -> Result<(), E> {
        self.0 = resolve(&self.0)?;
        Ok(())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.starts_with("${") && text.ends_with('}') {
            return Ok(Secret(text));
        }
        Err(D::Error::custom("a secret is not written into the file: use `${env:NAME}` or `${file:PATH}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_are_read() {
        let read = |text: &str| serde_json::from_value::<Secret>(serde_json::json!(text));
        assert_eq!(read("${env:X}").unwrap().reveal(), "${env:X}");
        assert!(read("hunter2").unwrap_err().to_string().contains("use `${env:NAME}`"));
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }
}
