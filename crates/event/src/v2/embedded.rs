//! Encapsulated data (`ED`): text that stands in a message in base 64 or hexadecimal. What is no text is not read here.

use hl7v2::Segment;

use super::text;

/// A text of an `ED` value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Embedded {
    pub(super) format: &'static str,
    pub(super) text: String,
}

/// What an `ED` in OBX-5 holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(Embedded),
    /// Something else: a PDF, an image.
    Other,
    /// It says that it is text, and cannot be decoded.
    Broken(&'static str),
}

/// Reads OBX-5: source, type of data, subtype, encoding, data.
pub(super) fn content_of(obx: &Segment<'_>) -> Content {
    let part = |number: usize| text(obx, 5, number).unwrap_or_default();
    let (kind, subtype) = (part(2).to_ascii_lowercase(), part(3).to_ascii_lowercase());
    let format = match (kind.as_str(), subtype.as_str()) {
        ("text", "html" | "htm" | "x-hl7-html") => "text/html",
        ("text" | "tx" | "ft" | "txt", "" | "plain" | "text" | "txt" | "tx" | "ft") => "text/plain",
        ("text", "markdown") => "text/markdown",
        _ => return Content::Other,
    };
    let data = part(5);
    let bytes = match part(4).to_ascii_lowercase().as_str() {
        "" | "a" => Some(data.into_bytes()),
        "base64" => of_base64(&data),
        "hex" => of_hex(&data),
        _ => return Content::Broken("an encoding that is `A`, `Base64` or `Hex`"),
    };
    let text = match bytes.map(String::from_utf8) {
        Some(Ok(text)) => text,
        Some(Err(_)) => return Content::Broken("text in UTF-8"),
        None => return Content::Broken("data in the encoding that it names"),
    };
    Content::Text(Embedded { format, text })
}

/// RFC 4648; white space between the digits is left out.
fn of_base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let padding = digits.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &digits[..digits.len() - padding];
    if padding > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let (mut bytes, mut bits, mut n_bits) = (Vec::with_capacity(digits.len() * 3 / 4), 0_u32, 0);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in [
            ("", Some("")),
            ("Zg==", Some("f")),
            ("Zm8=", Some("fo")),
            ("Zm9v", Some("foo")),
            ("Zm9v\nYg", Some("foob")),
            ("w7w/Pg==", Some("ü?>")),
            ("Z", None),
            ("Zm9v*A==", None),
            ("Zg===", None),
        ] {
            assert_eq!(of_base64(text).as_deref(), expected.map(str::as_bytes), "{text}");
        }
        assert_eq!(of_hex("48 69").as_deref(), Some(&b"Hi"[..]));
        assert_eq!((of_hex("486"), of_hex("zz")), (None, None));
    }
}
