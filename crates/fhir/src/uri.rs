//! Parts of URLs as text.

use std::fmt::Write;

/// Percent-encoding of everything but letters, digits and `-._~`: safe as one part of a path and as a value of a query.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes what is written");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("aZ0-._~"), "aZ0-._~");
        assert_eq!(encode("a b/ä?|,+%"), "a%20b%2F%C3%A4%3F%7C%2C%2B%25");
    }
}
