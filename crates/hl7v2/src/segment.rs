//! One segment of a message, and the segments that follow one.

use crate::message::Span;
use crate::part::Field;
use crate::{Message, Path, Value};
use std::fmt;

/// A segment of a message.
#[derive(Clone, Copy)]
pub struct Segment<'m> {
    pub(crate) message: &'m Message,
    pub(crate) index: usize,
}

impl<'m> Segment<'m> {
    pub(crate) fn span(&self) -> &'m Span {
        &self.message.spans[self.index]
    }

    /// Its name, such as `PID`.
    pub fn id(&self) -> &'m str {
        let start = at(self.span().start);
        &self.message.text[start..start + 3]
    }

    /// Its index in the message, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The segment as it was written, without its end.
    pub fn as_written(&self) -> &'m str {
        &self.message.text[at(self.span().start)..at(self.span().end)]
    }

    fn is_header(&self) -> bool {
        self.span().id == *b"MSH"
    }

    /// How many fields it has, as the standard counts: MSH-1 is the separator.
    pub fn n_fields(&self) -> usize {
        at(self.span().n_fields) + usize::from(self.is_header())
    }

    /// A field by its number, from 1; one that is not there is absent.
    pub fn field(&self, number: usize) -> Field<'m> {
        let message = self.message;
        if self.is_header() && number == 1 {
            let start = at(self.span().start) + 3;
            return Field { written: Some(&message.text[start..=start]), is_verbatim: true, message };
        }
        let index = number.checked_sub(if self.is_header() { 2 } else { 1 });
        let span = self.span();
        let written = index.filter(|index| *index < at(span.n_fields)).map(|index| {
            let starts = &message.field_starts[at(span.first_field)..at(span.first_field + span.n_fields)];
            let end = starts.get(index + 1).map_or(span.end, |next| next - 1);
            &message.text[at(starts[index])..at(end)]
        });
        Field { written, is_verbatim: self.is_header() && number == 2, message }
    }

    /// Its fields, from number 1.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'m>> + use<'m> {
        let segment = *self;
        (0..self.n_fields()).map(move |index| segment.field(index + 1))
    }

    /// The value at a path in this segment, whatever segment the path names.
    pub fn at(&self, path: &Path) -> Value<'m> {
        self.field(path.field())
            .repetition(path.repetition().unwrap_or(1))
            .component(path.component())
            .subcomponent(path.subcomponent())
    }

    /// The segments directly after this one whose name is among `ids`, such as the `NTE` of an OBX, up to the first of another name.
    pub fn followed_by<'i>(
        &self,
        ids: &'i [&'i str],
    ) -> impl Iterator<Item = Segment<'m>> + Clone + use<'m, 'i> {
        self.message
            .all_segments()
            .skip(self.index + 1)
            .take_while(move |segment| ids.contains(&segment.id()))
    }
}

/// Name and number; without contents.
impl fmt::Debug for Segment<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Segment({}, {})", self.index + 1, self.id())
    }
}

/// A segment and those that follow it, up to the next of its name.
#[derive(Clone, Copy, Debug)]
pub struct SegmentGroup<'m> {
    pub(crate) head: Segment<'m>,
    /// Index of the first segment that is not of the group.
    pub(crate) end: usize,
}

impl<'m> SegmentGroup<'m> {
    /// The segment that begins the group.
    pub fn head(&self) -> Segment<'m> {
        self.head
    }

    /// The segments after the head.
    pub fn following(&self) -> impl ExactSizeIterator<Item = Segment<'m>> + Clone + use<'m> {
        let message = self.head.message;
        (self.head.index + 1..self.end).map(move |index| Segment { message, index })
    }

    /// The segments of a name after the head.
    pub fn segments<'n>(&self, id: &'n str) -> impl Iterator<Item = Segment<'m>> + Clone + use<'m, 'n> {
        self.following().filter(move |segment| segment.id() == id)
    }
}

pub(crate) fn at(position: u32) -> usize {
    usize::try_from(position).expect("positions of a text in memory fit")
}
