//! Is a resource what R4 says it must be: `check` gives every issue with its place, and never changes the resource.
//!
//! [`Level::Basic`] is what a store needs to make sense of a resource: known elements, the right JSON types, primitive formats, one type
//! per choice. [`Level::Full`] adds cardinality, required bindings, types of reference targets, rules of contained resources, and the
//! invariants of R4. A bundle's entries are checked as resources of their own. Not supported: profiles (`meta.profile` is not looked at),
//! codes of systems that R4 itself does not list (SNOMED CT, LOINC, UCUM), and whether a reference leads to something that is stored.
//!
//! ```
//! use fhir::{Resource, json::Limits};
//! use validate::{Level, check};
//! let text = br#"{"resourceType":"Patient","contact":[{"gender":"mael"}]}"#;
//! let issues = check(&Resource::parse(text, &Limits::default()).unwrap(), Level::Full);
//! assert_eq!(issues[0].slug, "code-not-in-value-set");
//! assert_eq!(issues[0].expression.as_deref(), Some("Patient.contact[0].gender"));
//! ```

mod binding;
mod contained;
mod distinct;
mod info;
mod invariant;
mod place;
mod primitive;
mod reference;
mod rules;
mod walk;
mod xhtml;

use fhir::{Issue, Resource};

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Known elements, JSON types, primitive formats, choice types.
    Basic,
    /// Also cardinality, empty objects and arrays, required bindings, reference targets, contained resources, invariants.
    Full,
}

/// Most errors, and most warnings, that are reported of one resource; one more says that there are others.
pub const ISSUES_MAX: usize = 200;

/// What is wrong with a resource; nothing when all is well. Each issue has a FHIRPath `expression`.
pub fn check(resource: &Resource, level: Level) -> Vec<Issue> {
    walk::Walk::new(level).root(resource)
}
