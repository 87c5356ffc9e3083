//! The `Prefer` header: what to return after a write, and how strict to be. Unknown preferences are ignored, as RFC 7240 asks.

use http::{HeaderMap, HeaderName};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a write answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Return {
    /// Headers only.
    Minimal,
    /// The resource.
    Representation,
    /// An OperationOutcome.
    Outcome,
}

/// What the caller prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefer {
    /// `return=..`, when stated.
    pub(crate) returns: Option<Return>,
    /// `handling=strict`, the default, or `lenient`.
    pub(crate) strict: bool,
}

impl Default for Prefer {
    fn default() -> Prefer {
        Prefer { returns: None, strict: true }
    }
}

impl Prefer {
    /// Reads all `Prefer` headers; the first statement of each preference counts.
    pub(crate) fn of(headers: &HeaderMap) -> Prefer {
        let mut prefer = Prefer::default();
        let mut handling = None;
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split([',', ';'])) {
            let Some((name, value)) = preference.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "return" => prefer.returns = prefer.returns.or_else(|| return_of(value)),
                "handling" => handling = handling.or(Some(!value.eq_ignore_ascii_case("lenient"))),
                _ => {}
            }
        }
        prefer.strict = handling.unwrap_or(true);
        prefer
    }
}

fn return_of(value: &str) -> Option<Return> {
    match value {
        "minimal" => Some(Return::Minimal),
        "representation" => Some(Return::Representation),
        "OperationOutcome" => Some(Return::Outcome),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &'static str, returns: Option<Return>, strict: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(PREFER, http::HeaderValue::from_static(value));
        assert_eq!(Prefer::of(&headers), Prefer { returns, strict }, "{value}");
    }

    #[test]
    fn preferences_are_read() {
        check("return=minimal", Some(Return::Minimal), true);
        check("return=OperationOutcome; handling=lenient", Some(Return::Outcome), false);
        check(
            "respond-async, handling=\"lenient\", return=representation",
            Some(Return::Representation),
            false,
        );
        check("return=everything", None, true);
        assert_eq!(Prefer::of(&HeaderMap::new()), Prefer::default());
    }
}
