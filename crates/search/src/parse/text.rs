//! The text of a query: pairs, percent-encoding, and the escapes inside values.

use std::fmt::Write;

use compact_str::CompactString;

use super::problem;
use fhir::{Issue, IssueType};

/// One `name=value`, decoded; escapes of the value are still in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
}

/// The pairs of a query text, decoded.
pub(super) fn pairs(text: &str) -> Result<Vec<Pair>, Issue> {
    let mut pairs = Vec::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = decode(name).ok_or_else(|| broken("the name of a parameter", None))?;
        let value = decode(value).ok_or_else(|| broken("its value", Some(&name)))?;
        pairs.push(Pair { name, value });
    }
    Ok(pairs)
}

fn broken(what: &str, name: Option<&str>) -> Issue {
    let text =
        format!("{what} is not well encoded: after `%` come two hexadecimal digits, and the bytes are UTF-8");
    match name {
        Some(name) => problem(IssueType::Structure, "bad-encoding", name, text),
        None => Issue::error(IssueType::Structure, "bad-encoding", text),
    }
}

/// Percent-encoding undone; `+` is a space.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let [high, low, after @ ..] = after else { return None };
                bytes.push(hex(*high)? * 16 + hex(*low)?);
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Percent-encoding of everything that has a meaning in a query text; what FHIR writes often (`,`, `|`, `:`, `/`, `$`) stays readable.
pub(super) fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => into.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b',' | b'|' | b':' | b'/' | b'$' | b'*' | b'@' => {
                into.push(char::from(byte));
            }
            other => write!(into, "%{other:02X}").expect("a string takes what is written"),
        }
    }
}

/// Splits at a separator that no `\` stands before.
pub(super) fn split(text: &str, separator: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == separator {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

/// `\,`, `\$`, `\|` and `\\` without their backslash; `None` when something else is escaped.
pub(super) fn unescape(text: &str) -> Option<CompactString> {
    if !text.contains('\\') {
        return Some(text.into());
    }
    let mut plain = CompactString::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next().filter(|next| matches!(next, ',' | '$' | '|' | '\\'))?),
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_undone() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        };
        check("a+b%20c", Some("a b c"));
        check("%C3%A9", Some("é"));
        check("é", Some("é"));
        for bad in ["%", "%4", "%zz", "%C3", "%FF", "%+1"] {
            check(bad, None);
        }
    }

    #[test]
    fn separators_can_be_escaped() {
        assert_eq!(split(r"a,b\,c,\\,d", b','), ["a", r"b\,c", r"\\", "d"]);
        assert_eq!(split("", b','), [""]);
        assert_eq!(unescape(r"b\,c\$\|\\").as_deref(), Some(r"b,c$|\"));
        assert_eq!(unescape(r"a\b"), None);
        assert_eq!(unescape(r"a\"), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC*") {
            let mut encoded = String::new();
            encode(&text, &mut encoded);
            proptest::prop_assert!(!encoded.contains(['&', '=', '+', ' ']));
            proptest::prop_assert_eq!(decode(&encoded), Some(text));
        }
    }
}
