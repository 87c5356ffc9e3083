//! Paths to values, such as `PID-3(2).4.2`.

use std::fmt;
use std::str::FromStr;

/// Largest number in a path; longer ones are slips of the pen.
const NUMBER_MAX: u32 = 99_999;

/// Where a value stands: `OBX(3)-5(2).4.1` is the first subcomponent of the fourth component of the second repetition of field 5 in the third OBX.
///
/// Numbers count from 1. What is left out is the first, as the standard wants it from a receiver that expects less than it is sent: `PID-3` is
/// `PID(1)-3(1).1.1`. Ask [`Field`](crate::Field) for all repetitions, and for the whole field as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    segment: [u8; 3],
    occurrence: Option<u32>,
    field: u32,
    repetition: Option<u32>,
    component: Option<u32>,
    subcomponent: Option<u32>,
}

/// A text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with the name of a segment.
    #[error(
        "`{path}` does not begin with a segment such as `PID`: three capital letters or digits, a letter first"
    )]
    Segment {
        /// The text.
        path: String,
    },
    /// No `-` and field number after the segment.
    #[error("`{path}` names no field: write the segment, `-` and a number, such as `PID-3`")]
    Field {
        /// The text.
        path: String,
    },
    /// A number that is none, or is 0 or too large.
    #[error("`{path}`: the number of the {part} must be 1 to {NUMBER_MAX}")]
    Number {
        /// The text.
        path: String,
        /// Whose number it is.
        part: &'static str,
    },
    /// An opening parenthesis without a closing one.
    #[error("`{path}`: the `(` of the {part} is not closed")]
    Parenthesis {
        /// The text.
        path: String,
        /// What is counted in it.
        part: &'static str,
    },
    /// Something after the path.
    #[error("`{path}`: `{rest}` is no part of a path; the form is `SEG(n)-field(n).component.subcomponent`")]
    Rest {
        /// The text.
        path: String,
        /// What is left over.
        rest: String,
    },
}

impl Path {
    /// Parses a path such as `PID-3.1`, `PID-3(2).4.2` or `OBX(3)-5`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(path: &str) -> Result<Path, PathError> {
        let whole = || path.to_owned();
        let (segment, rest) = path
            .split_at_checked(3)
            .and_then(|(name, rest)| Some((segment_id(name.as_bytes())?, rest)))
            .ok_or_else(|| PathError::Segment { path: whole() })?;
        let mut rest = Rest { path, rest };
        let occurrence = rest.counted("segment")?;
        if !rest.take('-') {
            return Err(PathError::Field { path: whole() });
        }
        let field = rest.number("field")?;
        let repetition = rest.counted("repetition")?;
        let component = if rest.take('.') { Some(rest.number("component")?) } else { None };
        let has_more = component.is_some() && rest.take('.');
        let subcomponent = if has_more { Some(rest.number("subcomponent")?) } else { None };
        if !rest.rest.is_empty() {
            return Err(PathError::Rest { path: whole(), rest: rest.rest.to_owned() });
        }
        Ok(Path { segment, occurrence, field, repetition, component, subcomponent })
    }

    /// The segment's name.
    pub fn segment(&self) -> &str {
        std::str::from_utf8(&self.segment).unwrap_or_default()
    }

    /// Which of the segments of this name, from 1, when the path says it.
    pub fn occurrence(&self) -> Option<usize> {
        self.occurrence.map(as_usize)
    }

    /// The field's number.
    pub fn field(&self) -> usize {
        as_usize(self.field)
    }

    /// Which repetition of the field, from 1, when the path says it.
    pub fn repetition(&self) -> Option<usize> {
        self.repetition.map(as_usize)
    }

    /// The component's number, 1 when the path does not say it.
    pub fn component(&self) -> usize {
        self.component.map_or(1, as_usize)
    }

    /// The subcomponent's number, 1 when the path does not say it.
    pub fn subcomponent(&self) -> usize {
        self.subcomponent.map_or(1, as_usize)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.segment())?;
        if let Some(n) = self.occurrence {
            write!(out, "({n})")?;
        }
        write!(out, "-{}", self.field)?;
        if let Some(n) = self.repetition {
            write!(out, "({n})")?;
        }
        for n in [self.component, self.subcomponent].into_iter().flatten() {
            write!(out, ".{n}")?;
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Path, PathError> {
        Path::parse(path)
    }
}

/// A segment's name, when the bytes are one: a capital letter and two capital letters or digits.
pub(crate) fn segment_id(name: &[u8]) -> Option<[u8; 3]> {
    let id: [u8; 3] = name.try_into().ok()?;
    let good = id[0].is_ascii_uppercase()
        && id[1..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    good.then_some(id)
}

fn as_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

struct Rest<'a> {
    path: &'a str,
    rest: &'a str,
}

impl Rest<'_> {
    fn take(&mut self, expected: char) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn number(&mut self, part: &'static str) -> Result<u32, PathError> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        match digits.parse() {
            Ok(number) if (1..=NUMBER_MAX).contains(&number) => Ok(number),
            _ => Err(PathError::Number { path: self.path.to_owned(), part }),
        }
    }

    /// A number in parentheses, when there is one.
    fn counted(&mut self, part: &'static str) -> Result<Option<u32>, PathError> {
        if !self.take('(') {
            return Ok(None);
        }
        let number = self.number(part)?;
        if self.take(')') {
            return Ok(Some(number));
        }
        Err(PathError::Parenthesis { path: self.path.to_owned(), part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_printed_is_parsed(
            occurrence in proptest::option::of(1u32..=NUMBER_MAX),
            field in 1u32..200,
            repetition in proptest::option::of(1u32..50),
            component in proptest::option::of(1u32..50),
            subcomponent in 1u32..50,
            deep in any::<bool>(),
        ) {
            let subcomponent = component.filter(|_| deep).map(|_| subcomponent);
            let path = Path { segment: *b"ZX1", occurrence, field, repetition, component, subcomponent };
            prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
        }

        #[test]
        fn any_text_has_an_answer(path in any::<String>()) {
            let _ = Path::parse(&path);
        }
    }
}
