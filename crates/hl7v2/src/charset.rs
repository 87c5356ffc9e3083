//! Character sets of HL7 table 0211 that are read and written: ASCII, UTF-8 and ISO 8859-1.

use std::borrow::Cow;
use std::fmt;

/// A character set that messages are read and written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// `ASCII`: seven bits.
    Ascii,
    /// `UNICODE UTF-8`.
    Utf8,
    /// `8859/1`: Latin 1. Its control characters 80 to 9F are refused: they mean another set (windows-1252) under a wrong name.
    Latin1,
}

impl fmt::Display for Charset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Charset {
    /// The set that a repetition of MSH-18 names, in the spellings of table 0211 and the common ones of the internet.
    pub fn parse(name: &str) -> Option<Charset> {
        let plain: String =
            name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        match plain.as_str() {
            "ASCII" | "USASCII" | "ISOIR6" => Some(Charset::Ascii),
            "UNICODEUTF8" | "UTF8" => Some(Charset::Utf8),
            "88591" | "ISO88591" | "ISOIR100" => Some(Charset::Latin1),
            _ => None,
        }
    }

    /// Its name in table 0211.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Ascii => "ASCII",
            Charset::Utf8 => "UNICODE UTF-8",
            Charset::Latin1 => "8859/1",
        }
    }

    /// The text of bytes.
    ///
    /// # Errors
    /// The number of bytes before the first that is no character of the set.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
        let bad = match self {
            Charset::Utf8 => None,
            Charset::Ascii => bytes.iter().position(|byte| *byte >= 0x80),
            Charset::Latin1 => bytes.iter().position(|byte| (0x80..0xA0).contains(byte)),
        };
        match (bad, std::str::from_utf8(bytes)) {
            (Some(at), _) => Err(at),
            (None, _) if self == Charset::Latin1 && !bytes.is_ascii() => {
                Ok(bytes.iter().copied().map(char::from).collect::<String>().into())
            }
            (None, Ok(text)) => Ok(text.into()),
            (None, Err(error)) => Err(error.valid_up_to()),
        }
    }

    /// The bytes of a text.
    ///
    /// # Errors
    /// The number of bytes of `text` before the first character that the set lacks.
    pub(crate) fn encode(self, text: &str) -> Result<Vec<u8>, usize> {
        let lacks = |c: char| match self {
            Charset::Utf8 => false,
            Charset::Ascii => !c.is_ascii(),
            Charset::Latin1 => !matches!(u32::from(c), 0..0x80 | 0xA0..=0xFF),
        };
        if let Some((at, _)) = text.char_indices().find(|(_, c)| lacks(*c)) {
            return Err(at);
        }
        match self {
            Charset::Utf8 | Charset::Ascii => Ok(text.as_bytes().to_vec()),
            Charset::Latin1 => Ok(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()),
        }
    }

    /// How many bytes of the input a decoded text took.
    pub(crate) fn n_bytes_of(self, text: &str) -> usize {
        if self == Charset::Latin1 { text.chars().count() } else { text.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_their_spellings() {
        let check =
            |name: &str, expected: Option<Charset>| assert_eq!(Charset::parse(name), expected, "{name}");
        check("UNICODE UTF-8", Some(Charset::Utf8));
        check("utf-8", Some(Charset::Utf8));
        check("8859/1", Some(Charset::Latin1));
        check("ISO-8859-1", Some(Charset::Latin1));
        check("ASCII", Some(Charset::Ascii));
        for other in ["8859/15", "8859/2", "UNICODE", "UNICODE UTF-16", "ISO IR87", "", "GB 18030-2000"] {
            check(other, None);
        }
        for set in [Charset::Ascii, Charset::Utf8, Charset::Latin1] {
            check(set.name(), Some(set));
        }
    }

    #[test]
    fn bytes_and_text() {
        assert_eq!(Charset::Latin1.decode(b"M\xfcller").unwrap(), "Müller");
        assert_eq!(Charset::Latin1.encode("Müller").unwrap(), b"M\xfcller");
        assert_eq!(Charset::Latin1.decode(b"a\x93b"), Err(1));
        assert_eq!(Charset::Latin1.encode("a€"), Err(1));
        assert_eq!(Charset::Utf8.decode(b"ab\xff"), Err(2));
        assert_eq!(Charset::Ascii.decode(b"abc\xc3\xa9"), Err(3));
        assert_eq!(Charset::Ascii.encode("é"), Err(0));
    }
}
