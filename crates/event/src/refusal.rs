//! Why an event or a value was not taken: a slug, a place, a reason. Never the value.

use std::fmt;

/// Something that was sent and cannot be read: a dead letter, or an unreadable value on a worklist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{place}`: {why}")]
pub struct Refusal {
    /// JSON pointer (`/data/spo2`), path of HL7 v2 (`OBX(3)-5`) or element of FHIR.
    pub place: String,
    /// The reason.
    pub why: Why,
}

impl Refusal {
    /// At a place.
    pub fn at(place: impl Into<String>, why: Why) -> Refusal {
        Refusal { place: place.into(), why }
    }

    /// The reason as one stable word.
    pub fn slug(&self) -> &'static str {
        self.why.slug()
    }
}

/// Why something cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Not the format it should be; what the parser said, without contents.
    Malformed(String),
    /// Longer or more than is allowed.
    TooLarge {
        /// The limit.
        max: usize,
        /// What is counted.
        of: &'static str,
    },
    /// Must be there.
    Missing,
    /// No such member, in a place where only known ones may stand.
    UnknownMember,
    /// Said twice, by two names.
    Twice,
    /// Another type or form.
    Expected(&'static str),
    /// A version of the envelope that is not known here.
    Schema {
        /// The newest that is known.
        newest: u16,
    },
    /// A time without an offset, from a source whose zone is not configured.
    NoOffset,
    /// Later than now by more than the tolerance.
    Future {
        /// The tolerance.
        secs_max: u32,
    },
    /// No number.
    NotANumber,
    /// More than 18 digits.
    TooManyDigits,
    /// Not a value of this measure whatever happened.
    Absurd {
        /// The lowest that is taken.
        low: String,
        /// The highest.
        high: String,
        /// Their unit.
        unit: &'static str,
    },
    /// A value whose unit is not said and not conventional.
    MissingUnit {
        /// The unit of this measure.
        usual: &'static str,
    },
    /// A unit that is not one of this measure.
    UnknownUnit {
        /// The unit of this measure.
        usual: &'static str,
    },
    /// A measure that nobody knows by this name.
    UnknownName,
    /// Nothing in it could be read.
    Nothing,
}

impl Why {
    /// One stable word.
    pub fn slug(&self) -> &'static str {
        match self {
            Why::Malformed(_) => "malformed",
            Why::TooLarge { .. } => "too-large",
            Why::Missing => "missing",
            Why::UnknownMember => "unknown-member",
            Why::Twice => "twice",
            Why::Expected(_) => "wrong-type",
            Why::Schema { .. } => "schema",
            Why::NoOffset => "no-offset",
            Why::Future { .. } => "future",
            Why::NotANumber => "not-a-number",
            Why::TooManyDigits => "too-many-digits",
            Why::Absurd { .. } => "absurd",
            Why::MissingUnit { .. } => "missing-unit",
            Why::UnknownUnit { .. } => "unknown-unit",
            Why::UnknownName => "unknown-name",
            Why::Nothing => "nothing",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Malformed(what) => f.write_str(what),
            Why::TooLarge { max, of } => write!(f, "more than {max} {of}"),
            Why::Missing => f.write_str("it is missing; say it"),
            Why::UnknownMember => f.write_str("no such member; take it out, or put it in `data`"),
            Why::Twice => f.write_str("it is said twice; say it once"),
            Why::Expected(what) => write!(f, "{what} is expected"),
            Why::Schema { newest } => {
                write!(f, "this version of the envelope is not known; the newest here is {newest}")
            }
            Why::NoOffset => {
                f.write_str("the time has no offset; send one, or set `zone_minutes` of the source")
            }
            Why::Future { secs_max } => {
                write!(f, "later than now by more than {secs_max} s; check the sender's clock")
            }
            Why::NotANumber => f.write_str("not a number"),
            Why::TooManyDigits => f.write_str("more than 18 digits"),
            Why::Absurd { low, high, unit } => {
                write!(f, "outside {low} to {high} {unit}; check value and unit")
            }
            Why::MissingUnit { usual } => {
                write!(
                    f,
                    "the unit is missing; send one (usually `{usual}`), or set it in `units` of the source"
                )
            }
            Why::UnknownUnit { usual } => {
                write!(f, "not a unit of this measure (usually `{usual}`); check the unit")
            }
            Why::UnknownName => f.write_str(
                "no measure is known by this name; send a LOINC code, or map it in `codes` of the source",
            ),
            Why::Nothing => f.write_str("nothing in it could be read"),
        }
    }
}
