//! A change that is worked out on the stored version, inside the transaction: nobody else's write comes between reading and writing.

use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;
use fhir::{Issue, Resource};

type Work = dyn Fn(&Resource) -> Result<Resource, Vec<Issue>> + Send + Sync;

/// Makes the next version of a resource out of the stored one, or says why it cannot be made. It may be asked more than once, when another
/// write comes first, and must answer the same for the same version.
#[derive(Clone)]
pub struct Amendment {
    work: Arc<Work>,
    references: Arc<[CompactString]>,
}

impl Amendment {
    /// Of the work, and the texts of references that it may put into the resource: those that name entries of the same transaction, or
    /// a condition, are resolved.
    pub fn new(
        references: Vec<CompactString>,
        work: impl Fn(&Resource) -> Result<Resource, Vec<Issue>> + Send + Sync + 'static,
    ) -> Amendment {
        Amendment { work: Arc::new(work), references: references.into() }
    }

    /// The same, with a check of what comes out: it is given the stored and the new version.
    #[must_use]
    pub fn checked(
        self,
        check: impl Fn(&Resource, &Resource) -> Vec<Issue> + Send + Sync + 'static,
    ) -> Amendment {
        let work = self.work;
        let both = move |stored: &Resource| {
            let new = work(stored)?;
            let issues = check(stored, &new);
            if issues.is_empty() { Ok(new) } else { Err(issues) }
        };
        Amendment { work: Arc::new(both), references: self.references }
    }

    /// Texts of references that it may put into the resource.
    pub fn references(&self) -> &[CompactString] {
        &self.references
    }

    pub(crate) fn of(&self, stored: &Resource) -> Result<Resource, Vec<Issue>> {
        (self.work)(stored)
    }
}

/// Patient data does not print.
impl fmt::Debug for Amendment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("amendment")
    }
}

/// Work can be compared only with itself.
impl PartialEq for Amendment {
    fn eq(&self, other: &Amendment) -> bool {
        Arc::ptr_eq(&self.work, &other.work)
    }
}
