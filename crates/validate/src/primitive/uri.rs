//! uri, url, canonical, oid and uuid.

use super::{Problem, when};

const OID: &str = "urn:oid:";
const UUID: &str = "urn:uuid:";

pub(super) fn check_uri(text: &str) -> Result<(), Problem> {
    if text.bytes().any(|byte| byte <= b' ') {
        return Err(Problem::Format("bad-uri", "a URI has no spaces: write them as `%20`"));
    }
    match (text.strip_prefix(UUID), text.strip_prefix(OID)) {
        (Some(rest), _) => {
            when(is_uuid(rest), "bad-uuid", "`urn:uuid:` is followed by 8-4-4-4-12 hexadecimal digits")
        }
        (_, Some(rest)) => {
            when(is_oid(rest), "bad-oid", "`urn:oid:` is followed by numbers with points between them")
        }
        _ => Ok(()),
    }
}

pub(super) fn check_oid(text: &str) -> Result<(), Problem> {
    let right = text.strip_prefix(OID).is_some_and(is_oid);
    when(right, "bad-oid", "an OID is `urn:oid:` followed by numbers with points between them")
}

pub(super) fn check_uuid(text: &str) -> Result<(), Problem> {
    let right =
        text.strip_prefix(UUID).is_some_and(is_uuid) && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    when(right, "bad-uuid", "a UUID is `urn:uuid:` followed by 8-4-4-4-12 hexadecimal digits in lower case")
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_oid(text: &str) -> bool {
    let number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    text.split('.').all(number) && text.starts_with(['0', '1', '2']) && text.get(1..2) == Some(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        let upper = "urn:uuid:C757873D-EC9A-4326-A141-556F43239520";
        let lower = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520";
        for (text, uri, oid, uuid) in [
            ("http://loinc.org", true, false, false),
            ("a b", false, false, false),
            ("urn:oid:1.2.3", true, true, false),
            ("urn:oid:1.02.3", false, false, false),
            ("urn:oid:3.1", false, false, false),
            ("urn:oid:1", false, false, false),
            (lower, true, false, true),
            (upper, true, false, false),
            ("urn:uuid:c757873d", false, false, false),
        ] {
            assert_eq!(check_uri(text).is_ok(), uri, "{text}");
            assert_eq!(check_oid(text).is_ok(), oid, "{text}");
            assert_eq!(check_uuid(text).is_ok(), uuid, "{text}");
        }
    }
}
