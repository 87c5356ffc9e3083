//! Fields, and inside them repetitions, components and subcomponents: found when they are asked for.

use crate::{Message, Value, unescape};

/// A field of a segment, which may be absent.
#[derive(Clone, Copy)]
pub struct Field<'m> {
    pub(crate) written: Option<&'m str>,
    /// MSH-1 and MSH-2 hold the delimiters themselves and have no parts.
    pub(crate) is_verbatim: bool,
    pub(crate) message: &'m Message,
}

/// One repetition of a field, which may be absent.
#[derive(Clone, Copy)]
pub struct Repetition<'m>(Field<'m>);

/// One component of a repetition, which may be absent.
#[derive(Clone, Copy)]
pub struct Component<'m>(Field<'m>);

impl<'m> Field<'m> {
    /// The field as it was written, with its delimiters and escapes.
    pub fn as_written(&self) -> Option<&'m str> {
        self.written
    }

    /// Its repetitions; none when the field is absent.
    pub fn repetitions(&self) -> impl Iterator<Item = Repetition<'m>> + Clone + use<'m> {
        self.split(self.message.delimiters.repetition).map(Repetition)
    }

    /// A repetition by its number, from 1.
    pub fn repetition(&self, number: usize) -> Repetition<'m> {
        Repetition(self.nth(self.message.delimiters.repetition, number))
    }

    /// The first component's first subcomponent in the first repetition: what a receiver of a simple value reads.
    pub fn value(&self) -> Value<'m> {
        self.repetition(1).value()
    }

    fn is_null(&self) -> bool {
        self.written == Some("\"\"")
    }

    fn split(&self, delimiter: Option<u8>) -> impl Iterator<Item = Field<'m>> + Clone + use<'m> {
        let field = *self;
        // A delimiter that is not declared stands nowhere; CR cannot stand in a field.
        let delimiter = delimiter.filter(|_| !self.is_verbatim).map_or('\r', char::from);
        let parts = self.written.map(|written| written.split(delimiter));
        parts.into_iter().flatten().map(move |part| Field { written: Some(part), ..field })
    }

    fn nth(&self, delimiter: Option<u8>, number: usize) -> Field<'m> {
        let absent = Field { written: None, ..*self };
        number.checked_sub(1).and_then(|index| self.split(delimiter).nth(index)).unwrap_or(absent)
    }

    /// Like [`Field::nth`]; every part of a null is a null, because nothing of it has a value.
    fn nth_or_null(&self, delimiter: Option<u8>, number: usize) -> Field<'m> {
        if self.is_null() && number > 0 { *self } else { self.nth(delimiter, number) }
    }

    fn text(&self) -> Value<'m> {
        match self.written {
            None => Value::Absent,
            Some("") => Value::Empty,
            Some(_) if self.is_null() => Value::Null,
            Some(written) if self.is_verbatim => Value::Text(written.into()),
            Some(written) => {
                // A sequence such as `\H\` alone says nothing.
                let text = unescape(written, &self.message.delimiters, self.message.charset);
                if text.is_empty() { Value::Empty } else { Value::Text(text) }
            }
        }
    }
}

impl<'m> Repetition<'m> {
    /// The repetition as it was written.
    pub fn as_written(&self) -> Option<&'m str> {
        self.0.written
    }

    /// Its components; none when it is absent.
    pub fn components(&self) -> impl Iterator<Item = Component<'m>> + Clone + use<'m> {
        self.0.split(Some(self.0.message.delimiters.component)).map(Component)
    }

    /// A component by its number, from 1.
    pub fn component(&self, number: usize) -> Component<'m> {
        Component(self.0.nth_or_null(Some(self.0.message.delimiters.component), number))
    }

    /// Its first component's first subcomponent.
    pub fn value(&self) -> Value<'m> {
        self.component(1).value()
    }
}

impl<'m> Component<'m> {
    /// The component as it was written.
    pub fn as_written(&self) -> Option<&'m str> {
        self.0.written
    }

    /// Its subcomponents; none when it is absent.
    pub fn subcomponents(&self) -> impl Iterator<Item = Value<'m>> + Clone + use<'m> {
        self.0.split(self.0.message.delimiters.subcomponent).map(|part| part.text())
    }

    /// A subcomponent by its number, from 1.
    pub fn subcomponent(&self, number: usize) -> Value<'m> {
        self.0.nth_or_null(self.0.message.delimiters.subcomponent, number).text()
    }

    /// Its first subcomponent.
    pub fn value(&self) -> Value<'m> {
        self.subcomponent(1)
    }
}
