//! How the text of a column becomes values, and what can be wrong with a text.

use crate::Type;
use crate::typing::Format;

/// How the text of a column becomes values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the values are.
    pub kind: Type,
    /// Forms of a date or an instant, tried in this order. Empty: `2026-01-31` for dates, RFC 3339 for instants.
    pub formats: Vec<Format>,
    /// Texts that mean a missing value. Of columns that are not text, blanks around the text do not count.
    pub null_values: Vec<String>,
    /// Numbers are written `1.234,5` or `1234,5`: the comma is the decimal sign, points group digits.
    pub decimal_comma: bool,
    /// Minutes east of UTC of instants that are written without a zone. `None`: such an instant is an error.
    pub zone_minutes: Option<i32>,
    /// What becomes of a text that is not of the type.
    pub on_error: OnError,
}

impl Reading {
    /// Reads a type in its usual form: an empty text is missing, a wrong one sends the row to quarantine.
    pub fn new(kind: Type) -> Reading {
        Reading {
            kind,
            formats: Vec::new(),
            null_values: vec![String::new()],
            decimal_comma: false,
            zone_minutes: None,
            on_error: OnError::Quarantine,
        }
    }
}

/// What becomes of a text that is not of the declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The row is rejected.
    Quarantine,
    /// The value is missing, and counted.
    Null,
}

/// What is wrong with the text of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not of the form of the type.
    Form,
    /// Of the form, but too large or too small for the type.
    Range,
    /// More digits behind the decimal sign than declared.
    Digits,
    /// A day or a time that does not exist: 30 February, 25 o'clock.
    Calendar,
    /// A time of day in a column of dates.
    TimeOfDay,
    /// An instant without a zone.
    Zone,
}

impl Fault {
    /// All, in the order of their declaration.
    pub(crate) const ALL: [Fault; 6] =
        [Fault::Form, Fault::Range, Fault::Digits, Fault::Calendar, Fault::TimeOfDay, Fault::Zone];

    /// The word for machines.
    pub fn reason(self, kind: Type) -> &'static str {
        match (self, kind) {
            (Fault::Range, _) => "out_of_range",
            (Fault::Digits, _) => "too_many_digits",
            (Fault::Calendar, _) => "no_such_day",
            (Fault::TimeOfDay, _) => "time_of_day",
            (Fault::Zone, _) => "no_zone",
            (Fault::Form, Type::Integer) => "bad_integer",
            (Fault::Form, Type::Decimal { .. }) => "bad_decimal",
            (Fault::Form, Type::Number) => "bad_number",
            (Fault::Form, Type::Date) => "bad_date",
            (Fault::Form, Type::Instant) => "bad_instant",
            (Fault::Form, Type::Boolean) => "bad_boolean",
            (Fault::Form, Type::Text) => "bad_text",
        }
    }

    /// The sentence for people. It never holds the text.
    pub fn message(self, column: &str, reading: &Reading) -> String {
        let kind = reading.kind;
        match self {
            Fault::Range => format!("`{column}` is out of the range of {kind}"),
            Fault::Digits => format!("`{column}` has more digits behind the decimal sign than {kind}"),
            Fault::Calendar => format!("`{column}` names a day or a time that does not exist"),
            Fault::TimeOfDay => format!("`{column}` is declared a date and has a time of day"),
            Fault::Zone => format!("`{column}` is an instant without a zone: declare `zone`"),
            Fault::Form if !reading.formats.is_empty() => {
                let formats: Vec<String> =
                    reading.formats.iter().map(|format| format!("`{}`", format.written())).collect();
                format!("`{column}` is not {kind} in the form {}", formats.join(" or "))
            }
            Fault::Form => format!("`{column}` is not {kind}"),
        }
    }
}
