//! base64Binary: groups of four characters, padding at the end only, white space anywhere.

use super::{Problem, when};

pub(super) fn check_base64(text: &str) -> Result<(), Problem> {
    let (mut n_characters, mut n_padding, mut right) = (0usize, 0usize, true);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                n_characters += 1;
                right &= n_padding == 0;
            }
            b'=' => n_padding += 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => right = false,
        }
    }
    right &= n_characters > 0 && n_padding <= 2 && (n_characters + n_padding).is_multiple_of(4);
    when(
        right,
        "bad-base64",
        "base64 is groups of four of A-Z, a-z, 0-9, `+` and `/`, the last one filled up with `=`",
    )
}

#[cfg(test)]
mod tests {
    use super::check_base64;

    #[test]
    fn base64_is_told_from_other_text() {
        for text in ["QUJD", "QUI=", "QQ==", "QU JD\r\nQUJD", "+/+/"] {
            assert!(check_base64(text).is_ok(), "{text}");
        }
        for text in ["%%%2@()()", "QUJ", "Q===", "====", "QQ==QQ==", "QU=C", " ", "QUJ-"] {
            assert!(check_base64(text).is_err(), "{text}");
        }
    }
}
