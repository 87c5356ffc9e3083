//! A parsed message: one buffer of text and the positions of its fields.

use crate::segment::{Segment, SegmentGroup};
use crate::{Charset, Delimiters, EncodeError, Path, PathError, Value};
use std::fmt;

/// A message. Parse one with [`Message::parse`], build one with [`Writer`](crate::Writer).
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Every segment as it was written, each ended by CR.
    pub(crate) text: String,
    pub(crate) spans: Vec<Span>,
    /// Where each field begins, segment after segment; the field's end is before the next, or before the segment's end.
    pub(crate) field_starts: Vec<u32>,
    pub(crate) delimiters: Delimiters,
    pub(crate) charset: Charset,
}

/// Where a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) id: [u8; 3],
    /// Byte of `text` at which the segment begins, and at which its CR stands.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The first of its fields in `field_starts`, and how many they are.
    pub(crate) first_field: u32,
    pub(crate) n_fields: u32,
}

impl Message {
    /// The value at a path such as `PID-3(2).4.2`. Parse a [`Path`] once and use [`Message::at`] to ask many messages.
    ///
    /// # Errors
    /// When the text is no path. A position that is not there is [`Value::Absent`].
    pub fn get(&self, path: &str) -> Result<Value<'_>, PathError> {
        Ok(self.at(&Path::parse(path)?))
    }

    /// The value at a path.
    pub fn at(&self, path: &Path) -> Value<'_> {
        let nth = path.occurrence().unwrap_or(1);
        match self.segments(path.segment()).nth(nth - 1) {
            Some(segment) => segment.at(path),
            None => Value::Absent,
        }
    }

    /// How many segments there are.
    pub fn n_segments(&self) -> usize {
        self.spans.len()
    }

    /// The segment at an index, from 0.
    pub fn segment(&self, index: usize) -> Option<Segment<'_>> {
        (index < self.spans.len()).then_some(Segment { message: self, index })
    }

    /// All segments, in order.
    pub fn all_segments(&self) -> impl DoubleEndedIterator<Item = Segment<'_>> + ExactSizeIterator + Clone {
        (0..self.spans.len()).map(|index| Segment { message: self, index })
    }

    /// The segments of a name, in order.
    pub fn segments<'m, 'n>(
        &'m self,
        id: &'n str,
    ) -> impl DoubleEndedIterator<Item = Segment<'m>> + Clone + use<'m, 'n> {
        self.all_segments().filter(move |segment| segment.id() == id)
    }

    /// Groups by simple order: each segment of a name with what follows it up to the next of that name. `groups("OBR")` gives each order with its
    /// results. What belongs together by the message's structure is told by [`groups::Groups`](crate::groups::Groups).
    pub fn groups<'m, 'n>(
        &'m self,
        id: &'n str,
    ) -> impl Iterator<Item = SegmentGroup<'m>> + Clone + use<'m, 'n> {
        self.segments(id).map(move |head| {
            let next = self.spans[head.index + 1..].iter().position(|span| span.id == head.span().id);
            let end = next.map_or(self.spans.len(), |n| head.index + 1 + n);
            SegmentGroup { head, end }
        })
    }

    /// The message as text: each segment as it was written, ended by CR. Line ends and blank lines are all that parsing changes.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The message as bytes, in its own character set.
    ///
    /// # Errors
    /// For a message that was built: when a character is not in its set.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let charset = self.charset;
        charset.encode(&self.text).map_err(|offset| EncodeError::Character { charset, offset })
    }

    /// The delimiters that it declares.
    pub fn delimiters(&self) -> &Delimiters {
        &self.delimiters
    }

    /// The character set in which it was read and is written.
    pub fn charset(&self) -> Charset {
        self.charset
    }
}

/// Type and size; without contents.
impl fmt::Debug for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = |value: Option<std::borrow::Cow<'_, str>>| match value {
            Some(text) if crate::path::segment_id(text.as_bytes()).is_some() => text.into_owned(),
            _ => "?".to_owned(),
        };
        let (kind, trigger) = (code(self.code()), code(self.trigger()));
        write!(out, "Message({kind}^{trigger}, {} segments)", self.n_segments())
    }
}
