//! Checks of a resource before it is written.

use fhir::{Issue, Resource, Severity};

/// How strictly resources are checked on write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Validation {
    /// Only that it is a resource: JSON, a known type, a legal id.
    Off,
    /// Also structure: known elements, types, formats; not how often, not codes.
    Basic,
    /// Also cardinality, required bindings and reference types.
    #[default]
    Full,
}

/// What is wrong with a resource; warnings are left out, they do not stop a write.
pub(crate) fn errors_of(resource: &Resource, level: Validation) -> Vec<Issue> {
    let mut issues = all_issues(resource, level);
    issues.retain(|issue| matches!(issue.severity, Severity::Fatal | Severity::Error));
    issues
}

fn all_issues(resource: &Resource, level: Validation) -> Vec<Issue> {
    match level {
        Validation::Off => Vec::new(),
        Validation::Basic => validate::check(resource, validate::Level::Basic),
        Validation::Full => validate::check(resource, validate::Level::Full),
    }
}
