//! Literal references: what the text of `Reference.reference` points at.

use crate::Kind;

/// What a reference text says, before anybody looks whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `Patient/42`, `Patient/42/_history/3`: on the server that holds the text.
    Local {
        /// Type.
        kind: Kind,
        /// Id.
        id: &'a str,
        /// Version, when stated.
        version: Option<&'a str>,
    },
    /// `http://host/fhir/Patient/42`, or any other absolute URL that is no `urn:`.
    Url(&'a str),
    /// `urn:uuid:…`, `urn:oid:…`.
    Urn(&'a str),
    /// `#p1`: inside the resource; the bare name, empty for the container.
    Contained(&'a str),
    /// `Patient?identifier=x`: a search with one match, allowed in transactions.
    Conditional {
        /// Type.
        kind: Kind,
        /// The search.
        query: &'a str,
    },
    /// None of these.
    Malformed(&'a str),
}

impl<'a> Reference<'a> {
    /// Reads a reference text.
    pub fn parse(text: &'a str) -> Reference<'a> {
        if let Some(name) = text.strip_prefix('#') {
            return Reference::Contained(name);
        }
        if text.starts_with("urn:") {
            return Reference::Urn(text);
        }
        if let Some((kind, id, version)) = local(text) {
            return Reference::Local { kind, id, version };
        }
        if let Some((kind, query)) = text.split_once('?')
            && let Some(kind) = Kind::parse(kind)
        {
            return Reference::Conditional { kind, query };
        }
        if text.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty()) {
            return Reference::Url(text);
        }
        Reference::Malformed(text)
    }

    /// Reads a reference text; a URL below one of the bases (`http://host/fhir`, no slash at the end) is local.
    pub fn resolve<S: AsRef<str>>(text: &'a str, bases: &[S]) -> Reference<'a> {
        for base in bases {
            if let Some(rest) = text.strip_prefix(base.as_ref()).and_then(|rest| rest.strip_prefix('/'))
                && let Some((kind, id, version)) = local(rest)
            {
                return Reference::Local { kind, id, version };
            }
        }
        Reference::parse(text)
    }

    /// Type and id at the end of a URL such as `http://host/fhir/Patient/42/_history/1`, whoever's server that is.
    pub fn tail_of(url: &'a str) -> Option<(Kind, &'a str)> {
        let mut parts = url.rsplit('/');
        let mut id = parts.next()?;
        let mut kind = parts.next()?;
        if kind == "_history" {
            id = parts.next()?;
            kind = parts.next()?;
        }
        Some((Kind::parse(kind)?, id)).filter(|(_, id)| is_id(id))
    }
}

fn local(text: &str) -> Option<(Kind, &str, Option<&str>)> {
    let (kind, rest) = text.split_once('/')?;
    let kind = Kind::parse(kind)?;
    let (id, version) = match rest.split_once('/') {
        Some((id, behind)) => (id, Some(behind.strip_prefix("_history/")?)),
        None => (rest, None),
    };
    (is_id(id) && version.is_none_or(is_id)).then_some((kind, id, version))
}

/// Is this a FHIR id: letters, digits, `-` and `.`, 1 to 64 of them.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let answer = match Reference::resolve(text, &["http://h/fhir"]) {
            Reference::Local { kind, id, version } => format!("local {kind} {id} {version:?}"),
            Reference::Url(url) => format!("url {url}"),
            Reference::Urn(urn) => format!("urn {urn}"),
            Reference::Contained(name) => format!("contained {name}"),
            Reference::Conditional { kind, query } => format!("conditional {kind} {query}"),
            Reference::Malformed(_) => "malformed".into(),
        };
        assert_eq!(answer, expected, "{text}");
    }

    #[test]
    fn texts_are_told_apart() {
        check("Patient/42", "local Patient 42 None");
        check("Patient/42/_history/3", "local Patient 42 Some(\"3\")");
        check("http://h/fhir/Patient/42", "local Patient 42 None");
        check("http://other/fhir/Patient/42", "url http://other/fhir/Patient/42");
        check("urn:uuid:1", "urn urn:uuid:1");
        check("#p", "contained p");
        check("Patient?identifier=a|b", "conditional Patient identifier=a|b");
        for text in ["", "Patient", "Patient/", "Pacient/1", "Patient/a b", "Patient/1/2", "://x"] {
            check(text, "malformed");
        }
        assert_eq!(Reference::tail_of("http://o/x/Patient/42/_history/1"), Some((Kind::PATIENT, "42")));
        assert_eq!(Reference::tail_of("http://o/x"), None);
    }
}
