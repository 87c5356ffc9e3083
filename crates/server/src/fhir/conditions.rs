//! Conditions of a request: `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-None-Exist`.

use fhir::Instant;
use http::{HeaderMap, HeaderName, header};

use crate::error::ServerError;
use crate::http_date;

const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// The conditions, from headers or from an entry of a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// Write only when this version is stored.
    pub(crate) if_match: Option<u64>,
    /// Not again when one of these versions is stored.
    pub(crate) if_none_match: Vec<u64>,
    /// `If-None-Match: *`: only when nothing is stored.
    pub(crate) if_none_at_all: bool,
    /// Not again when nothing changed since.
    pub(crate) if_modified_since: Option<Instant>,
    /// Create only when this search finds nothing.
    pub(crate) if_none_exist: Option<String>,
}

impl Conditions {
    /// Of the headers of a request. An `If-Match` that cannot be read is an error: ignoring it would overwrite.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Conditions, ServerError> {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        Conditions::from_texts(
            text(header::IF_MATCH),
            text(header::IF_NONE_MATCH),
            text(header::IF_MODIFIED_SINCE),
            text(IF_NONE_EXIST),
        )
    }

    /// Of the four texts.
    pub(crate) fn from_texts(
        if_match: Option<&str>,
        if_none_match: Option<&str>,
        if_modified_since: Option<&str>,
        if_none_exist: Option<&str>,
    ) -> Result<Conditions, ServerError> {
        let if_match = match if_match {
            None => None,
            Some(text) => Some(etag_of(text).ok_or_else(|| ServerError::Header {
                name: "If-Match",
                why: "write the version as `W/\"3\"`".into(),
            })?),
        };
        let if_none_at_all = if_none_match.is_some_and(|text| text.trim() == "*");
        // A tag that is none of ours matches nothing: the full answer is right.
        let if_none_match =
            if_none_match.map_or(Vec::new(), |text| text.split(',').filter_map(etag_of).collect());
        let if_modified_since =
            if_modified_since.and_then(|text| http_date::parse(text).or_else(|| Instant::parse(text)));
        Ok(Conditions {
            if_match,
            if_none_match,
            if_none_at_all,
            if_modified_since,
            if_none_exist: if_none_exist.map(|text| query_of(text).to_string()),
        })
    }

    /// `If-None-Match` is for reads: passing over it would overwrite what it should protect.
    pub(crate) fn check_update(&self) -> Result<(), ServerError> {
        if self.if_none_at_all || !self.if_none_match.is_empty() {
            let why = "an update takes `If-Match`; a create takes `If-None-Exist`".into();
            return Err(ServerError::Header { name: "If-None-Match", why });
        }
        Ok(())
    }

    /// May the answer be 304 for a stored version. `If-None-Match` counts more than the time.
    pub(crate) fn unchanged(&self, version: u64, updated: Instant) -> bool {
        if self.if_none_at_all {
            return true;
        }
        if !self.if_none_match.is_empty() {
            return self.if_none_match.contains(&version);
        }
        // The header has whole seconds, so the stored time is compared by its second.
        self.if_modified_since
            .is_some_and(|since| updated.0.div_euclid(1_000_000) <= since.0.div_euclid(1_000_000))
    }
}

/// The query of `Patient?identifier=1`, `?identifier=1`, `identifier=1`.
fn query_of(text: &str) -> &str {
    text.split_once('?').map_or(text, |(_, query)| query)
}

/// The version of `W/"3"` or `"3"`.
pub(crate) fn etag_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    text.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(if_none_match: Option<&str>, since: Option<&str>, unchanged: bool) {
        let conditions = Conditions::from_texts(None, if_none_match, since, None).unwrap();
        assert_eq!(
            conditions.unchanged(3, Instant(784_111_777_500_000)),
            unchanged,
            "{if_none_match:?} {since:?}"
        );
    }

    #[test]
    fn versions_and_times_are_compared() {
        check(Some("W/\"3\""), None, true);
        check(Some("W/\"2\", W/\"3\""), None, true);
        check(Some("*"), None, true);
        check(Some("W/\"2\""), Some("Sun, 06 Nov 1994 08:49:37 GMT"), false);
        check(None, Some("Sun, 06 Nov 1994 08:49:37 GMT"), true);
        check(None, Some("Sun, 06 Nov 1994 08:49:36 GMT"), false);
        check(None, None, false);
    }

    #[test]
    fn an_unreadable_if_match_is_an_error() {
        for text in ["3", "W/3", "*", "W/\"x\""] {
            assert!(Conditions::from_texts(Some(text), None, None, None).is_err(), "{text}");
        }
        assert_eq!(Conditions::from_texts(Some("W/\"7\""), None, None, None).unwrap().if_match, Some(7));
    }

    #[test]
    fn the_query_of_if_none_exist_is_found() {
        for text in ["Patient?identifier=1", "?identifier=1", "identifier=1"] {
            assert_eq!(query_of(text), "identifier=1");
        }
    }
}
