//! Why bytes are no message: the place and the problem, never contents.

use crate::Charset;
use std::fmt;

/// Where in a message something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the segment, from 1; blank lines are not counted.
    pub segment: usize,
    /// The segment's name, where it has a proper one.
    pub id: Option<[u8; 3]>,
    /// Number of the field as the standard counts (MSH-1 is the separator), where the problem is in one.
    pub field: Option<usize>,
    /// Bytes before the problem in the message as it came.
    pub offset: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "segment {}", self.segment)?;
        if let Some(id) = self.id.as_ref().and_then(|id| std::str::from_utf8(id).ok()) {
            write!(out, " `{id}`")?;
        }
        if let Some(field) = self.field {
            write!(out, ", field {field}")?;
        }
        write!(out, ", byte {}", self.offset)
    }
}

/// Bytes that are no message: what is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} ({place})")]
pub struct ParseError {
    /// Where it is wrong.
    pub place: Place,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no segment at all.
    #[error("the message is empty")]
    Empty,
    /// It is longer than `Limits::message_bytes_max`.
    #[error("the message is longer than `message_bytes_max`, {max} bytes")]
    MessageTooLong {
        /// The limit.
        max: usize,
    },
    /// It has more segments than `Limits::segments_max`.
    #[error("the message has more segments than `segments_max`, {max}")]
    TooManySegments {
        /// The limit.
        max: usize,
    },
    /// A segment has more fields than `Limits::fields_per_segment_max`.
    #[error("the segment has more fields than `fields_per_segment_max`, {max}")]
    TooManyFields {
        /// The limit.
        max: usize,
    },
    /// A field has more repetitions than `Limits::repetitions_per_field_max`.
    #[error("the field has more repetitions than `repetitions_per_field_max`, {max}")]
    TooManyRepetitions {
        /// The limit.
        max: usize,
    },
    /// The first segment is not MSH.
    #[error("a message begins with `MSH` and its field separator")]
    NoHeader,
    /// MSH-1 and MSH-2 declare no delimiters that can be told apart.
    #[error("`MSH-1` and `MSH-2` must be two to six different punctuation characters such as `|^~\\&`")]
    Delimiters,
    /// A second MSH: two messages in a row.
    #[error("a second `MSH` begins another message; split files with `split_messages`")]
    SecondHeader,
    /// A line that does not begin with a segment's name and a field separator.
    #[error(
        "the line is no segment: a name of three capital letters or digits and `{separator}` are expected; a line break inside a value must be escaped"
    )]
    NoSegment {
        /// The message's field separator.
        separator: char,
    },
    /// MSH-18 names a set that is not read.
    #[error(
        "`MSH-18` names a character set that is not supported; `ASCII`, `UNICODE UTF-8` and `8859/1` are"
    )]
    UnsupportedCharset,
    /// A UTF-8 byte order mark before a message that says to be something else.
    #[error("the message begins with the byte order mark of UTF-8, but `MSH-18` names another character set")]
    ByteOrderMark,
    /// A byte that is no character of the set.
    #[error("a byte is no character of {charset}{}", if *.declared { "" } else { ", which is read where `MSH-18` is empty" })]
    InvalidByte {
        /// The set that was read.
        charset: Charset,
        /// Whether MSH-18 named it.
        declared: bool,
    },
}
