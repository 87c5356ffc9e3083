//! Formats of the primitive types. A check allocates nothing; what is wrong is a fixed text that never repeats the value.

mod bytes;
mod date;
mod number;
mod text;
mod uri;

use fhir::Value;

/// The primitive types of R4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}

/// Why a value is not of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Another JSON type is needed.
    JsonType(&'static str),
    /// The format: slug and what is needed.
    Format(&'static str, &'static str),
}

impl Primitive {
    pub(crate) fn named(name: &str) -> Option<Primitive> {
        Some(match name {
            "base64Binary" => Primitive::Base64Binary,
            "boolean" => Primitive::Boolean,
            "canonical" => Primitive::Canonical,
            "code" => Primitive::Code,
            "date" => Primitive::Date,
            "dateTime" => Primitive::DateTime,
            "decimal" => Primitive::Decimal,
            "id" => Primitive::Id,
            "instant" => Primitive::Instant,
            "integer" => Primitive::Integer,
            "markdown" => Primitive::Markdown,
            "oid" => Primitive::Oid,
            "positiveInt" => Primitive::PositiveInt,
            "string" => Primitive::String,
            "time" => Primitive::Time,
            "unsignedInt" => Primitive::UnsignedInt,
            "uri" => Primitive::Uri,
            "url" => Primitive::Url,
            "uuid" => Primitive::Uuid,
            "xhtml" => Primitive::Xhtml,
            _ => return None,
        })
    }

    /// Is the value of this type.
    pub(crate) fn check(self, value: &Value) -> Result<(), Problem> {
        match (self, value) {
            (Primitive::Boolean, Value::Bool(_)) => Ok(()),
            (Primitive::Boolean, _) => Err(Problem::JsonType("`true` or `false` without quotes")),
            (Primitive::Decimal, Value::Number(number)) => number::check_decimal(number.as_str()),
            (Primitive::Integer, Value::Number(number)) => number::check_integer(number.as_str()),
            (Primitive::UnsignedInt, Value::Number(number)) => number::check_unsigned(number.as_str()),
            (Primitive::PositiveInt, Value::Number(number)) => number::check_positive(number.as_str()),
            (
                Primitive::Decimal | Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt,
                _,
            ) => Err(Problem::JsonType("a number without quotes")),
            (_, Value::String(text)) => self.check_text(text),
            _ => Err(Problem::JsonType("a string")),
        }
    }

    fn check_text(self, text: &str) -> Result<(), Problem> {
        if text.is_empty() {
            return Err(Problem::Format("empty-string", "a string is never empty: leave the element out"));
        }
        match self {
            Primitive::String | Primitive::Markdown => text::check_string(text),
            Primitive::Code => text::check_code(text),
            Primitive::Id => text::check_id(text),
            Primitive::Uri | Primitive::Url | Primitive::Canonical => uri::check_uri(text),
            Primitive::Oid => uri::check_oid(text),
            Primitive::Uuid => uri::check_uuid(text),
            Primitive::Date => date::check_date(text),
            Primitive::DateTime => date::check_date_time(text),
            Primitive::Instant => date::check_instant(text),
            Primitive::Time => date::check_time(text),
            Primitive::Base64Binary => bytes::check_base64(text),
            Primitive::Xhtml => crate::xhtml::check_xhtml(text),
            // Their JSON is no string.
            Primitive::Boolean
            | Primitive::Decimal
            | Primitive::Integer
            | Primitive::UnsignedInt
            | Primitive::PositiveInt => Ok(()),
        }
    }
}

/// `Ok` when it is right, else the format problem.
fn when(right: bool, slug: &'static str, needed: &'static str) -> Result<(), Problem> {
    if right { Ok(()) } else { Err(Problem::Format(slug, needed)) }
}
