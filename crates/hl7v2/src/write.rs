//! Builds messages, field after field, with every value escaped.

use crate::path::segment_id;
use crate::{Charset, Delimiters, Field, Limits, Message, ParseError, Value, escape};

/// Why a message could not be built or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A segment's name that is none.
    #[error(
        "a segment is named by three capital letters or digits, a letter first, and `MSH` is written by `Writer::new`"
    )]
    Segment,
    /// A value that needs an escape in a message without an escape character.
    #[error("a value needs an escape at byte {offset}, and the message declares no escape character")]
    NoEscape {
        /// Bytes of the value before it.
        offset: usize,
    },
    /// Parts for which the message has no delimiter.
    #[error("the message declares no delimiter for {parts}")]
    NoDelimiter {
        /// What cannot be written.
        parts: &'static str,
    },
    /// A character that the message's set lacks.
    #[error("byte {offset} of the message's text begins a character that {charset} lacks")]
    Character {
        /// The set.
        charset: Charset,
        /// Bytes of the text before it.
        offset: usize,
    },
    /// What was built is no message: beyond a limit, or MSH-18 names another set.
    #[error("what was written is no message: {0}")]
    Unreadable(ParseError),
}

/// A message under construction.
///
/// ```
/// use hl7v2::{Charset, Delimiters, Limits, Writer};
/// let mut out = Writer::new(Delimiters::default(), Charset::Utf8);
/// out.text("LAB")?.skip(5).components(&["ORU", "R01"])?;
/// out.segment("PID")?.text("1")?.skip(1).text("12|3")?.null();
/// let message = out.finish(&Limits::default())?;
/// assert_eq!(message.as_text(), "MSH|^~\\&|LAB||||||ORU^R01\rPID|1||12\\F\\3|\"\"\r");
/// # Ok::<(), hl7v2::EncodeError>(())
/// ```
pub struct Writer {
    text: String,
    delimiters: Delimiters,
    charset: Charset,
}

impl Writer {
    /// Begins a message: MSH-1 and MSH-2 are written, the next field is MSH-3.
    pub fn new(delimiters: Delimiters, charset: Charset) -> Writer {
        let text = format!("MSH{}{}", delimiters.field(), delimiters.encoding());
        Writer { text, delimiters, charset }
    }

    /// Begins the next segment; the next field is its first.
    ///
    /// # Errors
    /// When the name is none of a segment.
    pub fn segment(&mut self, id: &str) -> Result<&mut Writer, EncodeError> {
        if segment_id(id.as_bytes()).is_none() || id == "MSH" {
            return Err(EncodeError::Segment);
        }
        self.text.push('\r');
        self.text.push_str(id);
        Ok(self)
    }

    /// Adds a field with one value; an empty text is an empty field.
    ///
    /// # Errors
    /// When the value needs an escape and the message has none.
    pub fn text(&mut self, value: &str) -> Result<&mut Writer, EncodeError> {
        self.components(&[value])
    }

    /// Adds a null, `""`.
    pub fn null(&mut self) -> &mut Writer {
        self.separate(self.delimiters.field);
        self.text.push_str("\"\"");
        self
    }

    /// Adds empty fields.
    pub fn skip(&mut self, n_fields: usize) -> &mut Writer {
        for _ in 0..n_fields {
            self.separate(self.delimiters.field);
        }
        self
    }

    /// Adds a field of components.
    ///
    /// # Errors
    /// When a value needs an escape and the message has none.
    pub fn components(&mut self, values: &[&str]) -> Result<&mut Writer, EncodeError> {
        let repetition =
            values.iter().map(|value| vec![Value::Text((*value).into())]).collect::<Vec<Vec<Value<'_>>>>();
        self.repetitions(&[repetition])
    }

    /// Adds a field of repetitions, each a list of components, each a list of subcomponents.
    ///
    /// # Errors
    /// When a value needs an escape and the message has none, or the message has no delimiter for the parts.
    pub fn repetitions(&mut self, values: &[Vec<Vec<Value<'_>>>]) -> Result<&mut Writer, EncodeError> {
        self.separate(self.delimiters.field);
        for (index, repetition) in values.iter().enumerate() {
            self.separate_after_first(index, self.delimiters.repetition, "repetitions")?;
            for (index, component) in repetition.iter().enumerate() {
                self.separate_after_first(index, Some(self.delimiters.component), "components")?;
                for (index, value) in component.iter().enumerate() {
                    self.separate_after_first(index, self.delimiters.subcomponent, "subcomponents")?;
                    self.value(value)?;
                }
            }
        }
        Ok(self)
    }

    /// Adds a field of another message, as it was written where both have the same delimiters and character set.
    ///
    /// # Errors
    /// As [`Writer::repetitions`].
    pub fn copy(&mut self, field: &Field<'_>) -> Result<&mut Writer, EncodeError> {
        let is_same = field.message.delimiters == self.delimiters && field.message.charset == self.charset;
        if is_same || field.is_verbatim {
            self.separate(self.delimiters.field);
            self.text.push_str(field.as_written().unwrap_or_default());
            return Ok(self);
        }
        let repetitions: Vec<Vec<Vec<Value<'_>>>> = field
            .repetitions()
            .map(|repetition| {
                repetition.components().map(|component| component.subcomponents().collect()).collect()
            })
            .collect();
        self.repetitions(&repetitions)
    }

    /// Ends the message.
    ///
    /// # Errors
    /// When a character is not in the set, or what was written is beyond a limit or names another set in MSH-18.
    pub fn finish(mut self, limits: &Limits) -> Result<Message, EncodeError> {
        self.text.push('\r');
        let charset = self.charset;
        let bytes =
            charset.encode(&self.text).map_err(|offset| EncodeError::Character { charset, offset })?;
        let message = Message::parse_as(&bytes, limits, charset).map_err(EncodeError::Unreadable)?;
        Ok(message)
    }

    fn value(&mut self, value: &Value<'_>) -> Result<(), EncodeError> {
        match value {
            Value::Absent | Value::Empty => Ok(()),
            Value::Null => {
                self.text.push_str("\"\"");
                Ok(())
            }
            Value::Text(text) => escape(text, &self.delimiters, &mut self.text)
                .map_err(|offset| EncodeError::NoEscape { offset }),
        }
    }

    fn separate(&mut self, delimiter: u8) {
        self.text.push(delimiter.into());
    }

    fn separate_after_first(
        &mut self,
        index: usize,
        delimiter: Option<u8>,
        parts: &'static str,
    ) -> Result<(), EncodeError> {
        if index > 0 {
            self.separate(delimiter.ok_or(EncodeError::NoDelimiter { parts })?);
        }
        Ok(())
    }
}
