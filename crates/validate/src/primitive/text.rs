//! string, markdown, code and id.

use super::{Problem, when};

/// 1 MiB, as R4 says.
const STRING_BYTES_MAX: usize = 1024 * 1024;

pub(super) fn check_string(text: &str) -> Result<(), Problem> {
    if text.len() > STRING_BYTES_MAX {
        return Err(Problem::Format("string-too-long", "a string has at most 1,048,576 bytes"));
    }
    let right = text.bytes().all(|byte| byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r'));
    when(
        right,
        "control-character",
        "a string has no control characters but tab, line feed and carriage return",
    )
}

pub(super) fn check_code(text: &str) -> Result<(), Problem> {
    // Single spaces between words only: no space may follow another, the beginning, or be the end.
    let mut after_space = true;
    let mut right = true;
    for byte in text.bytes() {
        let space = byte <= b' ';
        right &= !(space && after_space);
        after_space = space;
    }
    when(right && !after_space, "bad-code", "a code has no space at its ends and only single spaces inside")
}

pub(super) fn check_id(text: &str) -> Result<(), Problem> {
    when(fhir::is_id(text), "bad-id", "an id is 1 to 64 letters, digits, `-` and `.`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        for (text, code, string, id) in [
            ("final", true, true, true),
            ("a b", true, true, false),
            ("a  b", false, true, false),
            (" a", false, true, false),
            ("a ", false, true, false),
            ("a\tb", true, true, false),
            ("a\u{1}b", true, false, false),
            ("ä\r\n", false, true, false),
            ("a_b", true, true, false),
        ] {
            assert_eq!(check_code(text).is_ok(), code, "{text:?}");
            assert_eq!(check_string(text).is_ok(), string, "{text:?}");
            assert_eq!(check_id(text).is_ok(), id, "{text:?}");
        }
        assert!(check_string(&"a".repeat(STRING_BYTES_MAX)).is_ok());
        assert!(check_string(&"a".repeat(STRING_BYTES_MAX + 1)).is_err());
    }
}
