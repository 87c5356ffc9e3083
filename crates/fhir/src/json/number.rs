//! A JSON number as its text, so that `1.50` stays `1.50`.

use std::fmt;

use compact_str::CompactString;

/// The text of a JSON number, exactly as it was sent.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(CompactString);

impl Number {
    /// A number of its text; `None` when the text is not a JSON number.
    pub fn parse(text: &str) -> Option<Number> {
        let bytes = text.as_bytes();
        (scan(bytes) == bytes.len() && !bytes.is_empty()).then(|| Number(text.into()))
    }

    pub(super) fn of_scanned(text: &str) -> Number {
        Number(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, when it is a whole number written without fraction or exponent.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Number {
        Number(compact_str::format_compact!("{number}"))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Length of the JSON number at the start of `bytes`; 0 when there is none.
pub(super) fn scan(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && bytes[at] == b'0') {
        return 0;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return 0;
        }
        at += 1 + fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits((at + 1 + sign).min(bytes.len()));
        if exponent == 0 {
            return 0;
        }
        at += 1 + sign + exponent;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn only_json_numbers_are_numbers() {
        for text in ["0", "-0", "1.50", "-12.0e+3", "1E9", "0.000000000000000000001"] {
            assert_eq!(Number::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "-", "01", "1.", ".5", "1e", "1e+", "+1", "1 ", "NaN", "0x1", "--1"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}
