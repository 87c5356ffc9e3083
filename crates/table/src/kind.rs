//! What a column holds, and how Arrow holds it.

use std::fmt;

use arrow::datatypes::{DataType, TimeUnit};

/// What a column holds. A column is text until a declared schema says otherwise: a ZIP or a CPT code keeps its zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Characters as they were written.
    Text,
    /// A 64-bit integer.
    Integer,
    /// An exact decimal: all digits, and how many of them stand behind the point.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// A 64-bit floating point number.
    Number,
    /// A calendar day.
    Date,
    /// A moment: microseconds since 1970 in UTC.
    Instant,
    /// True or false.
    Boolean,
}

impl Type {
    /// The type's name in a pipeline file: `text`, `integer`, `decimal(18,4)`, `number`, `date`, `instant`, `boolean`.
    pub fn parse(name: &str) -> Option<Type> {
        Some(match name {
            "text" => Type::Text,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "date" => Type::Date,
            "instant" => Type::Instant,
            "boolean" => Type::Boolean,
            _ => {
                let inner = name.strip_prefix("decimal(")?.strip_suffix(')')?;
                let (precision, scale) = inner.split_once(',')?;
                let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                if !(1..=38).contains(&precision) || scale > precision {
                    return None;
                }
                Type::Decimal { precision, scale }
            }
        })
    }

    /// All names, for error texts.
    pub const NAMES: &'static str =
        "`text`, `integer`, `decimal(p,s)`, `number`, `date`, `instant`, `boolean`";

    /// How Arrow holds the type. Text may be held as a dictionary instead: see [`Type::holds`].
    pub fn data_type(self) -> DataType {
        match self {
            Type::Text => DataType::Utf8View,
            Type::Integer => DataType::Int64,
            Type::Decimal { precision, scale } => {
                DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
            }
            Type::Number => DataType::Float64,
            Type::Date => DataType::Date32,
            Type::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Type::Boolean => DataType::Boolean,
        }
    }

    /// A dictionary of text: 32-bit codes.
    pub fn dictionary() -> DataType {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
    }

    /// Whether an Arrow column of this type may stand for a column of this type.
    pub fn holds(self, data: &DataType) -> bool {
        *data == self.data_type() || (self == Type::Text && *data == Type::dictionary())
    }

    /// The type of an Arrow column, when it is one of ours.
    pub fn of(data: &DataType) -> Option<Type> {
        Some(match data {
            DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8 => Type::Text,
            DataType::Dictionary(_, value) if Type::of(value) == Some(Type::Text) => Type::Text,
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => Type::Integer,
            DataType::Decimal128(precision, scale) => {
                Type::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Type::Number,
            DataType::Date32 | DataType::Date64 => Type::Date,
            DataType::Timestamp(_, _) => Type::Instant,
            DataType::Boolean => Type::Boolean,
            _ => return None,
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Text => f.write_str("text"),
            Type::Integer => f.write_str("integer"),
            Type::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Type::Number => f.write_str("number"),
            Type::Date => f.write_str("date"),
            Type::Instant => f.write_str("instant"),
            Type::Boolean => f.write_str("boolean"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["text", "integer", "decimal(18,4)", "number", "date", "instant", "boolean"] {
            let kind = Type::parse(name).unwrap();
            assert_eq!(kind.to_string(), name);
            assert_eq!(Type::of(&kind.data_type()), Some(kind));
        }
        for wrong in ["string", "decimal", "decimal(3,4)", "decimal(39,1)", "Text"] {
            assert_eq!(Type::parse(wrong), None, "{wrong}");
        }
    }
}
