//! Parameters that shape the answer, not the question: `_format`, `_pretty`, `_summary`, `_elements`.

use fhir::Kind;
pub(crate) use fhir::uri::encode;

use crate::error::ServerError;
use crate::fhir::subset::{Subset, Wish};

/// What was asked of the form of the answer, and the query without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Controls {
    /// `_format`, decoded.
    pub(crate) format: Option<String>,
    /// `_pretty=true`.
    pub(crate) pretty: bool,
    /// The query without `_format` and `_pretty`, as it was encoded.
    pub(crate) rest: String,
}

impl Controls {
    /// Takes the two parameters that every interaction knows out of a query.
    pub(crate) fn of(query: &str) -> Result<Controls, ServerError> {
        let mut controls = Controls::default();
        let mut has_pretty = false;
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name {
                "_format" if controls.format.is_some() => return Err(parameter(name, "give it once")),
                "_pretty" if std::mem::replace(&mut has_pretty, true) => {
                    return Err(parameter(name, "give it once"));
                }
                "_format" => controls.format = Some(decode(value)),
                "_pretty" => controls.pretty = flag("_pretty", value)?,
                _ => {
                    if !controls.rest.is_empty() {
                        controls.rest.push('&');
                    }
                    controls.rest.push_str(part);
                }
            }
        }
        Ok(controls)
    }

    /// For interactions on one resource that take no other parameters than `_summary` and `_elements`.
    pub(crate) fn subset(&self, kind: Kind) -> Result<Subset, ServerError> {
        let mut wish = Wish::default();
        for (name, value) in pairs(&self.rest) {
            if !wish.take(&name, &value, &[kind])? {
                return Err(unknown(&name));
            }
        }
        wish.subset()
    }

    /// For interactions that take no other parameters at all.
    pub(crate) fn nothing_else(&self) -> Result<(), ServerError> {
        match pairs(&self.rest).next() {
            None => Ok(()),
            Some((name, _)) => Err(unknown(&name)),
        }
    }
}

/// Names and values of a query, decoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    })
}

/// `true` or `false`, nothing else.
pub(crate) fn flag(name: &'static str, value: &str) -> Result<bool, ServerError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(parameter(name, "use `true` or `false`")),
    }
}

/// A parameter with a value that cannot be used.
pub(crate) fn parameter(name: &str, why: impl Into<String>) -> ServerError {
    ServerError::Parameter { name: name.to_string(), why: why.into() }
}

/// A parameter that is not known where it was used.
pub(crate) fn unknown(name: &str) -> ServerError {
    parameter(name, "it is unknown here: leave it out")
}

/// Percent-decoding of a query part; what is not UTF-8 becomes the replacement character and so matches nothing.
pub(crate) fn decode(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_string();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 2;
            }
            (b'+', _, _) => out.push(b' '),
            (byte, _, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_taken_out() {
        let controls = Controls::of("name=a%20b&_format=application%2Fjson&_pretty=true&&_count=3").unwrap();
        assert_eq!(controls.format.as_deref(), Some("application/json"));
        assert!(controls.pretty);
        assert_eq!(controls.rest, "name=a%20b&_count=3");
        assert!(Controls::of("_pretty=yes").is_err());
    }

    #[test]
    fn a_read_takes_no_other_parameters() {
        let is_taken = |query: &str| Controls::of(query).unwrap().subset(Kind::PATIENT).is_ok();
        for query in ["_summary=true", "_elements=name,gender", "_elements=name&_summary=false"] {
            assert!(is_taken(query), "{query}");
        }
        for query in [
            "_summary=most",
            "color=red",
            "_elements=color",
            "_elements=name&_elements=gender",
            "_elements=name&_summary=text",
        ] {
            assert!(!is_taken(query), "{query}");
        }
        assert!(Controls::of("_format=json").unwrap().nothing_else().is_ok());
    }

    #[test]
    fn text_is_encoded_and_decoded() {
        assert_eq!(decode("a%20b+c%2"), "a b c%2");
        assert_eq!(decode(&encode("http://x|y z,é")), "http://x|y z,é");
    }
}
