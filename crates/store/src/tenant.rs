//! Whose data it is. A tenant comes from the principal, never from content, and leads every key.

use std::fmt;
use std::sync::Arc;

/// The name of a tenant. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// The tenant of an installation that has only one.
    pub fn main() -> Tenant {
        Tenant::new("main")
    }

    /// A tenant by name.
    pub fn new(name: &str) -> Tenant {
        Tenant(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
