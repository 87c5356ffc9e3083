//! Dates, date-times and times of FHIRPath: what is stated, and no more.

mod arithmetic;
mod boundary;
mod compare;
mod parse;

use std::fmt;

pub(crate) use arithmetic::Unit;

/// What a temporal value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    Date,
    DateTime,
    Time,
}

/// How much is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
}

/// A date, a date-time or a time of day of FHIRPath, with its stated precision and offset.
///
/// Equality is equality of the text; use FHIRPath's `=` for the meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Temporal {
    pub(crate) family: Family,
    pub(crate) precision: Precision,
    pub(crate) year: i16,
    pub(crate) month: i8,
    pub(crate) day: i8,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    pub(crate) second: i8,
    /// Fraction of the second, and how many of its digits are stated.
    pub(crate) nanos: i32,
    pub(crate) n_digits: u8,
    /// Minutes from UTC.
    pub(crate) offset: Option<i16>,
}

impl Temporal {
    /// The text of a literal without its `@`: times begin with `T`, date-times contain one.
    pub(crate) fn literal(&self) -> String {
        match self.family {
            Family::Date => self.to_string(),
            Family::Time => format!("T{self}"),
            Family::DateTime if self.precision <= Precision::Day => format!("{self}T"),
            Family::DateTime => self.to_string(),
        }
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.family != Family::Time {
            write!(f, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day)?;
            }
            if self.precision >= Precision::Hour {
                f.write_str("T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", self.hour)?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.second)?;
        }
        if self.precision >= Precision::Fraction {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", &digits[..usize::from(self.n_digits)])?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
        }
    }
}
