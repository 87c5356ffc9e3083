//! Questions of the pages: query texts built from fields, parsed as strictly as any other.

use fhir::Kind;
use search::Query;

use super::PageAsk;
use crate::error::ServerError;
use crate::fhir::controls::{encode, pairs};

/// Rows of one page of a list.
pub(super) const ROWS: u32 = 50;

/// Parameters whose values tell nothing about who somebody is: a search by only these has an address that can be shared.
const SHAREABLE: [&str; 24] = [
    "_lastUpdated",
    "_sort",
    "_count",
    "_total",
    "_summary",
    "status",
    "category",
    "clinical-status",
    "verification-status",
    "class",
    "intent",
    "gender",
    "active",
    "priority",
    "code",
    "type",
    "vaccine-code",
    "value-quantity",
    "value-concept",
    "deceased",
    "population",
    "risk",
    "quality",
    "sdoh-category",
];

/// A query text of names and values.
pub(super) fn text_of<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let part = |(name, value): (&str, &str)| format!("{}={}", encode(name), encode(value));
    pairs.into_iter().map(part).collect::<Vec<String>>().join("&")
}

/// Parses a query over one type.
pub(super) fn parse(ask: &PageAsk, kind: Kind, text: &str) -> Result<Query, ServerError> {
    let options = search::Options::new(true, vec![ask.app.base().to_string()], ask.app.gate().now());
    Ok(search::parse(Some(kind), text, &options).map_err(ServerError::Query)?.query)
}

/// May a query stand in an address.
pub(super) fn is_shareable(text: &str) -> bool {
    pairs(text).all(|(name, _)| SHAREABLE.contains(&name.split(':').next().unwrap_or(&name)))
}

/// The first value of a name in a query text.
pub(super) fn value_in(text: &str, name: &str) -> Option<String> {
    pairs(text).find(|(n, _)| n == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_identify_stays_out_of_addresses() {
        assert!(is_shareable("code=http%3A%2F%2Floinc.org%7C4548-4&value-quantity=gt9&status:not=final"));
        let identifying = [
            "name=ng",
            "birthdate=1960",
            "identifier=7",
            "patient=Patient%2F1",
            "patient.name=x",
            "code=1&_id=2",
        ];
        for text in identifying {
            assert!(!is_shareable(text), "{text}");
        }
    }

    #[test]
    fn texts_are_built_and_read() {
        let text = text_of([("name:exact", "a b&c"), ("x", "1")]);
        assert_eq!(text, "name%3Aexact=a%20b%26c&x=1");
        assert_eq!(value_in(&text, "name:exact").as_deref(), Some("a b&c"));
        assert_eq!(value_in(&text, "y"), None);
    }
}
