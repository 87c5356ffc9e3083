//! Keys that are planned, so that a file written for them gets a clear answer instead of "unknown field".

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// A key whose every value is an error. It can never be built, so an `Option` of it is always `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NotYet {}

impl<'de> Deserialize<'de> for NotYet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Err(D::Error::custom("this version of salus does not support this key yet: remove it"))
    }
}
