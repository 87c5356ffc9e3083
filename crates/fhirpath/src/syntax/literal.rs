//! Literals inside an expression: quoted texts with their escapes, dates and times.

use compact_str::CompactString;

use crate::error::Problem;
use crate::temporal::Temporal;

/// The text in quotes at the start of `text`, and its length with the quotes.
pub(super) fn quoted(text: &str, quote: char) -> Result<(CompactString, usize), Problem> {
    let mut out = CompactString::default();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, character)) = chars.next() {
        if character == quote {
            return Ok((out, at + 1));
        }
        if character != '\\' {
            out.push(character);
            continue;
        }
        let (at, escape) = chars.next().ok_or(Problem::Expected("the closing quote"))?;
        out.push(match escape {
            '`' | '\'' | '\\' | '/' | '"' => escape,
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let code =
                    text.get(at + 1..at + 5).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
                let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
                for _ in 0..4 {
                    chars.next();
                }
                code.and_then(char::from_u32)
                    .ok_or(Problem::Literal("character of four hexadecimal digits"))?
            }
            _ => return Err(Problem::Literal("known escape")),
        });
    }
    Err(Problem::Expected("the closing quote"))
}

/// Writes a text in quotes so that [`quoted`] reads it back.
pub(super) fn quote(text: &str, quote: char, out: &mut impl std::fmt::Write) -> std::fmt::Result {
    out.write_char(quote)?;
    for character in text.chars() {
        match character {
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{c}' => out.write_str("\\f")?,
            other if other == quote => write!(out, "\\{quote}")?,
            other => out.write_char(other)?,
        }
    }
    out.write_char(quote)
}

/// The date or time behind an `@`, and its length.
pub(super) fn temporal(text: &str) -> Result<(Temporal, usize), Problem> {
    let length = length_of_temporal(text.as_bytes());
    let literal = &text[..length];
    let parsed = match literal.strip_prefix('T') {
        Some(time) => Temporal::parse_time(time),
        None if literal.contains('T') => Temporal::parse_date_time(literal),
        None => Temporal::parse_date(literal),
    };
    parsed.map(|temporal| (temporal, length)).ok_or(Problem::Literal("date or time"))
}

/// `[YYYY[-MM[-DD]]][T[hh[:mm[:ss[.fff]]]][Z|±hh:mm]]`; an offset only behind a date.
fn length_of_temporal(bytes: &[u8]) -> usize {
    let digits =
        |at: usize, n: usize| bytes.len() >= at + n && bytes[at..at + n].iter().all(u8::is_ascii_digit);
    let part = |at: usize, sign: u8| bytes.get(at) == Some(&sign) && digits(at + 1, 2);
    let mut at = 0;
    let dated = digits(0, 4);
    if dated {
        at = 4;
        for _ in 0..2 {
            at += if part(at, b'-') { 3 } else { 0 };
        }
    }
    if bytes.get(at) != Some(&b'T') {
        return at;
    }
    at += 1;
    if !digits(at, 2) {
        return at;
    }
    at += 2;
    for _ in 0..2 {
        at += if part(at, b':') { 3 } else { 0 };
    }
    if bytes.get(at) == Some(&b'.') && digits(at + 1, 1) {
        at += 1 + bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    }
    if dated && bytes.get(at) == Some(&b'Z') {
        return at + 1;
    }
    let zoned =
        dated && matches!(bytes.get(at), Some(b'+' | b'-')) && digits(at + 1, 2) && part(at + 3, b':');
    if zoned { at + 6 } else { at }
}
