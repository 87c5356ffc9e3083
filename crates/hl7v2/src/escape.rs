//! Escape sequences of values: out of a message as text, and into a message so that the text comes back.

use crate::{Charset, Delimiters};
use std::borrow::Cow;

/// The text of a value as it stands in a message.
///
/// `\F\ \S\ \T\ \R\ \E\ \P\` become the delimiters that the message declares, `\.br\` a line feed, `\Xhh..\` the characters of those bytes in
/// the message's set. `\H\` and `\N\` (highlighting) are left out. Every other sequence, one whose bytes are no characters, and an escape character
/// without a partner stay as they were written: they may be a path of a file, or mean something to a program that knows them.
pub fn unescape<'a>(written: &'a str, delimiters: &Delimiters, charset: Charset) -> Cow<'a, str> {
    let Some(mark) = delimiters.escape.map(char::from) else { return written.into() };
    if !written.contains(mark) {
        return written.into();
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once(mark) {
        text.push_str(before);
        let Some((sequence, following)) = after.split_once(mark) else {
            text.push(mark);
            rest = after;
            continue;
        };
        if !push_meaning(sequence, delimiters, charset, &mut text) {
            text.push(mark);
            text.push_str(sequence);
            text.push(mark);
        }
        rest = following;
    }
    text.push_str(rest);
    text.into()
}

/// Adds what a sequence means; `false` when it is not known.
fn push_meaning(sequence: &str, delimiters: &Delimiters, charset: Charset, text: &mut String) -> bool {
    if let Some(byte) = delimiters.byte_of(sequence) {
        text.push(byte.into());
        return true;
    }
    match sequence {
        ".br" => text.push('\n'),
        "H" | "N" => {}
        _ => {
            let bytes = sequence.strip_prefix('X').and_then(bytes_of_hex);
            match bytes.as_ref().and_then(|bytes| charset.decode(bytes).ok()) {
                Some(characters) => text.push_str(&characters),
                None => return false,
            }
        }
    }
    true
}

fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Writes a text so that [`unescape`] gives it back: delimiters and control characters as sequences, a line feed as `\.br\`, and a text of exactly
/// two quotation marks, which would be a null, in hexadecimal.
///
/// # Errors
/// The number of bytes of `text` before a character that needs an escape, when the message declares no escape character.
pub fn escape(text: &str, delimiters: &Delimiters, out: &mut String) -> Result<(), usize> {
    for (at, character) in text.char_indices() {
        let letter = u8::try_from(character).ok().and_then(|byte| delimiters.letter_of(byte));
        if letter.is_none() && !character.is_ascii_control() && text != "\"\"" {
            out.push(character);
            continue;
        }
        let mark = char::from(delimiters.escape.ok_or(at)?);
        out.push(mark);
        match (letter, character) {
            (Some(letter), _) => out.push(letter.into()),
            (None, '\n') => out.push_str(".br"),
            (None, other) => {
                let hex = |nibble: u32| char::from_digit(nibble, 16).unwrap_or('0').to_ascii_uppercase();
                out.extend(['X', hex(u32::from(other) >> 4), hex(u32::from(other) & 15)]);
            }
        }
        out.push(mark);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(written: &str, expected: &str) {
        assert_eq!(unescape(written, &Delimiters::default(), Charset::Utf8), expected, "{written}");
    }

    #[test]
    fn sequences_become_text() {
        check(r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f");
        check(r"one\.br\two\.br\\.br\", "one\ntwo\n\n");
        check(r"\X41\\X0d0A\\XC3A9\", "A\r\né");
        check(r"very \H\high\N\ today", "very high today");
        check("plain", "plain");
        check(r"\E\T\E\", r"\T\");
    }

    #[test]
    fn what_is_not_known_stays_as_written() {
        for written in [
            r"C:\temp\x",
            r"\.sp3\",
            r"\C2842\",
            r"\X4\",
            r"\XZZ\",
            r"\X\",
            r"\XFF\",
            r"\",
            r"a\b",
            r"\P\",
            r"\Zx\",
        ] {
            check(written, written);
        }
        let with_truncation = Delimiters::new(b'|', b"^~\\&#").unwrap();
        assert_eq!(unescape(r"\P\", &with_truncation, Charset::Utf8), "#");
        assert_eq!(unescape(r"\XFC\", &Delimiters::default(), Charset::Latin1), "ü");
        let without = Delimiters::new(b'|', b"^~").unwrap();
        assert_eq!(unescape(r"a\F\", &without, Charset::Utf8), r"a\F\");
    }

    #[test]
    fn what_needs_an_escape_gets_one_or_is_refused() {
        let mut out = String::new();
        escape("a|b\u{b}\u{1c}\n\"\"", &Delimiters::default(), &mut out).unwrap();
        assert_eq!(out, r#"a\F\b\X0B\\X1C\\.br\"""#);
        out.clear();
        escape("\"\"", &Delimiters::default(), &mut out).unwrap();
        assert_eq!(out, r"\X22\\X22\");
        let without = Delimiters::new(b'|', b"^~").unwrap();
        assert_eq!(escape("ab\\", &without, &mut String::new()), Ok(()));
        assert_eq!(escape("ab^", &without, &mut String::new()), Err(2));
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in any::<String>()) {
            for delimiters in [Delimiters::default(), Delimiters::new(b'!', b"@$%*#").unwrap()] {
                let mut written = String::new();
                escape(&text, &delimiters, &mut written).unwrap();
                prop_assert_eq!(unescape(&written, &delimiters, Charset::Utf8), text.as_str());
                prop_assert!(!written.contains(['\r', '\n', delimiters.field(), char::from(delimiters.component)]));
            }
        }

        #[test]
        fn any_text_is_read(written in r"[\\A-Z.0-9a-z|^]{0,30}") {
            unescape(&written, &Delimiters::default(), Charset::Ascii);
        }
    }
}
