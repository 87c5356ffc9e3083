//! Bytes to a message: lines, character set, delimiters and the positions of fields, each within limits.

use crate::message::Span;
use crate::path::segment_id;
use crate::{Charset, Delimiters, Limits, Message, ParseError, Place, Problem};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A decoded Latin 1 text may take twice its bytes, and positions are kept in 32 bits.
const MESSAGE_BYTES_MAX: usize = 1 << 30;

impl Message {
    /// Parses one message.
    ///
    /// Segments end with CR, LF or CRLF; blank lines are passed over. The characters are those of the set that MSH-18 names; without one, UTF-8.
    /// Of several sets in MSH-18 the first is read, and all must be supported.
    ///
    /// # Errors
    /// When the bytes are no message, or go beyond a limit; with the place, without contents.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Message, ParseError> {
        Message::parse_as(bytes, limits, Charset::Utf8)
    }

    /// [`Message::parse`] with the character set of messages whose MSH-18 is empty, for a sender that uses another without saying so.
    ///
    /// # Errors
    /// As [`Message::parse`].
    pub fn parse_as(bytes: &[u8], limits: &Limits, unmarked: Charset) -> Result<Message, ParseError> {
        let max = limits.message_bytes_max.min(MESSAGE_BYTES_MAX);
        if bytes.len() > max {
            return Err(fault(1, None, max, Problem::MessageTooLong { max }));
        }
        let mark = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut lines = Lines { bytes, at: mark };
        let Some((start, header)) = lines.next() else {
            return Err(fault(1, None, mark, Problem::Empty));
        };
        let delimiters = delimiters_of(header).map_err(|problem| fault(1, None, start, problem))?;
        let set = set_of(header, &delimiters, mark > 0).map_err(|problem| {
            fault(1, Some(18), start + sets_at(header, &delimiters), problem).named(b"MSH")
        })?;
        let mut parser = Parser {
            message: Message {
                text: String::with_capacity(bytes.len() + 1),
                spans: Vec::new(),
                field_starts: Vec::new(),
                delimiters,
                charset: set.unwrap_or(unmarked),
            },
            limits,
            declared: set.is_some(),
        };
        parser.segment(start, header)?;
        for (start, line) in lines {
            parser.segment(start, line)?;
        }
        Ok(parser.message)
    }

    /// Only the MSH of a message whose rest may be broken: enough to tell its sender what is wrong with it (see [`ack`](crate::ack)).
    ///
    /// # Errors
    /// When there is no readable MSH.
    pub fn parse_header(bytes: &[u8], limits: &Limits) -> Result<Message, ParseError> {
        let mark = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let Some((start, header)) = (Lines { bytes, at: mark }).next() else {
            return Err(fault(1, None, mark, Problem::Empty));
        };
        Message::parse(&bytes[..start + header.len()], limits)
    }
}

fn fault(segment: usize, field: Option<usize>, offset: usize, problem: Problem) -> ParseError {
    ParseError { place: Place { segment, id: None, field, offset }, problem }
}

impl ParseError {
    fn named(mut self, id: &[u8; 3]) -> ParseError {
        self.place.id = Some(*id);
        self
    }
}

/// Lines that are not empty, with the byte at which each begins.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        loop {
            let rest = &self.bytes[self.at..];
            if rest.is_empty() {
                return None;
            }
            let n_bytes = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
            let start = self.at;
            self.at += (n_bytes + 1).min(rest.len());
            if n_bytes > 0 {
                return Some((start, &rest[..n_bytes]));
            }
        }
    }
}

fn delimiters_of(header: &[u8]) -> Result<Delimiters, Problem> {
    let Some((field, rest)) = header.strip_prefix(b"MSH").and_then(<[u8]>::split_first) else {
        return Err(Problem::NoHeader);
    };
    if field.is_ascii_alphanumeric() || *field == b' ' {
        return Err(Problem::NoHeader);
    }
    let encoding = rest.split(|byte| byte == field).next().unwrap_or_default();
    Delimiters::new(*field, encoding).ok_or(Problem::Delimiters)
}

/// The set that MSH-18 names first; all that it names must be supported, because others may be switched to inside a value.
fn set_of(header: &[u8], delimiters: &Delimiters, marked: bool) -> Result<Option<Charset>, Problem> {
    // The header's parts: `MSH`, MSH-2, MSH-3 ...
    let names = header.split(|byte| *byte == delimiters.field).nth(17).unwrap_or_default();
    let mut first = None;
    for name in names.split(|byte| Some(*byte) == delimiters.repetition) {
        if name.is_empty() || name == b"\"\"" {
            continue;
        }
        let set = std::str::from_utf8(name).ok().and_then(Charset::parse);
        first = first.or(Some(set.ok_or(Problem::UnsupportedCharset)?));
    }
    match first {
        None | Some(Charset::Ascii) if marked => Ok(Some(Charset::Utf8)),
        Some(Charset::Latin1) if marked => Err(Problem::ByteOrderMark),
        first => Ok(first),
    }
}

/// Bytes of the header before MSH-18.
fn sets_at(header: &[u8], delimiters: &Delimiters) -> usize {
    header.split(|byte| *byte == delimiters.field).take(17).map(|part| part.len() + 1).sum()
}

struct Parser<'a> {
    message: Message,
    limits: &'a Limits,
    /// Whether MSH-18 named the character set.
    declared: bool,
}

impl Parser<'_> {
    /// Adds a line, which stands at `start` in the input.
    fn segment(&mut self, start: usize, line: &[u8]) -> Result<(), ParseError> {
        let number = self.message.spans.len() + 1;
        let separator = self.message.delimiters.field;
        if number > self.limits.segments_max {
            let max = self.limits.segments_max;
            return Err(fault(number, None, start, Problem::TooManySegments { max }));
        }
        let id = line.get(..3).and_then(segment_id);
        let Some(id) = id.filter(|_| line.len() == 3 || line[3] == separator) else {
            let problem = Problem::NoSegment { separator: separator.into() };
            return Err(fault(number, None, start, problem));
        };
        if id == *b"MSH" && number > 1 {
            return Err(fault(number, None, start, Problem::SecondHeader).named(&id));
        }
        let charset = self.message.charset;
        let text = charset.decode(line).map_err(|at| {
            let n_before = line[..at].iter().filter(|byte| **byte == separator).count();
            let field = if id == *b"MSH" { n_before + 1 } else { n_before };
            let problem = Problem::InvalidByte { charset, declared: self.declared };
            fault(number, Some(field), start + at, problem).named(&id)
        })?;
        let from = self.message.text.len();
        self.message.text.push_str(&text);
        self.message.text.push('\r');
        self.fields(id, from).map_err(|(field, at, problem)| {
            let offset = start + charset.n_bytes_of(&text[..at]);
            fault(number, Some(field), offset, problem).named(&id)
        })
    }

    /// Notes the fields of the segment at the end of the text, which begins at `from`. An error has the number of the field and its place in the
    /// segment.
    fn fields(&mut self, id: [u8; 3], from: usize) -> Result<(), (usize, usize, Problem)> {
        let Message { text, spans, field_starts, delimiters, .. } = &mut self.message;
        let first_field = field_starts.len();
        let is_header = id == *b"MSH";
        // MSH-1 is the separator itself, so that the text after it is field 2.
        let number_of_first = if is_header { 2 } else { 1 };
        let (mut number, mut n_repetitions) = (number_of_first - 1, 1);
        let segment = &text.as_bytes()[from..text.len() - 1];
        for (at, byte) in segment.iter().enumerate().skip(3) {
            if *byte == delimiters.field {
                number += 1;
                n_repetitions = 1;
                let max = self.limits.fields_per_segment_max;
                if number > max {
                    return Err((number, at, Problem::TooManyFields { max }));
                }
                field_starts.push(as_u32(from + at + 1));
            } else if Some(*byte) == delimiters.repetition && !(is_header && number == 2) {
                n_repetitions += 1;
                let max = self.limits.repetitions_per_field_max;
                if n_repetitions > max {
                    return Err((number, at, Problem::TooManyRepetitions { max }));
                }
            }
        }
        spans.push(Span {
            id,
            start: as_u32(from),
            end: as_u32(text.len() - 1),
            first_field: as_u32(first_field),
            n_fields: as_u32(field_starts.len() - first_field),
        });
        Ok(())
    }
}

fn as_u32(position: usize) -> u32 {
    u32::try_from(position).expect("a message has at most 2^30 bytes, and its text at most twice as many")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use proptest::prelude::*;

    fn check(bytes: &[u8], limits: &Limits, expected: &str) {
        let found = Message::parse(bytes, limits).map(|message| message.n_segments());
        assert_eq!(found.unwrap_err().to_string(), expected);
    }

    #[test]
    fn every_limit_has_its_place() {
        let limits = Limits {
            message_bytes_max: 80,
            segments_max: 3,
            fields_per_segment_max: 5,
            repetitions_per_field_max: 2,
        };
        check(
            &[b'M'; 81],
            &limits,
            "the message is longer than `message_bytes_max`, 80 bytes (segment 1, byte 80)",
        );
        check(
            b"MSH|^~\\&|\rA11\rA12\rA13\r",
            &limits,
            "the message has more segments than `segments_max`, 3 (segment 4, byte 18)",
        );
        check(
            b"MSH|^~\\&|\rPID||||||6\r",
            &limits,
            "the segment has more fields than `fields_per_segment_max`, 5 (segment 2 `PID`, field 6, byte 18)",
        );
        check(
            "MSH|^~\\&|\rPID|é~b~c\r".as_bytes(),
            &limits,
            "the field has more repetitions than `repetitions_per_field_max`, 2 (segment 2 `PID`, field 1, byte 18)",
        );
        let within = b"MSH|^~\\&|||5\r\n\r\nPID|1~2||||5\nZZZ\n";
        assert_eq!(Message::parse(within, &limits).unwrap().n_segments(), 3);
    }

    #[test]
    fn places_of_latin_1_are_those_of_the_input() {
        let limits = Limits { repetitions_per_field_max: 1, ..Limits::default() };
        check(
            b"MSH|^~\\&||||||||||||||||8859/1\rPID|\xe9\xe9~\r",
            &limits,
            "the field has more repetitions than `repetitions_per_field_max`, 1 (segment 2 `PID`, field 1, byte 37)",
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Message::parse(&bytes, &Limits::default());
            let _ = Message::parse_header(&bytes, &Limits::default());
        }

        #[test]
        fn arbitrary_bytes_after_a_header_have_an_answer(
            header in prop_oneof![Just("MSH|^~\\&|"), Just("MSH|^~\\&#||||||||||||||||8859/1"), Just("MSH@!@@@")],
            rest in r#"([A-Z]{2}[0-9][|@]|[\^~\\&"|!XE0-9a-zé]|\r|\n|\r\nOBX\|){0,60}"#,
        ) {
            let text = format!("{header}{rest}");
            let Ok(message) = Message::parse(text.as_bytes(), &Limits::default()) else { return Ok(()) };
            // What is understood is understood again after it was printed, and every position can be asked for.
            let printed = message.to_bytes().unwrap();
            let again = Message::parse(&printed, &Limits::default()).unwrap();
            prop_assert_eq!(again.as_text(), message.as_text());
            for segment in message.all_segments() {
                for field in segment.fields() {
                    for repetition in field.repetitions() {
                        for component in repetition.components() {
                            let _ = component.subcomponents().filter(Value::is_given).count();
                        }
                    }
                }
            }
        }
    }
}
