//! One record, byte by byte: the meaning of every dialect. [`super::scan`] is the fast way to the same answer for plain text.

use memchr::memchr2;

use crate::csv::rows::{Rows, Wrong};
use crate::csv::window::Window;
use crate::csv::{Dialect, Escape};

/// What became of the record at `rows.start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is a row, a note or a comment; `rows.start` is behind it.
    Done,
    /// It does not end in the text.
    Need,
}

/// How the fields of a record end.
enum Fields {
    /// At this line end.
    End(usize),
    /// With text behind a closing quote.
    Broken,
    /// Not in the text.
    Open,
}

/// Divides the record at `rows.start` into fields.
pub(crate) fn record(window: &Window, dialect: &Dialect, rows: &mut Rows) -> Outcome {
    let start = rows.start;
    if start >= window.end {
        return Outcome::Need;
    }
    if dialect.comment == Some(window.bytes[start]) {
        let Some(newline) = window.line_end(start) else { return Outcome::Need };
        rows.line += 1;
        rows.start = newline + 1;
        return Outcome::Done;
    }
    match fields(&window.bytes[..window.end], dialect, rows) {
        Fields::End(newline) if newline - start <= rows.record_bytes_max => {
            rows.close(&window.bytes, rows.n_ends - 1, newline);
            Outcome::Done
        }
        // Of a record that is too long or wrongly quoted only the first line is refused: when a quote was not closed, the lines
        // behind it are records.
        Fields::End(_) => refuse(window, rows, Wrong::TooLong),
        Fields::Broken => refuse(window, rows, Wrong::Quote),
        Fields::Open => {
            rows.reopen();
            Outcome::Need
        }
    }
}

/// Refuses the first line of the record.
pub(crate) fn refuse(window: &Window, rows: &mut Rows, wrong: Wrong) -> Outcome {
    rows.reopen();
    let Some(newline) = window.line_end(rows.start) else { return Outcome::Need };
    rows.refuse(wrong, newline);
    Outcome::Done
}

fn fields(bytes: &[u8], dialect: &Dialect, rows: &mut Rows) -> Fields {
    let mut at = rows.start;
    loop {
        let mut is_quoted = false;
        if dialect.quote.is_some() && bytes.get(at).copied() == dialect.quote {
            is_quoted = true;
            match closing_quote(bytes, at, dialect, &mut rows.inner_lines) {
                Some(behind) => at = behind,
                None => return Fields::Open,
            }
        }
        let Some(n) = memchr2(dialect.delimiter, b'\n', &bytes[at..]) else { return Fields::Open };
        let end = at + n;
        let rest = if bytes[end] == b'\n' {
            bytes[at..end].strip_suffix(b"\r").unwrap_or(&bytes[at..end])
        } else {
            &bytes[at..end]
        };
        if is_quoted && !rest.is_empty() {
            return Fields::Broken;
        }
        rows.push(end);
        if bytes[end] == b'\n' {
            return Fields::End(end);
        }
        at = end + 1;
    }
}

/// The position behind the quote that closes the field whose quote opens at a position.
fn closing_quote(bytes: &[u8], opening: usize, dialect: &Dialect, inner_lines: &mut u64) -> Option<usize> {
    let quote = dialect.quote?;
    let mut at = opening + 1;
    loop {
        let byte = *bytes.get(at)?;
        if byte == b'\n' {
            *inner_lines += 1;
        } else if byte == b'\\' && dialect.escape == Escape::Backslash {
            // The escaped byte may be a line end.
            *inner_lines += u64::from(*bytes.get(at + 1)? == b'\n');
            at += 1;
        } else if byte == quote {
            if dialect.escape == Escape::Doubled && *bytes.get(at + 1)? == quote {
                at += 1;
            } else {
                return Some(at + 1);
            }
        }
        at += 1;
    }
}

/// The fields of a record, and where it ends.
pub(crate) type FirstRecord = (Vec<Vec<u8>>, usize);

/// The names in the first record of the text, and where it ends; `None`: more text is needed.
pub(crate) fn first_record(window: &Window, dialect: &Dialect) -> Option<Result<FirstRecord, Wrong>> {
    let mut rows = Rows::new(0, false, None, usize::MAX);
    rows.start = window.at;
    match fields(&window.bytes[..window.end], dialect, &mut rows) {
        Fields::Open => None,
        Fields::Broken => Some(Err(Wrong::Quote)),
        Fields::End(newline) => {
            let (mut fields, mut start) = (Vec::new(), window.at);
            for end in &rows.ends[..rows.n_ends] {
                let end = *end as usize;
                let raw = &window.bytes[start..end];
                let raw = if end == newline { raw.strip_suffix(b"\r").unwrap_or(raw) } else { raw };
                let mut field = Vec::new();
                let is_quoted = dialect.quote.is_some() && raw.first().copied() == dialect.quote;
                if is_quoted {
                    unquote(raw, dialect, &mut field);
                } else {
                    field.extend_from_slice(raw);
                }
                fields.push(field);
                start = end + 1;
            }
            Some(Ok((fields, newline + 1)))
        }
    }
}

/// The content of a quoted field, added to a buffer.
pub(crate) fn unquote(raw: &[u8], dialect: &Dialect, into: &mut Vec<u8>) {
    let Some(quote) = dialect.quote else { return into.extend_from_slice(raw) };
    let mut rest = &raw[1..raw.len() - 1];
    let escape = if dialect.escape == Escape::Doubled { quote } else { b'\\' };
    while let Some(at) = memchr::memchr(escape, rest) {
        into.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            // A backslash before anything else is a backslash.
            Some(next) if *next == quote || *next == escape => into.push(*next),
            Some(next) => into.extend_from_slice(&[escape, *next]),
            None => into.push(escape),
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    into.extend_from_slice(rest);
}
