//! Addresses of pages, in one place: what links to a page and what serves it cannot drift apart.

use fhir::uri::encode;

/// The overview.
pub const OVERVIEW: &str = "/";
/// The list of patients; a `POST` filters it.
pub const PATIENTS: &str = "/patients";
/// Search over all types; a `POST` searches.
pub const SEARCH: &str = "/search";
/// The audit ledger.
pub const AUDIT: &str = "/audit";
/// Settings and tokens.
pub const SETTINGS: &str = "/settings";
/// Where the search field of the bar is sent.
pub const FIND: &str = "/find";
/// Where another purpose of use is chosen.
pub const PURPOSE: &str = "/purpose";
/// Where tokens are created.
pub const TOKENS: &str = "/settings/tokens";
/// Where sign-in links for people are created.
pub const LINKS: &str = "/settings/links";
/// Where a set-up link leads; a `POST` uses it up.
pub const SIGN_IN: &str = "/auth/link";
/// Where signing out is sent.
pub const SIGN_OUT: &str = "/auth/sign-out";

/// Page of a patient.
pub fn patient(id: &str) -> String {
    format!("{PATIENTS}/{}", encode(id))
}

/// Page of a resource.
pub fn resource(kind: &str, id: &str) -> String {
    format!("/resources/{}/{}", encode(kind), encode(id))
}

/// Search page with a type chosen.
pub fn search_of(kind: &str) -> String {
    format!("{SEARCH}?type={}", encode(kind))
}

/// Where a token is revoked.
pub fn revoke(token: &str) -> String {
    format!("{TOKENS}/{}/revoke", encode(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_encoded() {
        assert_eq!(resource("Patient", "a-1.b"), "/resources/Patient/a-1.b");
        assert_eq!(patient("a b"), "/patients/a%20b");
    }
}
